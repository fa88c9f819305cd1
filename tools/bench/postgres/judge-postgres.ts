import type { Goal } from '../goals.ts';
import { timesFaster } from '../statistics.ts';
import type { PostgresBench } from './bench-postgres.ts';

const MOST_FOREST_MS = 50;
const MOST_TRIAGE_MS = 15;
const MOST_SWEEP_MS = 1000;
const MOST_BLOCK_MS = 50;

/** What is promised of looking at sessions and locks. */
export function judgePostgres({
  queues,
  triageServerMs,
  sweepBesideQueue,
  longestBlock,
}: PostgresBench): readonly Goal[] {
  const { forest, join } = queues.table;
  return [
    {
      says: `lock forest at 400 waiters end to end under ${MOST_FOREST_MS} ms: ${forest.median.toFixed(1)} ms`,
      isMet: forest.median < MOST_FOREST_MS,
    },
    {
      says: `and no slower than a join over pg_locks: ${timesFaster(forest, join).toFixed(1)} times as fast`,
      isMet: timesFaster(forest, join) >= 1,
    },
    {
      says: `triage at most ${MOST_TRIAGE_MS} ms of server time at 80 sessions: ${triageServerMs.median.toFixed(1)} ms`,
      isMet: triageServerMs.median <= MOST_TRIAGE_MS,
    },
    {
      says: `all checks under ${MOST_SWEEP_MS} ms while 400 sessions wait: ${sweepBesideQueue.median.toFixed(0)} ms`,
      isMet: sweepBesideQueue.median < MOST_SWEEP_MS,
    },
    {
      says: `no check keeps the event loop for ${MOST_BLOCK_MS} ms: ${longestBlock.ms.toFixed(1)} ms of processor time (${longestBlock.check})`,
      isMet: longestBlock.ms < MOST_BLOCK_MS,
    },
  ];
}
