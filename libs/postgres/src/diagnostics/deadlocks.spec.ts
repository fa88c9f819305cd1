import { describe, expect, it } from '@jest/globals';
import type { Severity } from '@starr/kernel';
import { activityPair } from '../test/activity-pair.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { deadlocks } from './deadlocks.ts';

const judge = (...pair: Parameters<typeof activityPair>) =>
  deadlocks.judge({ activity: activityPair(...pair) }, limitsOf(deadlocks), lookOf());

describe('db.deadlocks', () => {
  it.each<[number, Severity | undefined]>([
    [0, undefined],
    [4, undefined],
    [5, 'warning'],
    [59, 'warning'],
    [60, 'critical'],
  ])('%i a minute', (count, severity) => {
    expect(judge({ deadlocks: count }).findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('counts by the minute, and from a reset on', () => {
    expect(judge({ deadlocks: 5 }, 120_000).findings).toEqual([]);
    expect(judge({ deadlocks: -993 }, 60_000, { deadlocks: 1000 }).findings).toMatchObject([
      {
        about: { kind: 'database', name: 'shop', scope: 'orders' },
        says: '7 transactions of the database shop were ended since they waited for each other, 7.0 a minute',
      },
    ]);
  });

  it('without an earlier sample is partly blind, and measures zero only of what it saw', () => {
    const verdict = judge({ deadlocks: 100 }, 4999);
    expect(verdict).toMatchObject({ findings: [], blind: [{ why: 'no-history' }] });
    expect(judge({ deadlocks: 100 }, 5000).findings).toHaveLength(1);
  });
});
