import { describe, expect, it } from '@jest/globals';
import type { Severity } from '@starr/kernel';
import { activityPair } from '../test/activity-pair.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { tempFiles } from './temp-files.ts';

const GB = 1024 ** 3;
const judge = (...pair: Parameters<typeof activityPair>) =>
  tempFiles.judge({ activity: activityPair(...pair) }, limitsOf(tempFiles), lookOf());

describe('db.temp-files', () => {
  it.each<[number, Severity | undefined]>([
    [0, undefined],
    [GB - 1, undefined],
    [GB, 'warning'],
    [10 * GB - 1, 'warning'],
    [10 * GB, 'critical'],
  ])('%i bytes a minute', (bytes, severity) => {
    expect(
      judge({ tempBytes: bytes, tempFiles: 3 }).findings?.map((each) => each.severity),
    ).toEqual(severity === undefined ? [] : [severity]);
  });

  it('says how much goes to how many files', () => {
    expect(judge({ tempBytes: 2 * GB, tempFiles: 7 }).findings?.[0]?.says).toBe(
      'statements of the database shop write 2.0 GB a minute to 7 temporary files: they do not fit into work_mem',
    );
  });

  it('without an earlier sample is partly blind', () => {
    expect(judge({ tempBytes: 100 * GB }, 4999)).toMatchObject({
      findings: [],
      blind: [{ why: 'no-history' }],
    });
  });
});
