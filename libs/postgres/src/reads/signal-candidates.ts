import { maskSql, type Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { holdsAdvisoryLock, LISTENS } from './idle-candidates.ts';
import { redacted, rowsRead } from './rows-read.ts';
import { utcText } from './utc-text.ts';

const STATEMENT_CHARACTERS = 200;
/** pg_blocking_pids costs the lock manager something for each waiter; so many say enough. */
const MOST_WAITERS = 200;

/** A client backend or a parallel worker of one, with all that speaks for or against cancelling or ending it. */
export interface SignalCandidate {
  readonly pid: number;
  /** RFC 3339 with microseconds, as the guard of the act compares them. */
  readonly backendStart: string;
  /** Absent: in no transaction. */
  readonly transactionStart?: string;
  readonly statementStart: string;
  /** pg_stat_activity.state. */
  readonly state: string;
  readonly application: string;
  readonly address?: string;
  readonly role: string;
  readonly database: string;
  /** What kind of process it is: `client backend`, `walsender`, `autovacuum worker` … */
  readonly kind: string;
  /** The pid whose statement this one helps with. Absent: nobody's helper. */
  readonly helps?: number;
  /** Active, and the server waits for the client: it was left in the middle of a request, and no cancel reaches it. */
  readonly waitsForClient: boolean;
  /** Pids it waits for at a lock; 0 is a prepared transaction. Empty: it waits for none. */
  readonly waitsOn: readonly number[];
  /** Sessions that wait for it, directly. */
  readonly blocks: number;
  readonly transactionMs: number;
  readonly statementMs: number;
  readonly stateMs: number;
  /** It has a transaction id: what it wrote is rolled back with it. */
  readonly hasWritten: boolean;
  readonly pinsHorizon: boolean;
  readonly isSuperuser: boolean;
  readonly holdsAdvisoryLock: boolean;
  readonly listens: boolean;
  /** What the server reports progress of: `an index build`, `a vacuum`, `a copy` … Absent: nothing. */
  readonly job?: string;
  /** Its statement defines or changes objects. */
  readonly isDdl: boolean;
  /** An autovacuum that keeps transaction ids from running out. */
  readonly isAgainstWraparound: boolean;
  /** Without literals. */
  readonly statement: string;
}

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.boolean(),
  pid: z.int(),
  backend_start: z.string().nullable(),
  transaction_start: z.string().nullable(),
  statement_start: z.string().nullable(),
  state: z.string().nullable(),
  application: z.string(),
  address: z.string().nullable(),
  role: z.string().nullable(),
  database: z.string().nullable(),
  kind: z.string().nullable(),
  helps: z.int().nullable(),
  waits_for_client: z.boolean(),
  waits_on: z.array(z.int()),
  blocks: z.int(),
  transaction_ms: z.number().nullable(),
  statement_ms: z.number().nullable(),
  state_ms: z.number().nullable(),
  written: z.boolean(),
  pins: z.boolean(),
  superuser: z.boolean(),
  advisory: z.boolean(),
  listens: z.boolean().nullable(),
  job: z.string().nullable(),
  ddl: z.boolean().nullable(),
  wraparound: z.boolean().nullable(),
  query: z.string().nullable(),
});

