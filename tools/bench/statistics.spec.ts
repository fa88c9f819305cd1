import { describe, expect, it } from '@jest/globals';
import { rotated, spreadOf, timesFaster } from './statistics.ts';

describe('the spread of samples', () => {
  it.each([
    [[5], { runs: 1, median: 5, min: 5, max: 5 }],
    [[9, 1, 4], { runs: 3, median: 4, min: 1, max: 9 }],
    [[9, 1, 4, 6], { runs: 4, median: 5, min: 1, max: 9 }],
    [[100, 9, 10], { runs: 3, median: 10, min: 9, max: 100 }],
  ])('of %j is its median, least and greatest', (samples, spread) => {
    expect(spreadOf(samples)).toEqual(spread);
  });

  it('needs a sample', () => {
    expect(() => spreadOf([])).toThrow('no samples');
  });

  it('leaves its samples as they are', () => {
    const samples = [3, 1, 2];
    spreadOf(samples);
    expect(samples).toEqual([3, 1, 2]);
  });
});

describe('a ratio', () => {
  it('is above 1 when the subject takes less', () => {
    expect(timesFaster(spreadOf([200]), spreadOf([1000]))).toBe(5);
    expect(timesFaster(spreadOf([200]), spreadOf([100]))).toBe(0.5);
  });
});

describe('the order of a round', () => {
  it('gives every entry every place equally often', () => {
    const rounds = [0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round));
    expect(rounds.map((order) => order.join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
  });

  it('of nothing is nothing', () => {
    expect(rotated([], 3)).toEqual([]);
  });
});
