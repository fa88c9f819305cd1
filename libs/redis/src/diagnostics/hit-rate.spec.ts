import { describe, expect, it } from '@jest/globals';
import { statusOf, type Verdict } from '@starr/kernel';
import type { InfoChange } from '../test/info-at.ts';
import { limitsOf } from '../test/limits-of.ts';
import { LOOK, pairOf } from '../test/pair-of.ts';
import { cacheHitRate } from './hit-rate.ts';

const LIMITS = limitsOf(cacheHitRate.thresholds);

/** Counters since the start before the window, and what the window adds. */
function judge(window: InfoChange, rest: InfoChange = {}, elapsedMs = 60_000): Verdict {
  const before = { hits: 90_000, misses: 10_000, evictedKeys: 0, expiredKeys: 0, oomErrors: 0 };
  const after = Object.fromEntries(
    Object.entries(before).map(([name, count]) => [
      name,
      count + (window[name as keyof typeof before] ?? 0),
    ]),
  );
  return cacheHitRate.judge(
    { info: pairOf({ ...rest, ...after }, before, elapsedMs) },
    LIMITS,
    LOOK,
  );
}

function measured(verdict: Verdict, name: string): number | undefined {
  return verdict.measured.find((one) => one.name === name)?.value;
}

describe('cache.hit-rate', () => {
  it.each([
    [700, 300, 'healthy'],
    [699, 301, 'found'],
    [1000, 0, 'healthy'],
    [0, 1000, 'found'],
  ])('judges %d hits and %d misses in the window as %s', (hits, misses, status) => {
    expect(statusOf(judge({ hits, misses }))).toBe(status);
  });

  it('shows the window and the lifetime and judges the window', () => {
    const verdict = judge({ hits: 200, misses: 1800 });
    expect(measured(verdict, 'hitRatio')).toBe(0.1);
    expect(measured(verdict, 'lifetimeHitRatio')).toBeCloseTo(0.884);
    expect(verdict.findings?.[0]?.says).toMatch(
      /^hit rate 10 % in the last 60 s \(88 % since the start\), 1800 misses a minute: /,
    );
  });

  it('does not fire for a bad past', () => {
    const verdict = cacheHitRate.judge(
      {
        info: pairOf({ hits: 2000, misses: 90_000 }, { hits: 0, misses: 90_000 }),
      },
      LIMITS,
      LOOK,
    );
    expect(statusOf(verdict)).toBe('healthy');
    expect(measured(verdict, 'lifetimeHitRatio')).toBeLessThan(0.03);
  });

  it.each<[string, InfoChange, RegExp]>([
    ['evictions', { evictedKeys: 200 }, /200 keys were evicted under allkeys-lru, .*too small/],
    ['evictions before expirations', { evictedKeys: 100, expiredKeys: 900 }, /too small/],
    ['expirations', { evictedKeys: 99, expiredKeys: 100 }, /time to live is too short/],
    ['refused writes', { oomErrors: 3 }, /refused with OOM/],
    ['neither', { evictedKeys: 99, expiredKeys: 99 }, /neither evictions nor expirations/],
  ])('names %s as the reason', (_, window, says) => {
    const [found] = judge({ hits: 0, misses: 1000, ...window }).findings ?? [];
    expect(found?.says).toMatch(says);
  });

  it.each([
    [999, 60_000, 'healthy', 0],
    [999, 59_999, 'healthy', 1],
    [1000, 59_999, 'found', 0],
  ])('with %d missed lookups in %d ms is %s with %d blind spots', (misses, ms, status, blind) => {
    const verdict = judge({ hits: 0, misses }, {}, ms);
    expect(statusOf(verdict)).toBe(status);
    expect(verdict.blind ?? []).toHaveLength(blind);
    if (blind === 1) expect(verdict.blind?.[0]?.why).toBe('no-history');
  });

  it.each([
    [599_999, 'no-history'],
    [600_000, undefined],
  ])('after %d ms of life misses mean %s', (uptimeMs, why) => {
    const verdict = judge({ hits: 0, misses: 1000 }, { uptimeMs });
    expect(verdict.blind?.[0]?.why).toBe(why);
    expect(verdict.findings ?? []).toHaveLength(why === undefined ? 1 : 0);
  });

  it.each<[string, InfoChange]>([
    ['a restart', { runId: 'run-0', uptimeMs: 90_000_000 }],
    ['CONFIG RESETSTAT', { hits: 5000 }],
  ])('discards the window after %s', (_, before) => {
    const verdict = cacheHitRate.judge(
      { info: pairOf({ hits: 0, misses: 4000 }, { misses: 0, ...before }) },
      LIMITS,
      LOOK,
    );
    expect(verdict.findings).toBeUndefined();
    expect(verdict.blind).toMatchObject([{ why: 'no-history' }]);
    expect(measured(verdict, 'hitRatio')).toBeUndefined();
  });

  it.each<[InfoChange]>([[{ hits: undefined }], [{ misses: undefined }]])(
    'is blind when the provider leaves the counters out: %j',
    (info) => {
      const verdict = cacheHitRate.judge({ info: pairOf(info) }, LIMITS, LOOK);
      expect(statusOf(verdict)).toBe('blind');
      expect(verdict.blind).toMatchObject([{ why: 'redacted' }]);
    },
  );

  it('has nothing to say of a server that nobody asks, and is not blind for it', () => {
    const verdict = cacheHitRate.judge({ info: pairOf({}) }, LIMITS, LOOK);
    expect(statusOf(verdict)).toBe('healthy');
    expect(measured(verdict, 'lookups')).toBe(0);
    expect(measured(verdict, 'hitRatio')).toBeUndefined();
  });

  it('has measures for all that it measures, and only for these', () => {
    const all = judge({ hits: 0, misses: 1000 }).measured.map(({ name }) => name);
    expect(new Set(all)).toEqual(new Set(Object.keys(cacheHitRate.measures)));
  });
});
