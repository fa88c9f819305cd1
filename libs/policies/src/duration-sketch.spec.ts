import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DurationSketch } from './duration-sketch.ts';

describe('a sketch of durations', () => {
  it('tells each quantile within 4 % of the exact one, down to the microsecond', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.02, max: 100_000, noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (durations, quantile) => {
          const sketch = new DurationSketch();
          for (const duration of durations) sketch.record(duration);
          const exact = [...durations].sort((a, b) => a - b)[
            Math.ceil(durations.length * quantile) - 1
          ]!;
          expect(Math.abs(sketch.quantileMs(quantile) - exact)).toBeLessThanOrEqual(
            exact * 0.04 + 0.001,
          );
        },
      ),
    );
  });

  it.each([0, -1, 1e-9, 1e12])(
    'takes %d ms for what it is: one duration, never of length 0',
    (ms) => {
      const sketch = new DurationSketch();
      sketch.record(ms);
      expect(sketch.count).toBe(1);
      expect(sketch.quantileMs(0.9)).toBeGreaterThan(0);
    },
  );

  it('is empty again when it is cleared', () => {
    const sketch = new DurationSketch();
    sketch.record(10);
    sketch.clear();
    expect(sketch.count).toBe(0);
    expect(sketch.quantileMs(0.5)).toBe(0);
  });
});
