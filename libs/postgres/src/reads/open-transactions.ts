import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { redacted, rowsRead } from './rows-read.ts';

/** A transaction that an index build has to wait for. */
export interface OpenTransaction {
  /** 0: a prepared transaction. */
  readonly pid: number;
  /** application_name, or the gid of a prepared one. */
  readonly application: string;
  readonly openMs: number;
  /** Holds a snapshot in this database: the last phase of a build waits for it, wherever it reads. */
  readonly hasSnapshot: boolean;
  /** Tables that it has written, by oid: a build on them waits for it before it begins. */
  readonly writes: readonly string[];
}

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.boolean(),
  pid: z.int(),
  application: z.string(),
  open_ms: z.number(),
  snapshot: z.boolean(),
  writes: z.array(z.string()),
});

/** Lock modes that conflict with the ShareLock of a build. */
const WRITE_MODES =
  "('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')";

/**
 * A prepared transaction keeps the virtual id it had: its locks are found by the lock on its own id.
 * VACUUM and other builds hold snapshots that a build does not wait for. An idle transaction under READ COMMITTED holds
 * none, and only matters when it has written the table.
 */
export const OPEN_TRANSACTIONS = `
  SELECT a.backend_type IS NULL AS hidden, a.pid, a.application_name::text AS application,
         coalesce(extract(epoch FROM clock_timestamp() - a.xact_start)::float8 * 1000, 0) AS open_ms,
         a.backend_xmin IS NOT NULL AND a.datname = current_database()
           AND a.query !~* '^\\s*(/\\*.*\\*/\\s*)?(vacuum|create\\s+index\\s+concurrently|reindex\\s.*concurrently)' AS snapshot,
         ARRAY(SELECT l.relation::text FROM pg_locks l
                WHERE l.pid = a.pid AND l.locktype = 'relation' AND l.granted AND l.mode IN ${WRITE_MODES}
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS writes
    FROM pg_stat_activity a
   WHERE a.pid <> pg_backend_pid()
     AND (a.xact_start IS NOT NULL AND a.backend_type IN ('client backend', 'background worker')
          OR a.backend_type IS NULL AND a.usesysid IS NOT NULL)
  UNION ALL
  SELECT false, 0, p.gid::text, extract(epoch FROM clock_timestamp() - p.prepared)::float8 * 1000, false,
         ARRAY(SELECT l.relation::text FROM pg_locks x JOIN pg_locks l ON l.virtualtransaction = x.virtualtransaction
                WHERE x.pid IS NULL AND x.locktype = 'transactionid' AND x.transactionid = p.transaction
                  AND l.pid IS NULL AND l.locktype = 'relation' AND l.mode IN ${WRITE_MODES})
    FROM pg_prepared_xacts p WHERE p.database = current_database()`;

/** Oldest first; those beyond the bound are young. */
export const openTransactionsRead: Read<readonly OpenTransaction[], PostgresRequest> = rowsRead({
  id: 'postgres.open-transactions',
  timeoutMs: 1000,
  maxRows: 500,
  row: rowSchema,
  sql: () =>
    `SELECT quote_ident(current_user) AS our_role, o.* FROM (${OPEN_TRANSACTIONS}) o ORDER BY o.hidden DESC, o.open_ms DESC`,
  valueOf: (rows) => {
    const hidden = rows.filter((row) => row.hidden);
    if (hidden[0] !== undefined) return redacted(hidden.length, hidden[0].our_role);
    return rows.map(transactionFromRow);
  },
});

function transactionFromRow(row: z.infer<typeof rowSchema>): OpenTransaction {
  return {
    pid: row.pid,
    application: row.application,
    openMs: row.open_ms,
    hasSnapshot: row.snapshot,
    writes: row.writes,
  };
}