/** Idle sessions are not in it: {@link idleCandidatesRead} has those. Hidden rows come first, then who blocks most, then the oldest. */
export const signalCandidatesRead: Read<readonly SignalCandidate[], PostgresRequest> = rowsRead({
  id: 'postgres.signal-candidates',
  timeoutMs: 1500,
  maxRows: 1000,
  row: rowSchema,
  sql: (major) => `
    SELECT quote_ident(current_user) AS our_role, a.backend_type IS NULL AS hidden, a.pid,
           ${utcText('a.backend_start')} AS backend_start, ${utcText('a.xact_start')} AS transaction_start,
           ${utcText('a.query_start')} AS statement_start, a.state, a.application_name AS application,
           host(a.client_addr) AS address, a.usename AS role, a.datname AS database, a.backend_type AS kind,
           a.leader_pid AS helps, a.state = 'active' AND a.wait_event = 'ClientRead' IS TRUE AS waits_for_client,
           coalesce(w.waits_on, '{}') AS waits_on, coalesce(b.blocks, 0) AS blocks,
           ${ageMs('a.xact_start')} AS transaction_ms, ${ageMs('a.query_start')} AS statement_ms, ${ageMs('a.state_change')} AS state_ms,
           a.backend_xid IS NOT NULL AS written, a.backend_xid IS NOT NULL OR a.backend_xmin IS NOT NULL AS pins,
           coalesce(r.rolsuper, false) AS superuser, ${holdsAdvisoryLock('a.pid')} AS advisory, a.${LISTENS} AS listens,
           j.job, a.${DEFINES} AS ddl, a.query LIKE 'autovacuum:%(to prevent wraparound)%' AS wraparound,
           left(a.query, ${STATEMENT_CHARACTERS * 4}) AS query
      FROM pg_stat_activity a
      LEFT JOIN pg_roles r ON r.oid = a.usesysid
      LEFT JOIN (${jobsSql(major)}) j ON j.pid = a.pid
      LEFT JOIN (${WAITS}) w ON w.pid = a.pid
      LEFT JOIN (SELECT blocker AS pid, count(DISTINCT waits.pid)::int AS blocks
                   FROM (${WAITS}) waits, unnest(waits.waits_on) AS blocker GROUP BY 1) b ON b.pid = a.pid
     WHERE a.pid <> pg_backend_pid()
       AND (a.backend_type IN ('client backend', 'parallel worker', 'walsender', 'autovacuum worker') AND a.state IS DISTINCT FROM 'idle'
            OR a.backend_type IS NULL AND a.usesysid IS NOT NULL)
     ORDER BY a.backend_type IS NULL DESC, blocks DESC, coalesce(a.xact_start, a.query_start), a.pid`,
  valueOf: (rows) => {
    const hidden = rows.filter((row) => row.hidden);
    if (hidden[0] !== undefined) return redacted(hidden.length, hidden[0].our_role);
    return rows.map(candidateFromRow);
  },
});

/** Waiters with whom they wait for; pg_blocking_pids knows soft blocks, advisory locks and prepared transactions. */
const WAITS = `SELECT s.pid, pg_blocking_pids(s.pid) AS waits_on
                 FROM (SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' ORDER BY query_start LIMIT ${MOST_WAITERS}) s`;

/** Statements that migrations are made of. */
const DEFINES = String.raw`query ~* '^\s*(alter|create|drop|truncate|reindex|cluster|refresh|comment|grant|revoke)\M'`;

/** Of these the server itself says that they are under way. */
function jobsSql(major: number): string {
  const jobs = [
    ['pg_stat_progress_create_index', 'an index build'],
    ['pg_stat_progress_vacuum', 'a vacuum'],
    ['pg_stat_progress_cluster', 'a rewrite of a table'],
    ['pg_stat_progress_analyze', 'an analyze'],
    ['pg_stat_progress_basebackup', 'a base backup'],
    ...(major >= 14 ? [['pg_stat_progress_copy', 'a copy']] : []),
  ];
  return jobs.map(([view, job]) => `SELECT pid, '${job}' AS job FROM ${view}`).join(' UNION ALL ');
}

function ageMs(moment: string): string {
  return `extract(epoch FROM clock_timestamp() - ${moment})::float8 * 1000`;
}

function candidateFromRow(row: z.infer<typeof rowSchema>): SignalCandidate {
  return {
    pid: row.pid,
    backendStart: row.backend_start ?? '',
    ...(row.transaction_start !== null && { transactionStart: row.transaction_start }),
    statementStart: row.statement_start ?? '',
    state: row.state ?? 'unknown',
    application: row.application,
    ...(row.address !== null && { address: row.address }),
    role: row.role ?? '',
    database: row.database ?? '',
    kind: row.kind ?? '',
    ...(row.helps !== null && { helps: row.helps }),
    waitsForClient: row.waits_for_client,
    waitsOn: row.waits_on,
    blocks: row.blocks,
    transactionMs: row.transaction_ms ?? 0,
    statementMs: row.statement_ms ?? 0,
    stateMs: row.state_ms ?? 0,
    hasWritten: row.written,
    pinsHorizon: row.pins,
    isSuperuser: row.superuser,
    holdsAdvisoryLock: row.advisory,
    listens: row.listens === true,
    ...(row.job !== null && { job: row.job }),
    isDdl: row.ddl === true,
    isAgainstWraparound: row.wraparound === true,
    statement: maskSql(row.query ?? '').slice(0, STATEMENT_CHARACTERS),
  };
}
