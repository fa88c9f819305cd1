import type { Database } from './database.ts';

/** A hold on a name, by one owner at a time. Its fence grows with every new owner, so that a paused one is told apart. */
export interface Lease {
  readonly name: string;
  readonly owner: string;
  readonly fence: bigint;
}

/** Time is the store's, so that the owners' clocks do not matter. */
export interface Leases {
  /** Undefined: another owner holds it. Its own owner gets it again with a new fence. */
  acquire(name: string, owner: string, holdMs: number): Promise<Lease | undefined>;
  /** Extends it. False: lost, to nobody or to another owner; the holder must stop acting. */
  renew(lease: Lease, holdMs: number): Promise<boolean>;
  /** How long it still holds; 0: lost. Waits for a change in progress. */
  remainingMs(lease: Lease): Promise<number>;
  /** Idempotent. */
  release(lease: Lease): Promise<void>;
}

const HELD = 'name = $1 AND owner = $2 AND fence = $3 AND held_until > clock_timestamp()';

export function createLeases(database: Database): Leases {
  return {
    acquire: (name, owner, holdMs) =>
      database.call(async (query) => {
        const [row] = await query<{ fence: string }>(
          `INSERT INTO starr.leases AS held (name, owner, fence, held_until)
           VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 ms')
           ON CONFLICT (name) DO UPDATE SET owner = EXCLUDED.owner, fence = held.fence + 1, held_until = EXCLUDED.held_until
           WHERE held.owner = EXCLUDED.owner OR held.held_until <= clock_timestamp()
           RETURNING fence`,
          [name, owner, holdMs],
        );
        return row && { name, owner, fence: BigInt(row.fence) };
      }),
    renew: (lease, holdMs) =>
      database.call(async (query) => {
        const rows = await query(
          `UPDATE starr.leases SET held_until = clock_timestamp() + $4 * interval '1 ms' WHERE ${HELD} RETURNING 1`,
          [...keyOf(lease), holdMs],
        );
        return rows.length > 0;
      }),
    remainingMs: (lease) =>
      database.call(async (query) => {
        const [row] = await query<{ ms: number }>(
          `SELECT (extract(epoch FROM held_until - clock_timestamp()) * 1000)::float8 AS ms
           FROM starr.leases WHERE ${HELD} FOR SHARE`,
          keyOf(lease),
        );
        return row?.ms ?? 0;
      }),
    release: (lease) =>
      database.call(async (query) => {
        // The row stays: its fence must go on growing.
        await query(
          `UPDATE starr.leases SET held_until = clock_timestamp() WHERE ${HELD}`,
          keyOf(lease),
        );
      }),
  };
}

function keyOf(lease: Lease): readonly unknown[] {
  return [lease.name, lease.owner, lease.fence.toString()];
}
