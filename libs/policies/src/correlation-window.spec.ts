import { describe, expect, it } from '@jest/globals';
import { CorrelationWindow } from './correlation-window.ts';

const of = (size: number, pairs: readonly (readonly [number, number])[]) => {
  const window = new CorrelationWindow(size);
  for (const [x, y] of pairs) window.add(x, y);
  return window;
};

describe('a correlation of two values', () => {
  it.each([
    [
      'grow together',
      [
        [1, 10],
        [2, 20],
        [3, 30],
      ],
      1,
    ],
    [
      'grow apart',
      [
        [1, 30],
        [2, 20],
        [3, 10],
      ],
      -1,
    ],
    [
      'have nothing to do with each other',
      [
        [1, 10],
        [2, 20],
        [3, 10],
      ],
      0,
    ],
  ] as const)('that %s is seen', (_says, pairs, correlation) => {
    expect(of(10, pairs).read().correlation).toBeCloseTo(correlation, 9);
  });

  it('is none while one of them moves by less than a twentieth, and is from there on', () => {
    const steady = (spread: number) =>
      of(10, [
        [1, 100 - spread],
        [2, 100 + spread],
      ]).read().correlation;
    expect(steady(4.99)).toBe(0);
    expect(steady(5.01)).toBeCloseTo(1, 9);
  });

  it('forgets what is older than its size', () => {
    const window = of(3, [
      [100, 0],
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
    expect(window.count).toBe(3);
    expect(window.read().correlation).toBeCloseTo(1, 9);
  });

  it('of nothing, or after it was cleared, is none', () => {
    const window = of(3, [
      [1, 10],
      [2, 20],
    ]);
    window.clear();
    expect(window.read()).toEqual({ correlation: 0, yVariation: 0 });
  });
});
