import { describe, expect, it } from '@jest/globals';
import { infoAt } from '../test/info-at.ts';
import { infoWindow, perMinute } from './info-window.ts';

describe('infoWindow', () => {
  it('is what the counters did between the two samples', () => {
    const before = infoAt({ hits: 100, misses: 10, evictedKeys: 1, oomErrors: 0, usedBytes: 500 });
    const after = infoAt({ hits: 160, misses: 15, evictedKeys: 1, oomErrors: 2, usedBytes: 400 });
    expect(infoWindow({ before, after, elapsedMs: 60_000 })).toEqual({
      state: 'seen',
      elapsedMs: 60_000,
      hits: 60,
      misses: 5,
      evictedKeys: 0,
      expiredKeys: 0,
      oomErrors: 2,
      grownBytes: -100,
    });
  });

  it('leaves out what the server does not count', () => {
    const info = infoAt({ oomErrors: undefined });
    expect(infoWindow({ before: info, after: info, elapsedMs: 1000 })).not.toHaveProperty(
      'oomErrors',
    );
  });

  it.each([
    ['another run', { runId: 'other' }, /restarted/],
    ['a lower uptime', { uptimeMs: 1000 }, /restarted/],
    ['a lower hit counter', { hits: 99 }, /reset/],
    ['a lower miss counter', { misses: 9 }, /reset/],
    ['a lower eviction counter', { evictedKeys: 0 }, /reset/],
  ])('is discarded after %s', (_, change, because) => {
    const base = { hits: 100, misses: 10, evictedKeys: 1 };
    const window = infoWindow({
      before: infoAt(base),
      after: infoAt({ ...base, ...change }),
      elapsedMs: 1000,
    });
    expect(window).toEqual({ state: 'none', because: expect.stringMatching(because) as unknown });
  });

  it('needs two moments', () => {
    const info = infoAt({});
    expect(infoWindow({ before: info, after: info, elapsedMs: 0 }).state).toBe('none');
  });
});

describe('perMinute', () => {
  it('scales a count to a minute', () => {
    expect(perMinute(5, 30_000)).toBe(10);
  });
});
