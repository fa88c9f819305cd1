import { describe, expect, it } from '@jest/globals';
import { createRandom } from './random.ts';
import { type Met, windowOf } from './traffic-window.ts';

const at = new Date('2026-01-01T00:00:00Z');
const ok = (tookMs: number): Met => ({ kind: 'ok', tookMs });
const failed = (reason: string): Met => ({ kind: 'failed', tookMs: 1000, reason });

describe('a window of traffic', () => {
  it('has no ratio and no time when nobody came', () => {
    expect(windowOf([], at, 1000)).toEqual({
      startedAt: '2026-01-01T00:00:00.000Z',
      windowMs: 1000,
      ok: 0,
      failed: 0,
      reasons: {},
    });
  });

  it('counts each reason', () => {
    const window = windowOf(
      [ok(1), failed('timeout'), failed('503 orders'), failed('timeout')],
      at,
      1,
    );
    expect(window).toMatchObject({
      ok: 1,
      failed: 3,
      successRatio: 0.25,
      reasons: { timeout: 2, '503 orders': 1 },
    });
  });

  it.each([
    [1, 1],
    [19, 19],
    [20, 19],
    [21, 20],
    [100, 95],
  ])('of %i requests that took 1, 2, 3 … ms has a p95 of %i ms', (count, p95Ms) => {
    const met = Array.from({ length: count }, (_, index) => ok(count - index));
    expect(windowOf(met, at, 1000).p95Ms).toBe(p95Ms);
  });
});

describe('the users’ dice', () => {
  it('falls the same for the same seed, differently for another, always from 0 up to 1', () => {
    const throws = (seed: number) => Array.from({ length: 1000 }, createRandom(seed));
    expect(throws(7)).toEqual(throws(7));
    expect(throws(7)).not.toEqual(throws(8));
    expect(Math.min(...throws(7))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...throws(7))).toBeLessThan(1);
    expect(throws(7).reduce((sum, each) => sum + each, 0) / 1000).toBeCloseTo(0.5, 1);
  });
});
