import { describe, expect, it } from '@jest/globals';
import { bestStep } from './change-point.ts';

const MINUTE = 60_000;
/** Half an hour of one log. */
const HALF_HOUR = [{ from: 0, to: 30 * MINUTE }];

/** One a period from a moment on, with a small, fixed unevenness. */
const every = (periodMs: number, from: number, to: number): number[] =>
  Array.from(
    { length: Math.floor((to - from) / periodMs) },
    (_, n) => from + n * periodMs + ((n * 37) % 100) * (periodMs / 300),
  );

describe('the step in a rate', () => {
  it('is none without moments or without time', () => {
    expect(bestStep([], HALF_HOUR)).toBeUndefined();
    expect(bestStep([1], [])).toBeUndefined();
    expect(bestStep([1], [{ from: 5, to: 5 }])).toBeUndefined();
  });

  it('is where something new began', () => {
    const step = bestStep(every(1000, 20 * MINUTE, 30 * MINUTE), HALF_HOUR);
    expect(step).toMatchObject({ onset: 20 * MINUTE, before: 0, rateBefore: 0 });
    expect(step?.rateAfter).toBeCloseTo(60, 0);
    expect(step?.evidence).toBeGreaterThan(100);
  });

  it('is where an old rate rose', () => {
    const step = bestStep(
      [...every(10_000, 0, 30 * MINUTE), ...every(1000, 25 * MINUTE, 30 * MINUTE)],
      HALF_HOUR,
    );
    expect(step?.onset).toBeGreaterThanOrEqual(24.5 * MINUTE);
    expect(step?.onset).toBeLessThanOrEqual(25.5 * MINUTE);
    expect((step?.rateAfter ?? 0) / (step?.rateBefore ?? 1)).toBeGreaterThan(5);
  });

  it.each<[string, number[]]>([
    ['a steady rate', every(2000, 0, 30 * MINUTE)],
    ['a steady rate that began with the log', every(2000, 500, 30 * MINUTE)],
    [
      'clumps that come every five minutes',
      [2, 7, 12, 17, 22, 27].flatMap((m) => every(50, m * MINUTE, m * MINUTE + 1000)),
    ],
    ['what ended', every(1000, 0, 10 * MINUTE)],
    ['single lines far apart', [3, 11, 19, 28].map((m) => m * MINUTE)],
  ])('has no evidence in %s', (_what, moments) => {
    expect(bestStep(moments, HALF_HOUR)?.evidence ?? 0).toBeLessThan(8);
  });

  it('is not made by a container that came later', () => {
    const exposures = [
      { from: 0, to: 30 * MINUTE },
      { from: 20 * MINUTE, to: 30 * MINUTE },
      { from: 20 * MINUTE, to: 30 * MINUTE },
    ];
    const moments = [...every(6000, 0, 30 * MINUTE), ...every(3000, 20 * MINUTE, 30 * MINUTE)];
    expect(bestStep(moments, exposures)?.evidence ?? 0).toBeLessThan(8);
    expect(bestStep(moments, HALF_HOUR)?.evidence).toBeGreaterThan(8);
  });

  it('leaves out the time that no log covers', () => {
    const exposures = [
      { from: 0, to: 5 * MINUTE },
      { from: 25 * MINUTE, to: 30 * MINUTE },
    ];
    const moments = [...every(3000, 0, 5 * MINUTE), ...every(3000, 25 * MINUTE, 30 * MINUTE)];
    expect(bestStep(moments, exposures)?.evidence ?? 0).toBeLessThan(8);
  });
});
