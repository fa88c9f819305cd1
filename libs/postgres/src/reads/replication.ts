import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { redacted, rowsRead } from './rows-read.ts';

/** A replication slot: what the server keeps for somebody who may not come back. */
export interface ReplicationSlot {
  readonly name: string;
  /** physical or logical. */
  readonly kind: string;
  readonly database: string;
  readonly active: boolean;
  /** reserved, extended, unreserved, lost. '' when it never reserved anything. */
  readonly walStatus: string;
  /** WAL that cannot be removed because of it. */
  readonly retainedBytes: number;
  /** What may still be written before it is lost; absent: no limit (max_slot_wal_keep_size is -1). */
  readonly safeBytes?: number;
  /** Since nobody reads it; absent: it is active, or the server does not know (before 17). */
  readonly inactiveMs?: number;
  /** The process that reads it; 0 when none does. */
  readonly pid: number;
}

/** A standby or another reader of WAL that is connected. */
export interface Standby {
  readonly application: string;
  readonly address?: string;
  readonly state: string;
  /** Not yet replayed there. */
  readonly lagBytes: number;
  /** 0 also when it is idle and has replayed everything. */
  readonly lagMs: number;
  /** async, sync, quorum, potential. */
  readonly sync: string;
}

export interface Replication {
  readonly slots: readonly ReplicationSlot[];
  readonly standbys: readonly Standby[];
  readonly isStandby: boolean;
  /** synchronous_standby_names where commits wait for them; '' where they do not. */
  readonly commitsWaitFor: string;
  /** On a standby: time since the last transaction that it replayed, while there is more to replay. 0 elsewhere. */
  readonly replayLagMs: number;
}

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.int(),
  is_standby: z.boolean(),
  replay_lag_ms: z.number(),
  commits_wait_for: z.string(),
  what: z.enum(['slot', 'standby']).nullable(),
  name: z.string().nullable(),
  kind: z.string().nullable(),
  database: z.string().nullable(),
  active: z.boolean().nullable(),
  wal_status: z.string().nullable(),
  bytes: z.number().nullable(),
  safe_bytes: z.number().nullable(),
  ms: z.number().nullable(),
  pid: z.int().nullable(),
  address: z.string().nullable(),
});

/** pg_current_wal_lsn() fails on a standby. */
const HERE =
  'CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_lsn() END';

export const replicationRead: Read<Replication, PostgresRequest> = rowsRead({
  id: 'postgres.replication',
  timeoutMs: 1000,
  maxRows: 200,
  row: rowSchema,
  sql: () => `
    SELECT quote_ident(current_user) AS our_role, pg_is_in_recovery() AS is_standby,
           (SELECT count(*) FROM pg_stat_replication WHERE state IS NULL)::int AS hidden,
           CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
                THEN coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 * 1000, 0)
                ELSE 0 END AS replay_lag_ms,
           CASE WHEN pg_is_in_recovery() OR (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') IN ('off', 'local') THEN ''
                ELSE current_setting('synchronous_standby_names') END AS commits_wait_for,
           r.*
      FROM (SELECT) one LEFT JOIN (
        SELECT 'slot' AS what, s.slot_name::text AS name, s.slot_type AS kind, s.database::text AS database, s.active, s.wal_status,
               greatest(pg_wal_lsn_diff(${HERE}, s.restart_lsn), 0)::float8 AS bytes, s.safe_wal_size::float8 AS safe_bytes,
               extract(epoch FROM clock_timestamp() - (to_jsonb(s) ->> 'inactive_since')::timestamptz)::float8 * 1000 AS ms,
               s.active_pid AS pid, NULL AS address
          FROM pg_replication_slots s
        UNION ALL
        SELECT 'standby', application_name, state, sync_state, NULL, NULL,
               greatest(pg_wal_lsn_diff(${HERE}, replay_lsn), 0)::float8, NULL,
               extract(epoch FROM replay_lag)::float8 * 1000, pid, host(client_addr)
          FROM pg_stat_replication) r ON true
     ORDER BY bytes DESC NULLS LAST, name`,
  valueOf: (rows) => {
    const [first] = rows;
    if (first !== undefined && first.hidden > 0) return redacted(first.hidden, first.our_role);
    return {
      isStandby: first?.is_standby ?? false,
      replayLagMs: first?.replay_lag_ms ?? 0,
      commitsWaitFor: first?.commits_wait_for ?? '',
      slots: rows.filter(({ what }) => what === 'slot').map(slotFromRow),
      standbys: rows.filter(({ what }) => what === 'standby').map(standbyFromRow),
    };
  },
});

type ReplicationRow = z.infer<typeof rowSchema>;

function slotFromRow(row: ReplicationRow): ReplicationSlot {
  return {
    name: row.name ?? '',
    kind: row.kind ?? '',
    database: row.database ?? '',
    active: row.active ?? false,
    walStatus: row.wal_status ?? '',
    retainedBytes: row.bytes ?? 0,
    ...(row.safe_bytes !== null && { safeBytes: row.safe_bytes }),
    ...(row.ms !== null && row.active !== true && { inactiveMs: Math.max(0, row.ms) }),
    pid: row.pid ?? 0,
  };
}

function standbyFromRow(row: ReplicationRow): Standby {
  return {
    application: row.name ?? '',
    ...(row.address !== null && { address: row.address }),
    state: row.kind ?? '',
    lagBytes: row.bytes ?? 0,
    lagMs: Math.max(0, row.ms ?? 0),
    sync: row.database ?? '',
  };
}
