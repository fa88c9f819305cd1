import { describe, expect, it } from '@jest/globals';
import { measureBackground, measureFootprint, netCounts } from './footprint.ts';

const nothing = { ofReading: {}, aMs: {} };

describe('what one run asked for', () => {
  it('is the difference, a run', () => {
    const counts = { before: { statements: 10 }, after: { statements: 40, lists: 6 } };
    expect(netCounts({ ...counts, background: nothing, elapsedMs: 100, runs: 3 })).toEqual({
      statements: 10,
      lists: 2,
    });
  });

  it('is without what happens anyway', () => {
    const background = { ofReading: { statements: 1 }, aMs: { statements: 0.05 } };
    const counts = { before: { statements: 0 }, after: { statements: 26 } };
    expect(netCounts({ ...counts, background, elapsedMs: 100, runs: 2 })).toEqual({
      statements: 10,
    });
  });

  it.each([
    [0.24, {}],
    [0.25, { statements: 0.25 }],
    [-3, {}],
  ])('of %d is shown as %j', (statements, shown) => {
    const counts = { before: { statements: 0 }, after: { statements } };
    expect(netCounts({ ...counts, background: nothing, elapsedMs: 1, runs: 1 })).toEqual(shown);
  });
});

describe('a measurement', () => {
  it('does not count its own readings', async () => {
    let asked = 0;
    const read = () => Promise.resolve({ statements: (asked += 1) });
    const background = await measureBackground(read, 5);
    expect(background.ofReading).toEqual({ statements: 1 });
    const run = () => Promise.resolve((asked += 4));
    expect(await measureFootprint(read, background, 5, run)).toEqual({ statements: 4 });
  });
});
