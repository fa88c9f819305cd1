import { describe, expect, it } from '@jest/globals';
import { judgeGoals } from './goals.ts';
import { spreadOf } from './statistics.ts';

describe('the goals', () => {
  it.each([
    [200, 1000, 200, [true, true, true]],
    [200, 999, 200, [false, true, true]],
    [200, 1000, 199, [true, false, true]],
    [1000, 5000, 1000, [true, true, false]],
    [999, 5000, 1000, [true, true, true]],
  ])('of %d ms beside %d ms in sequence and %d ms at once', (own, inSequence, allAtOnce, met) => {
    const goals = judgeGoals({
      process: spreadOf([own]),
      client: spreadOf([1]),
      inSequence: spreadOf([inSequence]),
      allAtOnce: spreadOf([allAtOnce]),
    });
    expect(goals.map(({ isMet }) => isMet)).toEqual(met);
  });

  it('are judged by the process, not by the client that is connected already', () => {
    const [first] = judgeGoals({
      process: spreadOf([400]),
      client: spreadOf([100]),
      inSequence: spreadOf([1000]),
      allAtOnce: spreadOf([500]),
    });
    expect(first).toEqual({
      says: 'at least 5 times faster than the guide in sequence: 2.50',
      isMet: false,
    });
  });
});
