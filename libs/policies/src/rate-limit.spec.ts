import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { RateLimit, type RateLimitOptions } from './rate-limit.ts';
import { RateLimitedError } from './rate-limited-error.ts';
import { createFakeClock } from './test/fake-clock.ts';

function setUp(options: Partial<RateLimitOptions> = {}) {
  const clock = createFakeClock();
  const limit = new RateLimit('api', { permits: 10, clock, ...options });
  const take = (calls: number, key?: string) =>
    Array.from({ length: calls }, () => limit.tryAcquire(key)).filter(Boolean).length;
  return { clock, limit, take };
}

describe('a rate limit', () => {
  it('gives its burst at once and then one permit each period of one, not a moment sooner', () => {
    const { clock, take } = setUp({ permits: 10, burst: 3 });
    expect(take(5)).toBe(3);
    clock.advance(99.9);
    expect(take(1)).toBe(0);
    clock.advance(0.1);
    expect(take(2)).toBe(1);
    clock.advance(10_000);
    expect(take(5)).toBe(3);
  });

  it('says when there will be a permit, and there is one then and not before', () => {
    const { clock, limit, take } = setUp({ permits: 3, burst: 1 });
    expect(limit.retryAfterMs()).toBe(0);
    take(1);
    const retryAfterMs = limit.retryAfterMs();
    expect(retryAfterMs).toBeCloseTo(1000 / 3, 9);
    clock.advance(retryAfterMs - 0.01);
    expect(take(1)).toBe(0);
    clock.advance(0.01);
    expect(limit.retryAfterMs()).toBe(0);
    expect(take(1)).toBe(1);
  });

  it('says 0 while there are permits, and counts a slow-down in', () => {
    const { limit, take } = setUp({ permits: 10, burst: 5 });
    expect(limit.retryAfterMs()).toBe(0);
    take(5);
    limit.slowDown('a', 0.5);
    expect(limit.retryAfterMs()).toBeCloseTo(200, 9);
  });

  it('counts each key apart', () => {
    const { limit, take } = setUp({ permits: 2 });
    expect(take(3, 'ada')).toBe(2);
    expect(take(3, 'ben')).toBe(2);
    expect(take(3)).toBe(2);
    expect(limit.snapshot()).toMatchObject({
      kind: 'rate-limit',
      keys: 3,
      allowed: 6,
      rejected: 3,
      available: 0,
    });
  });

  it('takes several permits together or none of them, and never more than the burst', () => {
    const { limit } = setUp({ permits: 10, burst: 5 });
    expect(limit.tryAcquire('', 4)).toBe(true);
    expect(limit.tryAcquire('', 2)).toBe(false);
    expect(limit.tryAcquire('', 1)).toBe(true);
    expect(() => limit.tryAcquire('', 6)).toThrow('permits is 6');
    expect(() => limit.tryAcquire('', 0)).toThrow('invalid-option');
    expect(() => limit.reserve(1000, '', 6)).toThrow('permits is 6');
  });

  it('runs with a permit, and rejects without running and with the time to wait', async () => {
    const { limit } = setUp({ permits: 1, periodMs: 60_000 });
    const act = jest.fn(() => 'done');
    await expect(limit.run(act)).resolves.toBe('done');
    expect(limit.tryAcquire()).toBe(false);
    const refused: unknown = await limit.run(act).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RateLimitedError);
    expect(refused).toMatchObject({ code: 'rate-limited', policy: 'api', retryAfterMs: 60_000 });
    expect(act).toHaveBeenCalledTimes(1);
  });

  it('reserves in advance and says how long to wait, up to the longest wait', () => {
    const { clock, limit } = setUp({ permits: 10, burst: 1 });
    clock.advance(12_345);
    expect(limit.reserve(200)).toBe(0);
    expect(limit.reserve(200)).toBeCloseTo(100, 9);
    expect(limit.reserve(200)).toBeCloseTo(200, 9);
    expect(limit.reserve(299)).toBeUndefined();
    expect(limit.reserve(300.1)).toBeCloseTo(300, 9);
    expect(limit.snapshot()).toMatchObject({ allowed: 4, rejected: 1, available: 0 });
    clock.advance(300);
    expect(limit.tryAcquire()).toBe(false);
    clock.advance(100);
    expect(limit.tryAcquire()).toBe(true);
  });

  it('changes its rate at once and gives back nothing that a key has used', () => {
    const { clock, limit, take } = setUp({ permits: 10, burst: 10 });
    take(10, 'ada');
    take(4, 'ben');
    expect(limit.retune({ permits: 1000 })).toMatchObject({
      kind: 'applied',
      before: { permits: 10 },
      after: { permits: 1000, burst: 10 },
    });
    expect(take(10, 'ada')).toBe(0);
    expect(take(10, 'ben')).toBe(6);
    clock.advance(1);
    expect(take(10, 'ada')).toBe(1);
  });

  it('with a smaller burst is in debt and gives again when that is paid', () => {
    const { clock, limit, take } = setUp({ permits: 10, burst: 10 });
    take(10);
    limit.retune({ burst: 4 });
    expect(limit.snapshot().available).toBe(0);
    clock.advance(699);
    expect(take(1)).toBe(0);
    clock.advance(1);
    expect(take(2)).toBe(1);
  });

  it('is slowed down at once to the lowest share that anybody holds, and let go of again', () => {
    const { clock, limit, take } = setUp({ permits: 10, burst: 1 });
    take(1);
    limit.slowDown('backpressure:jobs', 0.5);
    limit.slowDown('interlock:x', 0.1);
    clock.advance(999);
    expect(take(1)).toBe(0);
    clock.advance(1);
    expect(take(1)).toBe(1);
    expect(limit.release('interlock:x')).toBe(true);
    expect(limit.release('interlock:x')).toBe(false);
    clock.advance(199);
    expect(take(1)).toBe(0);
    clock.advance(1);
    expect(take(1)).toBe(1);
    expect(limit.snapshot()).toMatchObject({
      share: 0.5,
      slowedBy: [{ by: 'backpressure:jobs', share: 0.5 }],
    });
  });

  it('lets a slow-down end at its own moment, however late it is asked', () => {
    const { clock, limit, take } = setUp({ permits: 10, burst: 100 });
    take(100);
    limit.slowDown('a', 0.1, 1000);
    limit.slowDown('b', 0.5, 2000);
    expect(limit.snapshot().slowedBy[0]).toEqual({ by: 'a', share: 0.1, endsInMs: 1000 });
    clock.advance(3000);
    // 1 + 5 + 10
    expect(take(100)).toBe(16);
    expect(limit.snapshot()).toMatchObject({ share: 1, slowedBy: [] });
  });

  it('counts a slow-down that has ended for ended, whatever is done to it next', () => {
    const retuned = setUp({ permits: 10, burst: 100 });
    retuned.take(100);
    retuned.limit.slowDown('a', 0.1, 1000);
    retuned.clock.advance(3000);
    retuned.limit.retune({ permits: 1 });
    expect(retuned.take(100)).toBe(21);
    const released = setUp({ permits: 10, burst: 100 });
    released.take(100);
    released.limit.slowDown('a', 0.1, 1000);
    released.clock.advance(3000);
    expect(released.limit.release('a')).toBe(false);
    expect(released.take(100)).toBe(21);
  });

  it('refuses to be slowed down for no time', () => {
    const { limit } = setUp();
    expect(() => {
      limit.slowDown('a', 0.5, 0);
    }).toThrow('forMs');
  });

  it('shows what is free now, whatever the time', () => {
    const { clock, limit, take } = setUp({ permits: 10, burst: 10 });
    clock.advance(54_321);
    take(4);
    expect(limit.snapshot().available).toBe(6);
    clock.advance(150);
    expect(limit.snapshot().available).toBe(7);
  });

  it('forgets keys at rest before one that is not, however long ago that came', () => {
    const { clock, limit, take } = setUp({ permits: 1, periodMs: 1, burst: 10, maxKeys: 3 });
    take(10, 'busy');
    take(1, 'a');
    take(1, 'b');
    clock.advance(1);
    take(1, 'c');
    expect(limit.snapshot()).toMatchObject({ keys: 2, keysForgotten: 0 });
    expect(take(10, 'busy')).toBe(1);
  });

  it('forgets nobody for a key that it knows, and does not count one at rest as forgotten', () => {
    const { clock, limit, take } = setUp({ permits: 1, periodMs: 1, burst: 2, maxKeys: 2 });
    take(1, 'a');
    take(1, 'b');
    take(1, 'b');
    expect(limit.snapshot()).toMatchObject({ keys: 2, keysForgotten: 0 });
    clock.advance(10);
    limit.retune({ maxKeys: 1 });
    expect(limit.snapshot()).toMatchObject({ keys: 0, keysForgotten: 0 });
  });

  it('forgets keys at rest while new ones come, and without new ones when somebody looks', () => {
    const { clock, limit, take } = setUp({ permits: 1, periodMs: 1, burst: 1 });
    for (let key = 0; key < 100; key++) {
      take(1, `visitor ${key}`);
      clock.advance(1);
    }
    expect(limit.snapshot()).toMatchObject({ keys: 0, keysForgotten: 0 });
  });

  it('holds at most maxKeys: the one unused longest goes, and that is told', () => {
    const { limit, take } = setUp({ permits: 1, burst: 1, maxKeys: 3 });
    for (const key of ['a', 'b', 'c', 'd', 'e']) take(1, key);
    expect(limit.snapshot()).toMatchObject({ keys: 3, keysForgotten: 2 });
    expect(take(1, 'e')).toBe(0);
    limit.retune({ maxKeys: 1 });
    expect(limit.snapshot()).toMatchObject({ keys: 1, keysForgotten: 4 });
  });

  it.each<[string, Partial<RateLimitOptions>]>([
    ['permits', { permits: 0 }],
    ['permits', { permits: Number.NaN }],
    ['periodMs', { periodMs: -1 }],
    ['burst', { burst: 0.5 }],
    ['maxKeys', { maxKeys: 0 }],
  ])('refuses a wrong %s, in a retune without changing anything', (option, options) => {
    expect(() => setUp(options)).toThrow(option);
    const { limit } = setUp();
    const before = limit.settings;
    const { clock: _clock, ...change } = options;
    expect(limit.retune(change)).toMatchObject({ kind: 'refused', now: before });
    expect(limit.settings).toBe(before);
  });

  it.each([0, 1.01, Number.NaN])('refuses to be slowed down to a share of %d', (share) => {
    const { limit } = setUp();
    expect(() => {
      limit.slowDown('a', share);
    }).toThrow('share');
    expect(limit.snapshot().slowedBy).toEqual([]);
  });
});

