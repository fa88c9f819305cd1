import { describe, expect, it } from '@jest/globals';
import { blindSpot, statusOf, type BlindSpot, type Verdict } from '@starr/kernel';
import type { RedisClients } from '../reads/clients.ts';
import type { InfoChange } from '../test/info-at.ts';
import { limitsOf } from '../test/limits-of.ts';
import { LOOK, NOW, pairOf } from '../test/pair-of.ts';
import { cacheMemory } from './memory.ts';

const LIMITS = limitsOf(cacheMemory.thresholds);
const MB = 1_000_000;

function judge(
  after: InfoChange,
  before: InfoChange = {},
  elapsedMs = 60_000,
  clients: readonly RedisClients[] | BlindSpot = [],
): Verdict {
  return cacheMemory.judge({ info: pairOf(after, before, elapsedMs), clients }, LIMITS, LOOK);
}

function measured(verdict: Verdict, name: string): number | undefined {
  return verdict.measured.find((one) => one.name === name)?.value;
}

describe('cache.memory', () => {
  it('is healthy, with its numbers, while there is room', () => {
    const verdict = judge({ usedBytes: 50 * MB, notCountedBytes: 10 * MB });
    expect(statusOf(verdict)).toBe('healthy');
    expect(verdict.blind).toEqual([]);
    expect(measured(verdict, 'pressureRatio')).toBeCloseTo(0.4);
    expect(measured(verdict, 'evictableRatio')).toBe(1);
    expect(measured(verdict, 'rejectedWritesPerMinute')).toBe(0);
  });

  it.each<[string, InfoChange, string]>([
    ['a full cache that evicts', { usedBytes: 100 * MB, policy: 'allkeys-lru' }, 'healthy'],
    ['a new policy of a known family', { usedBytes: 100 * MB, policy: 'allkeys-lrm' }, 'healthy'],
    ['noeviction below the warning', { usedBytes: 79.9 * MB, policy: 'noeviction' }, 'healthy'],
    ['noeviction at the critical bound', { usedBytes: 95 * MB, policy: 'noeviction' }, 'found'],
    ['noeviction above the limit', { usedBytes: 101 * MB, policy: 'noeviction' }, 'found'],
    [
      'a replica at its limit',
      { usedBytes: 99 * MB, policy: 'noeviction', role: 'slave' },
      'healthy',
    ],
    ['volatile-* with nothing volatile', { usedBytes: 95 * MB, policy: 'volatile-ttl' }, 'found'],
    [
      'volatile-* just below the share',
      { usedBytes: 95 * MB, policy: 'volatile-lru', volatileKeys: 49 },
      'found',
    ],
    [
      'volatile-* at the share',
      { usedBytes: 95 * MB, policy: 'volatile-lru', volatileKeys: 50 },
      'healthy',
    ],
  ])('judges %s', (_, info, status) => {
    expect(statusOf(judge(info))).toBe(status);
  });

  it('is critical with the count when writes are refused', () => {
    const verdict = judge(
      { usedBytes: 100.2 * MB, policy: 'noeviction', oomErrors: 1167, aboveLimitMs: 312_000 },
      { oomErrors: 0 },
    );
    expect(verdict.findings).toMatchObject([
      {
        severity: 'critical',
        about: { kind: 'redis', name: 'sessions' },
        says:
          '1167 writes refused with OOM in the last 60 s: 100 % of maxmemory 95 MB used; ' +
          'policy noeviction evicts nothing',
        since: new Date(NOW.getTime() - 312_000),
      },
    ]);
    expect(measured(verdict, 'rejectedWritesPerMinute')).toBe(1167);
  });

  it('is critical too when a policy that evicts does not keep up', () => {
    const [found] =
      judge({ usedBytes: 104 * MB, oomErrors: 5, aboveLimitMs: 10 }, { oomErrors: 0 }).findings ??
      [];
    expect(found?.severity).toBe('critical');
    expect(found?.says).toContain('may evict every key and still does not keep up');
  });

  it.each<[string, InfoChange]>([
    [
      'a policy that evicts brought memory below the limit',
      { usedBytes: 99 * MB, aboveLimitMs: 0 },
    ],
    ['room was made under noeviction', { usedBytes: 50 * MB, policy: 'noeviction' }],
  ])('no longer finds refusals once %s, but measures them', (_, info) => {
    const verdict = judge({ ...info, oomErrors: 9 }, { oomErrors: 0 });
    expect(verdict.findings).toEqual([]);
    expect(measured(verdict, 'rejectedWritesPerMinute')).toBe(9);
  });

  describe('between the warning and the critical bound, with nothing to evict', () => {
    const at85: InfoChange = { usedBytes: 85 * MB, policy: 'noeviction' };

    it.each<[string, InfoChange, number, boolean]>([
      ['flat for a minute', { usedBytes: 85 * MB }, 60_000, false],
      ['shrinking', { usedBytes: 86 * MB }, 60_000, false],
      ['growing, full within the day', { usedBytes: 84 * MB }, 60_000, true],
      ['growing, full in more than a day', { usedBytes: 84.999 * MB }, 60_000, false],
      ['seen too shortly to tell', { usedBytes: 85 * MB }, 59_999, true],
    ])('%s', (_, before, elapsedMs, warns) => {
      const findings = judge(at85, before, elapsedMs).findings ?? [];
      expect(findings.map(({ severity }) => severity)).toEqual(warns ? ['warning'] : []);
    });

    it('says when it will be full', () => {
      const [found] = judge(at85, { usedBytes: 84 * MB }).findings ?? [];
      expect(found?.says).toContain('full in 15 min at this growth');
    });
  });

  describe('without maxmemory', () => {
    it('says so instead of being green', () => {
      const verdict = judge({ maxmemoryBytes: 0, policy: 'noeviction' });
      expect(verdict.blind).toMatchObject([{ why: 'unsupported' }]);
      expect(verdict.blind?.[0]?.detail).toContain(
        'maxmemory is 0: 48 MB used of a host with 7.5 GB',
      );
      expect(measured(verdict, 'pressureRatio')).toBeUndefined();
    });

    it.each([
      [7_199_000_000, []],
      [7_200_000_000, ['critical']],
    ])('with %d bytes of 8 GB resident finds %j', (rssBytes, severities) => {
      const { findings = [] } = judge({ maxmemoryBytes: 0, rssBytes, policy: 'noeviction' });
      expect(findings.map(({ severity }) => severity)).toEqual(severities);
    });
  });

  it.each<[string, InfoChange]>([
    ['used_memory', { usedBytes: undefined }],
    ['maxmemory', { maxmemoryBytes: undefined }],
    ['maxmemory_policy', { policy: undefined }],
  ])('is blind when the provider leaves %s out of INFO', (_, info) => {
    const verdict = judge(info);
    expect(statusOf(verdict)).toBe('blind');
    expect(verdict.blind).toMatchObject([{ why: 'redacted' }]);
  });

  it('judges what it sees after a restart, and says that the rates are missing', () => {
    const verdict = judge(
      { usedBytes: 97 * MB, policy: 'noeviction', uptimeMs: 5000, runId: 'run-2' },
      { runId: 'run-1', uptimeMs: 900_000 },
    );
    expect(verdict.findings).toHaveLength(1);
    expect(verdict.blind).toMatchObject([
      { why: 'no-history', detail: expect.stringContaining('restarted') as unknown },
    ]);
    expect(measured(verdict, 'rejectedWritesPerMinute')).toBeUndefined();
  });

  it.each([
    [1_800_000, 1],
    [1_800_001, 0],
  ])('reports a start %d ms ago as %d changes of a window of 30 min', (uptimeMs, count) => {
    const { changes = [] } = judge({ uptimeMs });
    expect(changes).toHaveLength(count);
    if (count === 1)
      expect(changes[0]).toMatchObject({
        at: new Date(NOW.getTime() - uptimeMs),
        says: 'sessions started',
      });
  });

  it('misses the clients only when there is something to trace back to them', () => {
    const denied = blindSpot('denied', 'no right', 'ACL SETUSER starr +client|list');
    expect(judge({}, {}, 60_000, denied).blind).toEqual([]);
    expect(judge({ usedBytes: 99 * MB, policy: 'noeviction' }, {}, 60_000, denied).blind).toEqual([
      denied,
    ]);
  });

  it('has measures for all that it measures, and only for these', () => {
    const all = [
      judge({ maxmemoryBytes: 0 }),
      judge({ usedBytes: 85 * MB }, { usedBytes: 84 * MB }),
    ].flatMap((verdict) => verdict.measured.map(({ name }) => name));
    expect(new Set(all)).toEqual(new Set(Object.keys(cacheMemory.measures)));
  });
});
