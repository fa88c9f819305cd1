import { describe, expect, it } from '@jest/globals';
import { parseConcurrencySettings } from './adaptive-concurrency-options.ts';
import { GradientLimit, type LimitWindow } from './gradient-limit.ts';

function setUp(options: Parameters<typeof parseConcurrencySettings>[1] = {}) {
  const settings = parseConcurrencySettings('db', options);
  const limit = new GradientLimit(settings);
  const decide = (window: Partial<LimitWindow> = {}) =>
    limit.decide({ shortMs: 10, inFlight: 20, atLimit: false, ...window });
  return { settings, limit, decide };
}

describe('a limit by gradient', () => {
  it('grows by the headroom, smoothed, while durations are normal', () => {
    const { limit, decide } = setUp();
    expect(decide()).toBe('gradient');
    expect(limit.limit).toBeCloseTo(20 + 4 * 0.2, 9);
  });

  it.each([
    ['just within the tolerance: it grows', 15, 20.8],
    ['beyond the tolerance: it falls with the gradient', 30, 20 * 0.8 + (20 * 0.5 + 4) * 0.2],
    ['far beyond: the gradient is not below one half', 1000, 20 * 0.8 + (20 * 0.5 + 4) * 0.2],
  ])('takes durations %s', (_says, shortMs, expected) => {
    const { limit, decide } = setUp({ longWindow: 1_000_000 });
    // ten windows at the limit of growth teach what is normal and leave the limit where it is
    for (let window = 0; window < 10; window++) decide({ inFlight: 9, shortMs: 10 });
    expect(limit.limit).toBe(20);
    decide({ shortMs });
    expect(limit.limit).toBeCloseTo(expected, 2);
  });

  it('learns nothing about more from fewer calls than half of the limit', () => {
    const { limit, decide } = setUp();
    expect(decide({ inFlight: 9.99 })).toBe('app-limited');
    expect(limit.limit).toBe(20);
    expect(decide({ inFlight: 10 })).toBe('gradient');
    expect(limit.limit).toBeGreaterThan(20);
  });

  it('falls all the same when those few calls take much longer', () => {
    const { limit, decide } = setUp({ longWindow: 1_000_000 });
    for (let window = 0; window < 10; window++) decide({ inFlight: 9 });
    expect(decide({ inFlight: 9, shortMs: 100 })).toBe('gradient');
    expect(limit.limit).toBeLessThan(20);
  });

  it('is not above five times the calls in flight', () => {
    const { limit, decide } = setUp({ initialLimit: 100 });
    expect(decide({ inFlight: 20 })).toBe('app-limited');
    expect(decide({ inFlight: 19 })).toBe('in-flight-cap');
    expect(limit.limit).toBeCloseTo(100 * 0.8 + 95 * 0.2, 9);
  });

  it('does not grow past five times the calls in flight either', () => {
    const { limit, decide } = setUp({ initialLimit: 1, headroom: 40 });
    expect(decide({ inFlight: 1 })).toBe('in-flight-cap');
    expect(limit.limit).toBe(5);
  });

  it('falls by a fifth when more calls at the limit bring longer durations and no more throughput', () => {
    const { limit, decide } = setUp({ tolerance: 100 });
    const whys = Array.from({ length: 10 }, (_, window) =>
      // throughput stays at 2 calls a ms
      decide({ inFlight: 20 + window * 2, shortMs: 10 + window, atLimit: true }),
    );
    expect(whys.slice(0, 9)).toEqual(Array.from({ length: 9 }, () => 'gradient'));
    expect(whys[9]).toBe('overload');
    expect(limit.limit).toBeCloseTo((20 + 9 * 0.8) * 0.8, 9);
  });

  it('does not call it overload while the limit is not reached, or while throughput grows along', () => {
    const unreached = setUp({ tolerance: 100 });
    const growing = setUp({ tolerance: 100 });
    for (let window = 0; window < 20; window++) {
      const more = { inFlight: 20 + window * 2, shortMs: 10 + window };
      expect(unreached.decide({ ...more, atLimit: false })).toBe('gradient');
      expect(growing.decide({ inFlight: 20 + window * 2, atLimit: true })).toBe('gradient');
    }
  });

  it('stays within its bounds and says so', () => {
    const high = setUp({ initialLimit: 30, maxLimit: 30 });
    expect(high.decide({ inFlight: 30 })).toBe('bounds');
    expect(high.limit.limit).toBe(30);
    const low = setUp({ initialLimit: 10, minLimit: 10 });
    expect(low.decide({ inFlight: 1 })).toBe('bounds');
    expect(low.limit.limit).toBe(10);
  });

  it('forgets a bad time sooner than it learned it', () => {
    const { limit, decide } = setUp();
    for (let window = 0; window < 10; window++) decide({ shortMs: 100 });
    decide({ shortMs: 50 });
    const tolerable = limit.longMs!;
    decide({ shortMs: 40 });
    expect(limit.longMs!).toBeLessThan(tolerable * 0.96);
  });

  it('keeps what it learned over a retune, comes between new bounds, and forgets all on reset', () => {
    const { settings, limit, decide } = setUp();
    decide();
    limit.retune({ ...settings, maxLimit: 15, correlationWindow: 20 });
    expect(limit).toMatchObject({ limit: 15, longMs: 10 });
    limit.retune({ ...settings, minLimit: 18, initialLimit: 40 });
    expect(limit.limit).toBe(18);
    limit.reset();
    expect(limit).toMatchObject({ limit: 40, longMs: undefined });
  });
});
