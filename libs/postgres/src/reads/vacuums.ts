import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { redacted, rowsRead } from './rows-read.ts';

/** A vacuum that is under way in this database. */
export interface RunningVacuum {
  readonly tableOid: string;
  readonly pid: number;
  readonly phase: string;
  /** Of the heap; 0 when it has not begun. */
  readonly ratio: number;
  readonly runsMs: number;
  readonly isAutovacuum: boolean;
}

/** A session whose lock on a table keeps autovacuum away from it: it does not wait, it comes back in a minute. */
export interface VacuumLocker {
  readonly tableOid: string;
  readonly pid: number;
  readonly application: string;
  readonly mode: string;
  readonly heldMs: number;
}

export interface Vacuums {
  readonly running: readonly RunningVacuum[];
  readonly lockers: readonly VacuumLocker[];
  /** Autovacuum workers at work, in all databases, and how many there may be. */
  readonly workers: number;
  readonly maxWorkers: number;
}

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.int(),
  workers: z.int(),
  max_workers: z.int(),
  what: z.enum(['running', 'locker']).nullable(),
  table_oid: z.string().nullable(),
  pid: z.int().nullable(),
  text: z.string().nullable(),
  application: z.string().nullable(),
  ratio: z.number().nullable(),
  ms: z.number().nullable(),
  autovacuum: z.boolean().nullable(),
});

const MODES = [
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
];

export const vacuumsRead: Read<Vacuums, PostgresRequest> = rowsRead({
  id: 'postgres.vacuums',
  timeoutMs: 1000,
  maxRows: 200,
  row: rowSchema,
  sql: () => `
    SELECT quote_ident(current_user) AS our_role,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type IS NULL AND usesysid IS NOT NULL)::int AS hidden,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker')::int AS workers,
           current_setting('autovacuum_max_workers')::int AS max_workers, v.*
      FROM (SELECT) here LEFT JOIN (
        SELECT 'running' AS what, p.relid::text AS table_oid, p.pid, p.phase AS text, a.application_name AS application,
               p.heap_blks_scanned::float8 / greatest(p.heap_blks_total, 1) AS ratio,
               extract(epoch FROM clock_timestamp() - a.xact_start)::float8 * 1000 AS ms, a.backend_type = 'autovacuum worker' AS autovacuum
          FROM pg_stat_progress_vacuum p JOIN pg_stat_activity a ON a.pid = p.pid
         WHERE p.datname = current_database()
        UNION ALL
        SELECT 'locker', l.relation::text, l.pid, l.mode, a.application_name, NULL,
               extract(epoch FROM clock_timestamp() - a.xact_start)::float8 * 1000, NULL
          FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
         WHERE l.locktype = 'relation' AND l.granted AND l.mode IN (${MODES.map((mode) => `'${mode}'`).join(', ')})
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND a.backend_type = 'client backend' AND coalesce(a.query, '') !~* '^\\s*(vacuum|analyze)') v ON true
     ORDER BY ms DESC NULLS LAST`,
  valueOf: (rows) => {
    const [first] = rows;
    if (first !== undefined && first.hidden > 0) return redacted(first.hidden, first.our_role);
    return {
      workers: first?.workers ?? 0,
      maxWorkers: first?.max_workers ?? 0,
      running: rows.filter(({ what }) => what === 'running').map(runningFromRow),
      lockers: rows.filter(({ what }) => what === 'locker').map(lockerFromRow),
    };
  },
});

type VacuumRow = z.infer<typeof rowSchema>;

function runningFromRow(row: VacuumRow): RunningVacuum {
  return {
    tableOid: row.table_oid ?? '',
    pid: row.pid ?? 0,
    phase: row.text ?? '',
    ratio: row.ratio ?? 0,
    runsMs: Math.max(0, row.ms ?? 0),
    isAutovacuum: row.autovacuum ?? false,
  };
}

function lockerFromRow(row: VacuumRow): VacuumLocker {
  return {
    tableOid: row.table_oid ?? '',
    pid: row.pid ?? 0,
    application: row.application ?? '',
    mode: row.text ?? '',
    heldMs: Math.max(0, row.ms ?? 0),
  };
}
