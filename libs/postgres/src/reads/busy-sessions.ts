import { blindSpot, maskSql, type BlindSpot, type Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { redacted, rowsRead } from './rows-read.ts';
import { utcText } from './utc-text.ts';

/** Statements are cut to what a person reads in a row. */
const QUERY_CHARACTERS = 200;

/** A client backend that is in a statement or a transaction. Ages are by the server's clock. */
export interface BusySession {
  readonly pid: number;
  /** RFC 3339 with microseconds. */
  readonly backendStart: string;
  /** active, idle in transaction, idle in transaction (aborted), fastpath function call, disabled. */
  readonly state: string;
  readonly application: string;
  readonly address?: string;
  readonly role: string;
  readonly database: string;
  /** e.g. Lock, Client, IO. Absent: not waiting. */
  readonly waitsFor?: string;
  readonly waitEvent?: string;
  /** Since the transaction began. Absent: in none. */
  readonly transactionMs?: number;
  /** Since the last statement began. */
  readonly statementMs: number;
  /** Since the state was entered. */
  readonly stateMs: number;
  /** It has written, or its snapshot is still in use: vacuum cannot clean behind it. */
  readonly pinsHorizon: boolean;
  /** The statement without its literals. '' when it is not tracked. */
  readonly statement: string;
}

export interface BusySessions {
  /** Longest transaction first. */
  readonly sessions: readonly BusySession[];
  /** The youngest are left out: an old one is not among them. */
  readonly truncated?: BlindSpot;
}

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.boolean(),
  pid: z.int(),
  backend_start: z.string().nullable(),
  state: z.string().nullable(),
  application: z.string(),
  address: z.string().nullable(),
  role: z.string().nullable(),
  database: z.string().nullable(),
  wait_event_type: z.string().nullable(),
  wait_event: z.string().nullable(),
  transaction_ms: z.number().nullable(),
  statement_ms: z.number().nullable(),
  state_ms: z.number().nullable(),
  pins_horizon: z.boolean(),
  query: z.string().nullable(),
});

export const busySessionsRead: Read<BusySessions, PostgresRequest> = rowsRead({
  id: 'postgres.busy-sessions',
  timeoutMs: 1000,
  maxRows: 1000,
  row: rowSchema,
  // Hidden rows sort first, so that the limit never hides that something is hidden.
  sql: () => `
    SELECT quote_ident(current_user) AS our_role, backend_type IS NULL AS hidden,
           pid, ${utcText('backend_start')} AS backend_start, state, application_name AS application,
           host(client_addr) AS address, usename AS role, datname AS database, wait_event_type, wait_event,
           extract(epoch FROM clock_timestamp() - xact_start)::float8 * 1000 AS transaction_ms,
           extract(epoch FROM clock_timestamp() - query_start)::float8 * 1000 AS statement_ms,
           extract(epoch FROM clock_timestamp() - state_change)::float8 * 1000 AS state_ms,
           backend_xid IS NOT NULL OR backend_xmin IS NOT NULL AS pins_horizon,
           left(query, ${QUERY_CHARACTERS * 4}) AS query
      FROM pg_stat_activity
     WHERE pid <> pg_backend_pid()
       AND (backend_type = 'client backend' AND state <> 'idle' OR backend_type IS NULL AND usesysid IS NOT NULL)
     ORDER BY backend_type IS NULL DESC, coalesce(xact_start, query_start)`,
  valueOf: (rows, truncated) => {
    const hidden = rows.filter((row) => row.hidden);
    if (hidden[0] !== undefined) return redacted(hidden.length, hidden[0].our_role);
    return {
      sessions: rows.map(sessionFromRow),
      ...(truncated && { truncated: youngestLeftOut(rows.length) }),
    };
  },
});

function youngestLeftOut(seen: number): BlindSpot {
  return blindSpot(
    'truncated',
    `more than ${seen} sessions are in a statement or a transaction; the youngest were left out`,
  );
}

function sessionFromRow(row: z.infer<typeof rowSchema>): BusySession {
  return {
    pid: row.pid,
    backendStart: row.backend_start ?? '',
    state: row.state ?? 'disabled',
    application: row.application,
    ...(row.address !== null && { address: row.address }),
    role: row.role ?? '',
    database: row.database ?? '',
    ...(row.wait_event_type !== null && { waitsFor: row.wait_event_type }),
    ...(row.wait_event !== null && { waitEvent: row.wait_event }),
    ...(row.transaction_ms !== null && { transactionMs: row.transaction_ms }),
    statementMs: row.statement_ms ?? 0,
    stateMs: row.state_ms ?? 0,
    pinsHorizon: row.pins_horizon,
    statement: maskSql(row.query ?? '').slice(0, QUERY_CHARACTERS),
  };
}
