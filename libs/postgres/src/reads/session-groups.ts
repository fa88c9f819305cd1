import type { Entity, Read, Relation } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { addressEntity, applicationEntity, clientEntity, serverEntity } from '../entities.ts';
import { redacted, rowsRead } from './rows-read.ts';

/** A session was used once when it went idle for good within this after its start (postgres.md 6.2: 60/60 leaked, 0/20 pooled). */
export const USED_ONCE_MS = 1000;
/** A session that only just went idle may be about to be used again. */
export const SETTLED_MS = 5000;
/** Idle for so long counts as long. */
export const LONG_IDLE_MS = 60_000;

/** The client backends of one application_name at one client address. Our own session is left out. */
export interface SessionGroup {
  /** '' when the client gives none. Chosen by the client: untrusted. */
  readonly application: string;
  /** Absent: a local socket. */
  readonly address?: string;
  readonly sessions: number;
  readonly active: number;
  readonly idleInTransaction: number;
  readonly idle: number;
  /** Idle for LONG_IDLE_MS and more. */
  readonly idleLong: number;
  /** 0 when none is idle. */
  readonly longestIdleMs: number;
  /** Idle for SETTLED_MS and more. */
  readonly settled: number;
  /** Not settled, and so far used once: they may be leaked, or about to be used again. */
  readonly undecided: number;
  /** Settled, and used once: never touched again since its first second. */
  readonly usedOnce: number;
  /** Of the used once: started within the last minute, and within the last five. */
  readonly usedOnceLastMinute: number;
  readonly usedOnceLastFiveMinutes: number;
  /** Of the used once: how far apart their idle ages lie, 10th to 90th percentile. 0 when there is none. */
  readonly idleSpreadMs: number;
  /** When the first (5th percentile) of the used once was started. Absent when there is none. */
  readonly usedOnceSince?: Date;
}

export interface SessionGroups {
  readonly groups: readonly SessionGroup[];
  /** There are more groups; the smallest are left out. */
  readonly truncated: boolean;
}

const count = z.int();
const rowSchema = z.object({
  role: z.string(),
  hidden: count,
  application: z.string(),
  address: z.string().nullable(),
  sessions: count,
  active: count,
  idle_in_transaction: count,
  idle: count,
  idle_long: count,
  longest_idle_ms: z.number(),
  settled: count,
  undecided: count,
  used_once: count,
  used_once_minute: count,
  used_once_five_minutes: count,
  idle_spread_ms: z.number(),
  used_once_since_ms: z.number().nullable(),
});

export const sessionGroupsRead: Read<SessionGroups, PostgresRequest> = rowsRead({
  id: 'postgres.session-groups',
  timeoutMs: 1000,
  maxRows: 500,
  row: rowSchema,
  sql: () => `
    SELECT quote_ident(current_user) AS role,
           sum((count(*) FILTER (WHERE hidden))::int) OVER ()::int AS hidden,
           application_name AS application, host(client_addr) AS address,
           count(*)::int AS sessions,
           (count(*) FILTER (WHERE state = 'active'))::int AS active,
           (count(*) FILTER (WHERE state LIKE 'idle in transaction%'))::int AS idle_in_transaction,
           (count(*) FILTER (WHERE state = 'idle'))::int AS idle,
           (count(*) FILTER (WHERE state = 'idle' AND idle_ms >= ${LONG_IDLE_MS}))::int AS idle_long,
           coalesce(max(idle_ms) FILTER (WHERE state = 'idle'), 0) AS longest_idle_ms,
           (count(*) FILTER (WHERE settled))::int AS settled,
           (count(*) FILTER (WHERE state = 'idle' AND NOT settled AND once))::int AS undecided,
           (count(*) FILTER (WHERE settled AND once))::int AS used_once,
           (count(*) FILTER (WHERE settled AND once AND age_ms < 60000))::int AS used_once_minute,
           (count(*) FILTER (WHERE settled AND once AND age_ms < 300000))::int AS used_once_five_minutes,
           coalesce((percentile_cont(0.9) WITHIN GROUP (ORDER BY idle_ms) FILTER (WHERE settled AND once))
                  - (percentile_cont(0.1) WITHIN GROUP (ORDER BY idle_ms) FILTER (WHERE settled AND once)), 0) AS idle_spread_ms,
           extract(epoch FROM percentile_disc(0.05) WITHIN GROUP (ORDER BY backend_start) FILTER (WHERE settled AND once))::float8
             * 1000 AS used_once_since_ms
      FROM (SELECT s.*, s.backend_type IS NULL AS hidden, s.state = 'idle' AND s.idle_ms >= ${SETTLED_MS} AS settled,
                   s.used_ms < ${USED_ONCE_MS} AS once
              FROM (SELECT a.*,
                           extract(epoch FROM clock_timestamp() - a.state_change)::float8 * 1000 AS idle_ms,
                           extract(epoch FROM clock_timestamp() - a.backend_start)::float8 * 1000 AS age_ms,
                           extract(epoch FROM a.state_change - a.backend_start)::float8 * 1000 AS used_ms
                      FROM pg_stat_activity a
                     WHERE a.pid <> pg_backend_pid()
                       AND (a.backend_type = 'client backend' OR a.backend_type IS NULL AND a.usesysid IS NOT NULL)) s) g
     GROUP BY application_name, client_addr
     ORDER BY sessions DESC, application, address`,
  valueOf: (rows, truncated) => {
    const [first] = rows;
    if (first !== undefined && first.hidden > 0) return redacted(first.hidden, first.role);
    return { groups: rows.map(groupFromRow), truncated };
  },
  relate: ({ groups }, look) => groups.flatMap((group) => relationsOf(group, look.target)),
});

function groupFromRow(row: z.infer<typeof rowSchema>): SessionGroup {
  return {
    application: row.application,
    ...(row.address !== null && { address: row.address }),
    sessions: row.sessions,
    active: row.active,
    idleInTransaction: row.idle_in_transaction,
    idle: row.idle,
    idleLong: row.idle_long,
    longestIdleMs: row.longest_idle_ms,
    settled: row.settled,
    undecided: row.undecided,
    usedOnce: row.used_once,
    usedOnceLastMinute: row.used_once_minute,
    usedOnceLastFiveMinutes: row.used_once_five_minutes,
    idleSpreadMs: row.idle_spread_ms,
    ...(row.used_once_since_ms !== null && { usedOnceSince: new Date(row.used_once_since_ms) }),
  };
}

/** A client belongs to its application and comes from its address, ill or not: a path needs the healthy ones too. */
function relationsOf({ application, address }: SessionGroup, target: string): Relation[] {
  const client: Entity = clientEntity(target, application, address);
  return [
    { from: client, is: 'of', to: applicationEntity(target, application) },
    { from: applicationEntity(target, application), is: 'uses', to: serverEntity(target) },
    ...(address === undefined
      ? []
      : [{ from: client, is: 'connects-from', to: addressEntity(address) }]),
  ];
}
