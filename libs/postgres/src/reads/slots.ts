import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { redacted, rowsRead } from './rows-read.ts';

/** The connection slots of a server and who holds them, client backends only. */
export interface Slots {
  /** max_connections less what is reserved for superusers and, on 16 and newer, for pg_use_reserved_connections. */
  readonly usable: number;
  readonly maxConnections: number;
  /** superuser_reserved_connections + reserved_connections. */
  readonly reserved: number;
  /** Client backends, our own included: it holds a slot. May exceed `usable` by sessions in reserved slots. */
  readonly used: number;
  readonly active: number;
  readonly idle: number;
  readonly idleInTransaction: number;
  /** Client backends that wait for a heavyweight lock. */
  readonly waiting: number;
  /** 0 when nobody waits. */
  readonly longestWaitMs: number;
}

const rowSchema = z.object({
  max_connections: z.int(),
  superuser_reserved: z.int(),
  reserved: z.int(),
  role: z.string(),
  hidden: z.int(),
  used: z.int(),
  active: z.int(),
  idle: z.int(),
  idle_in_transaction: z.int(),
  waiting: z.int(),
  longest_wait_ms: z.number(),
});

/** pg_stat_activity counts autovacuum, walsenders and workers too; they have slots of their own. */
export const slotsRead: Read<Slots, PostgresRequest> = rowsRead({
  id: 'postgres.slots',
  timeoutMs: 1000,
  maxRows: 1,
  row: rowSchema,
  sql: (major) => `
    SELECT current_setting('max_connections')::int AS max_connections,
           current_setting('superuser_reserved_connections')::int AS superuser_reserved,
           coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,
           quote_ident(current_user) AS role,
           (count(*) FILTER (WHERE a.backend_type IS NULL AND a.usesysid IS NOT NULL))::int AS hidden,
           (count(*) FILTER (WHERE a.client))::int AS used,
           (count(*) FILTER (WHERE a.client AND a.state = 'active'))::int AS active,
           (count(*) FILTER (WHERE a.client AND a.state = 'idle'))::int AS idle,
           (count(*) FILTER (WHERE a.client AND a.state LIKE 'idle in transaction%'))::int AS idle_in_transaction,
           (count(*) FILTER (WHERE a.waiting))::int AS waiting,
           coalesce(max(extract(epoch FROM clock_timestamp() - ${waitStart(major)})) FILTER (WHERE a.waiting), 0)::float8 * 1000
             AS longest_wait_ms
      FROM (SELECT s.*, s.backend_type = 'client backend' AS client,
                   s.backend_type = 'client backend' AND s.wait_event_type = 'Lock' AS waiting
              FROM pg_stat_activity s) a${waitJoin(major)}`,
  valueOf: ([row]) => {
    if (row === undefined) return redacted(0, 'this role');
    if (row.hidden > 0) return redacted(row.hidden, row.role);
    const reserved = row.superuser_reserved + row.reserved;
    return {
      maxConnections: row.max_connections,
      reserved,
      usable: Math.max(0, row.max_connections - reserved),
      used: row.used,
      active: row.active,
      idle: row.idle,
      idleInTransaction: row.idle_in_transaction,
      waiting: row.waiting,
      longestWaitMs: row.longest_wait_ms,
    };
  },
});

/** 14 and newer know when a wait began; before, it began after the statement did. */
function waitStart(major: number): string {
  return major >= 14 ? 'coalesce(l.waitstart, a.query_start)' : 'a.query_start';
}

function waitJoin(major: number): string {
  return major >= 14
    ? `
      LEFT JOIN (SELECT pid, min(waitstart) AS waitstart FROM pg_locks WHERE NOT granted GROUP BY pid) l ON l.pid = a.pid`
    : '';
}