describe('a rate limit, whatever happens', () => {
  /** A bucket of tokens that is filled a little each millisecond: the plain meaning of the limit. */
  class Bucket {
    tokens: number;
    rate = 10;
    share = 1;
    burst: number;
    constructor(burst: number) {
      this.burst = burst;
      this.tokens = burst;
    }
    pass(ms: number) {
      this.tokens = Math.min(this.burst, this.tokens + (ms * this.rate * this.share) / 1000);
    }
    take(permits: number): boolean {
      if (this.tokens + 1e-6 < permits) return false;
      this.tokens -= permits;
      return true;
    }
  }

  const step = fc.oneof(
    fc.record({ what: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 2000 }) }),
    fc.record({ what: fc.constant('take' as const), permits: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ what: fc.constant('rate' as const), permits: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ what: fc.constant('share' as const), share: fc.constantFrom(0.25, 0.5, 1) }),
  );

  it('gives what a bucket of tokens would give, through every change of rate and share', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const { clock, limit } = setUp({ permits: 10, burst: 8 });
        const bucket = new Bucket(8);
        for (const did of steps) {
          if (did.what === 'pass') {
            clock.advance(did.ms);
            bucket.pass(did.ms);
          } else if (did.what === 'take') {
            expect(limit.tryAcquire('', did.permits)).toBe(bucket.take(did.permits));
          } else if (did.what === 'rate') {
            limit.retune({ permits: did.permits });
            bucket.rate = did.permits;
          } else {
            limit.slowDown('test', did.share);
            bucket.share = did.share;
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('in no span of time gives more than the burst and what the span brings', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 }),
        (gapsMs) => {
          const { clock, limit } = setUp({ permits: 10, burst: 3 });
          const givenAtMs: number[] = [];
          for (const gapMs of gapsMs) {
            clock.advance(gapMs);
            if (limit.tryAcquire()) givenAtMs.push(clock.nowMs());
          }
          givenAtMs.forEach((fromMs, first) => {
            givenAtMs.slice(first).forEach((toMs, more) => {
              expect(more + 1).toBeLessThanOrEqual(3 + (toMs - fromMs) / 100 + 1e-6);
            });
          });
        },
      ),
      { numRuns: 50 },
    );
  });
});
