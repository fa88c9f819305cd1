import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { rowsRead } from './rows-read.ts';

/** pg_blocking_pids costs the lock manager something for each waiter; so many say enough. */
const MOST_WAITERS = 50;

/** A session that others wait for, directly. */
export interface Blocker {
  /** 0: a prepared transaction. */
  readonly pid: number;
  /** How many of the waiters that were asked wait for it. */
  readonly blocks: number;
}

/** pg_blocking_pids knows soft blocks, advisory locks and prepared transactions, which joins over pg_locks miss or invent. */
export const blockersRead: Read<readonly Blocker[], PostgresRequest> = rowsRead({
  id: 'postgres.blockers',
  timeoutMs: 1000,
  maxRows: 100,
  row: z.object({ pid: z.int(), blocks: z.int() }),
  sql: () => `
    SELECT blocker AS pid, count(DISTINCT waiter)::int AS blocks
      FROM (SELECT w.pid AS waiter, unnest(pg_blocking_pids(w.pid)) AS blocker
              FROM (SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' ORDER BY query_start LIMIT ${MOST_WAITERS}) w) b
     GROUP BY blocker
     ORDER BY blocks DESC, pid`,
  valueOf: (rows) => rows,
});
