import type { Pair } from '@starr/kernel';
import type { DatabaseActivity, DatabaseCounters } from '../reads/database-activity.ts';

const NOTHING: DatabaseCounters = {
  database: 'shop',
  commits: 0,
  rollbacks: 0,
  deadlocks: 0,
  tempFiles: 0,
  tempBytes: 0,
};

/** What one database did within a minute, on top of what it had done before. */
export function activityPair(
  delta: Partial<DatabaseCounters>,
  elapsedMs = 60_000,
  base: Partial<DatabaseCounters> = {},
): Pair<DatabaseActivity> {
  const before = { ...NOTHING, ...base };
  const sum = (counter: Exclude<keyof DatabaseCounters, 'database'>) =>
    before[counter] + (delta[counter] ?? 0);
  return {
    before: [before],
    after: [
      {
        database: before.database,
        commits: sum('commits'),
        rollbacks: sum('rollbacks'),
        deadlocks: sum('deadlocks'),
        tempFiles: sum('tempFiles'),
        tempBytes: sum('tempBytes'),
      },
      // Created since: there is nothing to compare it with.
      { ...NOTHING, database: 'young', deadlocks: 1e6, rollbacks: 1e6, tempBytes: 1e15 },
    ],
    elapsedMs,
  };
}
