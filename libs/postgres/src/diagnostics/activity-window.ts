import { blindSpot, type BlindSpot, type Pair } from '@starr/kernel';
import type { DatabaseActivity, DatabaseCounters } from '../reads/database-activity.ts';

/** Two samples closer than this tell nothing of a rate: one event in it would be hundreds an hour. */
export const ACTIVITY_WINDOW = {
  windowMs: {
    value: 5000,
    unit: 'ms',
    says: 'two samples closer than this tell nothing of a rate',
    source: 'Starr: one event in a second is not sixty a minute',
  },
} as const;

type Counter = Exclude<keyof DatabaseCounters, 'database'>;

/** What a database did between two samples. */
export interface DatabaseDelta extends Readonly<Record<Counter, number>> {
  readonly database: string;
  readonly minutes: number;
}

/** Databases that are in both samples; counters that went down were reset, and count from there. */
export function activityDeltas({
  before,
  after,
  elapsedMs,
}: Pair<DatabaseActivity>): DatabaseDelta[] {
  return after.flatMap((now) => {
    const then = before.find(({ database }) => database === now.database);
    if (then === undefined) return [];
    const since = (counter: Counter) =>
      now[counter] >= then[counter] ? now[counter] - then[counter] : now[counter];
    return [
      {
        database: now.database,
        minutes: Math.max(elapsedMs, 1) / 60_000,
        commits: since('commits'),
        rollbacks: since('rollbacks'),
        deadlocks: since('deadlocks'),
        tempFiles: since('tempFiles'),
        tempBytes: since('tempBytes'),
      },
    ];
  });
}

/** Where the samples are too close, no rate is known. */
export function tooClose(elapsedMs: number, windowMs: number): BlindSpot[] {
  if (elapsedMs >= windowMs) return [];
  return [
    blindSpot(
      'no-history',
      'there is no earlier sample that tells a rate',
      'sweep again in a minute: the doctor keeps the first sample',
    ),
  ];
}
