import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { rowsRead } from './rows-read.ts';

/** Counters of one database; they only grow, until somebody resets them. */
export interface DatabaseCounters {
  readonly database: string;
  readonly commits: number;
  readonly rollbacks: number;
  readonly deadlocks: number;
  readonly tempFiles: number;
  readonly tempBytes: number;
}

export type DatabaseActivity = readonly DatabaseCounters[];

/** Shown to everybody. */
export const databaseActivityRead: Read<DatabaseActivity, PostgresRequest> = rowsRead({
  id: 'postgres.database-activity',
  timeoutMs: 1000,
  maxRows: 500,
  row: z.object({
    database: z.string(),
    commits: z.number(),
    rollbacks: z.number(),
    deadlocks: z.number(),
    temp_files: z.number(),
    temp_bytes: z.number(),
  }),
  sql: () => `
    SELECT datname::text AS database, xact_commit::float8 AS commits, xact_rollback::float8 AS rollbacks, deadlocks::float8 AS deadlocks,
           temp_files::float8 AS temp_files, temp_bytes::float8 AS temp_bytes
      FROM pg_stat_database
     WHERE datname IS NOT NULL
     ORDER BY xact_commit + xact_rollback DESC`,
  valueOf: (rows) =>
    rows.map(({ temp_files, temp_bytes, ...row }) => ({
      ...row,
      tempFiles: temp_files,
      tempBytes: temp_bytes,
    })),
});
