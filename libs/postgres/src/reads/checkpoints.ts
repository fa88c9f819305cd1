import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { rowsRead } from './rows-read.ts';

/** Counters of the checkpointer; they only grow, until somebody resets them. */
export interface Checkpoints {
  /** For checkpoint_timeout had passed. */
  readonly timed: number;
  /** For max_wal_size was reached, or somebody asked. */
  readonly requested: number;
  readonly writeMs: number;
  readonly syncMs: number;
  readonly maxWalBytes: number;
  readonly timeoutMs: number;
  /** Bytes of WAL written; absent: hidden, before 14. */
  readonly walBytes?: number;
}

const rowSchema = z.object({
  timed: z.number(),
  requested: z.number(),
  write_ms: z.number(),
  sync_ms: z.number(),
  max_wal_mb: z.number(),
  timeout_s: z.number(),
  wal_bytes: z.number().nullable(),
});

export const checkpointsRead: Read<Checkpoints, PostgresRequest> = rowsRead({
  id: 'postgres.checkpoints',
  timeoutMs: 1000,
  maxRows: 1,
  row: rowSchema,
  sql: (major) => `
    SELECT ${counters(major)},
           (SELECT setting::float8 FROM pg_settings WHERE name = 'max_wal_size') AS max_wal_mb,
           (SELECT setting::float8 FROM pg_settings WHERE name = 'checkpoint_timeout') AS timeout_s,
           ${major >= 14 ? '(SELECT wal_bytes::float8 FROM pg_stat_wal)' : 'NULL::float8'} AS wal_bytes
      FROM ${major >= 17 ? 'pg_stat_checkpointer' : 'pg_stat_bgwriter'}`,
  valueOf: ([row]) => ({
    timed: row?.timed ?? 0,
    requested: row?.requested ?? 0,
    writeMs: row?.write_ms ?? 0,
    syncMs: row?.sync_ms ?? 0,
    maxWalBytes: (row?.max_wal_mb ?? 0) * 1024 ** 2,
    timeoutMs: (row?.timeout_s ?? 0) * 1000,
    ...(row?.wal_bytes != null && { walBytes: row.wal_bytes }),
  }),
});

/** 17 gave the checkpointer a view of its own, with other names. */
function counters(major: number): string {
  return major >= 17
    ? 'num_timed::float8 AS timed, num_requested::float8 AS requested, write_time::float8 AS write_ms, sync_time::float8 AS sync_ms'
    : 'checkpoints_timed::float8 AS timed, checkpoints_req::float8 AS requested, checkpoint_write_time::float8 AS write_ms, checkpoint_sync_time::float8 AS sync_ms';
}
