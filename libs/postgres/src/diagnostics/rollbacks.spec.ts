import { describe, expect, it } from '@jest/globals';
import type { Severity } from '@starr/kernel';
import { activityPair } from '../test/activity-pair.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { rollbacks } from './rollbacks.ts';

const judge = (...pair: Parameters<typeof activityPair>) =>
  rollbacks.judge({ activity: activityPair(...pair) }, limitsOf(rollbacks), lookOf());

describe('db.rollbacks', () => {
  it.each<[number, number, Severity | undefined]>([
    [0, 0, undefined],
    [1000, 0, undefined],
    [901, 99, undefined],
    [900, 100, 'warning'],
    [501, 499, 'warning'],
    [500, 500, 'critical'],
    [0, 99, undefined],
    [0, 100, 'critical'],
  ])('%i committed, %i rolled back', (commits, failed, severity) => {
    const { findings } = judge({ commits, rollbacks: failed });
    expect(findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('says how many of how many, and measures also when healthy', () => {
    expect(judge({ commits: 300, rollbacks: 100 }).findings?.[0]?.says).toBe(
      '25 % of 400 transactions of the database shop were rolled back',
    );
    expect(judge({ commits: 600 }).measured.map(({ name, value }) => [name, value])).toEqual([
      ['rollbackRatio', 0],
      ['transactionsPerMinute', 600],
    ]);
  });

  it('without an earlier sample is partly blind', () => {
    expect(judge({ rollbacks: 1000 }, 4999)).toMatchObject({
      findings: [],
      blind: [{ why: 'no-history' }],
    });
  });
});
