import { describe, expect, it } from '@jest/globals';
import { onsetOf } from './onset.ts';

const LIMIT = 0.05;
/** `.` went well, `x` failed, one a second. */
const outcomes = (text: string) =>
  Array.from(text, (one, index) => ({ atMs: index * 1000, isBad: one === 'x' }));
const well = (count: number): string => '.'.repeat(count);

describe('onsetOf', () => {
  it.each([
    ['all fail from one moment on', well(30) + 'x'.repeat(10), 30],
    ['every fourth fails from one moment on', well(30) + 'x...'.repeat(6), 30],
    [
      'a stray failure long before is not the onset',
      `${well(10)}x${well(40)}${'x.'.repeat(10)}`,
      51,
    ],
    ['nothing fails', well(40), undefined],
    ['it was always so', 'x.'.repeat(30), undefined],
    ['too little is seen before it', well(9) + 'x'.repeat(20), undefined],
    ['just enough is seen before it', well(10) + 'x'.repeat(20), 10],
    ['as rare after as before', `${well(20)}x${well(20)}x${well(20)}`, undefined],
    ['no outcomes', '', undefined],
  ])('%s', (_, text, second) => {
    expect(onsetOf(outcomes(text), LIMIT)).toBe(second === undefined ? undefined : second * 1000);
  });

  it('does not care for the order in which outcomes come', () => {
    const all = outcomes(well(30) + 'x'.repeat(10));
    expect(onsetOf(all.toReversed(), LIMIT)).toBe(30_000);
  });
});
