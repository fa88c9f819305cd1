import { describe, expect, it } from '@jest/globals';
import { spreadOf } from '../statistics.ts';
import type { PostgresBench } from './bench-postgres.ts';
import { judgePostgres } from './judge-postgres.ts';
import { reportPostgres } from './report-postgres.ts';

const bench = (
  forest: number,
  join: number,
  triage: number,
  sweep: number,
  block = 49.9,
): PostgresBench => {
  const queue = {
    forest: spreadOf([forest]),
    join: spreadOf([join]),
    recursive: spreadOf([2000]),
  };
  return {
    queues: { table: queue, row: queue },
    triageServerMs: spreadOf([triage]),
    sweepBesideQueue: spreadOf([sweep]),
    longestBlock: { check: 'postgres.lock-waits', ms: block },
  };
};

describe('the goals of looking at sessions and locks', () => {
  it.each([
    [bench(49.9, 50, 15, 999), [true, true, true, true, true]],
    [bench(50, 50, 15, 999), [false, true, true, true, true]],
    [bench(40, 39, 15, 999), [true, false, true, true, true]],
    [bench(40, 50, 15.1, 999), [true, true, false, true, true]],
    [bench(40, 50, 15, 1000), [true, true, true, false, true]],
    [bench(40, 50, 15, 999, 50), [true, true, true, true, false]],
  ])('%#', (given, met) => {
    expect(judgePostgres(given).map(({ isMet }) => isMet)).toEqual(met);
  });

  it('are printed beside the figures, and a rival that was ended is called so', () => {
    const text = reportPostgres(bench(20, 40, 10, 500));
    expect(text).toContain('20.0 ms (20.0–20.0)');
    expect(text).toContain('the forest is 2.0 times as fast');
    expect(text).toContain('ended by its timeout; the forest is 100.0 times as fast');
    expect(text).toContain('met     triage at most 15 ms');
  });
});
