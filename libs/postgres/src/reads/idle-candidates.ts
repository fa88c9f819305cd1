import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { redacted, rowsRead } from './rows-read.ts';
import { SETTLED_MS, USED_ONCE_MS } from './session-groups.ts';
import { utcText } from './utc-text.ts';

/** An idle session, with all that speaks for or against ending it. */
export interface IdleSession {
  readonly pid: number;
  /** RFC 3339 with microseconds, as the guard of the act compares them. */
  readonly backendStart: string;
  readonly stateChange: string;
  readonly application: string;
  readonly address?: string;
  readonly role: string;
  readonly idleMs: number;
  readonly ageMs: number;
  /** Idle since its first second, and for SETTLED_MS. */
  readonly usedOnce: boolean;
  /** Client backends only may be ended; a walsender is idle too between two messages. */
  readonly isWalsender: boolean;
  /** pg_signal_backend may not end these. */
  readonly isSuperuser: boolean;
  /** Holds an advisory lock: leader election, a job that must run once. */
  readonly holdsAdvisoryLock: boolean;
  /** Its last statement was LISTEN. One that listens and asked something since cannot be told. */
  readonly listens: boolean;
}

export interface IdleSessions {
  /** Longest idle first. */
  readonly sessions: readonly IdleSession[];
  readonly truncated: boolean;
}

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.boolean(),
  pid: z.int(),
  backend_start: z.string().nullable(),
  state_change: z.string().nullable(),
  application: z.string(),
  address: z.string().nullable(),
  role: z.string().nullable(),
  idle_ms: z.number().nullable(),
  age_ms: z.number().nullable(),
  used_ms: z.number().nullable(),
  walsender: z.boolean().nullable(),
  superuser: z.boolean(),
  advisory: z.boolean(),
  listens: z.boolean().nullable(),
});

/** A session is listening for all that pg_stat_activity can tell when its last statement was LISTEN. */
export const LISTENS = String.raw`query ~* '^\s*listen\M'`;
/** `pid` must be qualified: pg_locks has one too. */
export const holdsAdvisoryLock = (pid: string): string =>
  `EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.pid = ${pid} AND l.locktype = 'advisory' AND l.granted)`;

export const idleCandidatesRead: Read<IdleSessions, PostgresRequest> = rowsRead({
  id: 'postgres.idle-candidates',
  timeoutMs: 1500,
  maxRows: 2000,
  row: rowSchema,
  sql: () => `
    SELECT quote_ident(current_user) AS our_role, a.backend_type IS NULL AS hidden, a.pid,
           ${utcText('a.backend_start')} AS backend_start, ${utcText('a.state_change')} AS state_change,
           a.application_name AS application, host(a.client_addr) AS address, a.usename AS role,
           extract(epoch FROM clock_timestamp() - a.state_change)::float8 * 1000 AS idle_ms,
           extract(epoch FROM clock_timestamp() - a.backend_start)::float8 * 1000 AS age_ms,
           extract(epoch FROM a.state_change - a.backend_start)::float8 * 1000 AS used_ms,
           a.backend_type = 'walsender' AS walsender,
           coalesce(r.rolsuper, false) AS superuser,
           ${holdsAdvisoryLock('a.pid')} AS advisory,
           a.${LISTENS} AS listens
      FROM pg_stat_activity a LEFT JOIN pg_roles r ON r.oid = a.usesysid
     WHERE a.pid <> pg_backend_pid()
       AND (a.backend_type IN ('client backend', 'walsender') AND a.state = 'idle'
            OR a.backend_type IS NULL AND a.usesysid IS NOT NULL)
     ORDER BY a.backend_type IS NULL DESC, a.state_change, a.pid`,
  valueOf: (rows, truncated) => {
    const hidden = rows.filter((row) => row.hidden);
    if (hidden[0] !== undefined) return redacted(hidden.length, hidden[0].our_role);
    return { sessions: rows.map(sessionFromRow), truncated };
  },
});

function sessionFromRow(row: z.infer<typeof rowSchema>): IdleSession {
  const idleMs = row.idle_ms ?? 0;
  return {
    pid: row.pid,
    backendStart: row.backend_start ?? '',
    stateChange: row.state_change ?? '',
    application: row.application,
    ...(row.address !== null && { address: row.address }),
    role: row.role ?? '',
    idleMs,
    ageMs: row.age_ms ?? 0,
    usedOnce: (row.used_ms ?? Infinity) < USED_ONCE_MS && idleMs >= SETTLED_MS,
    isWalsender: row.walsender === true,
    isSuperuser: row.superuser,
    holdsAdvisoryLock: row.advisory,
    listens: row.listens === true,
  };
}
