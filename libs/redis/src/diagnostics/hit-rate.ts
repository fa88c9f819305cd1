import {
  blindSpot,
  defineDiagnostic,
  durationText,
  windowed,
  type BlindSpot,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Verdict,
} from '@starr/kernel';
import { evictionOf } from '../reads/eviction.ts';
import { infoWindow, perMinute, windowText, type InfoWindow } from '../reads/info-window.ts';
import { infoRead, type RedisInfo } from '../reads/info.ts';
import { redisEntity } from '../redis-entities.ts';
import { percentText } from '../size-text.ts';

const thresholds = {
  hitRatio: {
    value: 0.7,
    unit: 'ratio',
    says: 'lookups of the window that found their key, below which it is a finding',
    source: 'the guide, Cache Performance Problems: low cache hit rate (< 70 %)',
  },
  minLookups: {
    value: 1000,
    unit: 'count',
    says: 'lookups in the window, below which no ratio is judged',
    source: 'ours: below it one client that asks for a missing key moves the ratio',
  },
  minWindowMs: {
    value: 60_000,
    unit: 'ms',
    says: 'a window this long with fewer lookups is a cache that nobody asks; a shorter one tells nothing',
    source: 'ours',
  },
  warmUpMs: {
    value: 600_000,
    unit: 'ms',
    says: 'after a start misses are normal for so long',
    source: 'ours: most time-to-live values of caches lie above it, so that it is warm by then',
  },
  causeRatio: {
    value: 0.1,
    unit: 'ratio',
    says: 'keys evicted (or expired) per miss, from which on it is named as the reason',
    source: 'ours; the order of reasons is that of the Redis Software observability guide',
  },
} as const;

/** Does the cache answer? Judged in the window, never from the totals since the start. */
export const cacheHitRate = defineDiagnostic({
  id: 'cache.hit-rate',
  title: 'Hit rate and why keys are missing',
  replaces: ['redis-cli INFO stats | grep hit_rate', 'redis-cli INFO stats'],
  explains:
    'Share of key lookups that found their key, in the window and since the start; both are shown, only the window is ' +
    'judged: with enough lookups, after the warm-up, within one run of the server. Misses are set beside evictions ' +
    '(too small), expirations (time to live too short) and neither (keys never written, renamed, flushed). Locks and ' +
    'duplicate filters miss by design: raise or silence the threshold for such a server.',
  reads: { info: windowed(infoRead) },
  thresholds,
  measures: {
    hitRatio: { unit: 'ratio', says: 'hits over lookups in the window' },
    lifetimeHitRatio: {
      unit: 'ratio',
      says: 'hits over lookups since the start or CONFIG RESETSTAT',
    },
    lookups: { unit: 'count', says: 'lookups in the window' },
    missesPerMinute: { unit: 'per-minute', says: 'lookups that found nothing' },
    evictedPerMiss: { unit: 'ratio', says: 'keys evicted in the window, over misses' },
    expiredPerMiss: { unit: 'ratio', says: 'keys expired in the window, over misses' },
  },
  judge: ({ info }, limits, look) => {
    const { hits, misses } = info.after.stats;
    if (hits === undefined || misses === undefined) return { measured: [], blind: [withheld()] };
    return judged(info.after, infoWindow(info), limits, look);
  },
});

type HitRateLimits = Limits<typeof thresholds>;

function judged(info: RedisInfo, window: InfoWindow, limits: HitRateLimits, look: Look): Verdict {
  const about = redisEntity(look.target);
  const lifetime = ratioOf(info.stats.hits, info.stats.misses);
  const measured: Measurement[] =
    lifetime === undefined ? [] : [{ name: 'lifetimeHitRatio', about, value: lifetime }];
  if (window.state === 'none')
    return {
      measured,
      blind: [blindSpot('no-history', window.because, 'sweep again in a minute')],
    };
  const asked = lookupsOf(window, limits, look);
  measured.push(...asked.measured);
  const unready = gate(info, window, asked.lookups, limits);
  if (unready === 'idle') return { measured };
  if (unready !== undefined) return { measured, blind: [unready] };
  const ratio = ratioOf(window.hits, window.misses) ?? 1;
  if (ratio >= limits.hitRatio) return { measured };
  return { measured, findings: [finding(info, window, ratio, lifetime, measured, limits, look)] };
}

function withheld(): BlindSpot {
  return blindSpot(
    'redacted',
    'INFO carries no keyspace_hits and keyspace_misses: the provider leaves the section Stats out',
    "read the provider's own cache hit metrics",
  );
}

function ratioOf(hits = 0, misses = 0): number | undefined {
  const lookups = hits + misses;
  return lookups === 0 ? undefined : hits / lookups;
}

type SeenWindow = Extract<InfoWindow, { state: 'seen' }>;

function lookupsOf(
  window: SeenWindow,
  limits: HitRateLimits,
  look: Look,
): { readonly lookups: number; readonly measured: readonly Measurement[] } {
  const about = redisEntity(look.target);
  const { hits = 0, misses = 0, evictedKeys, expiredKeys, elapsedMs } = window;
  const lookups = hits + misses;
  const perMiss = (name: string, keys: number | undefined): readonly Measurement[] =>
    keys === undefined || misses === 0
      ? []
      : [{ name, about, value: keys / misses, limit: limits.causeRatio }];
  const measured = [
    { name: 'lookups', about, value: lookups, limit: limits.minLookups },
    ...(lookups === 0
      ? []
      : [{ name: 'hitRatio', about, value: hits / lookups, limit: limits.hitRatio }]),
    { name: 'missesPerMinute', about, value: perMinute(misses, elapsedMs) },
    ...perMiss('evictedPerMiss', evictedKeys),
    ...perMiss('expiredPerMiss', expiredKeys),
  ];
  return { lookups, measured };
}

/** What keeps the window from being judged: nobody asks (healthy), or too little is known (blind). */
function gate(
  info: RedisInfo,
  window: SeenWindow,
  lookups: number,
  limits: HitRateLimits,
): BlindSpot | 'idle' | undefined {
  if (lookups < limits.minLookups) {
    if (window.elapsedMs >= limits.minWindowMs) return 'idle';
    return blindSpot(
      'no-history',
      `${lookups} lookups ${windowText(window.elapsedMs)}, too few to judge (from ${limits.minLookups} on)`,
      'sweep again in a minute: the doctor keeps the first sample',
    );
  }
  if (info.uptimeMs !== undefined && info.uptimeMs < limits.warmUpMs) {
    return blindSpot(
      'no-history',
      `started ${durationText(info.uptimeMs)} ago and still warming up: misses are normal for ${durationText(limits.warmUpMs)}`,
      'sweep again after the warm-up',
    );
  }
  return undefined;
}

function finding(
  info: RedisInfo,
  window: SeenWindow,
  ratio: number,
  lifetime: number | undefined,
  measured: readonly Measurement[],
  limits: HitRateLimits,
  look: Look,
): Finding {
  const since = lifetime === undefined ? '' : ` (${percentText(lifetime)} since the start)`;
  const misses = perMinute(window.misses ?? 0, window.elapsedMs);
  return {
    severity: 'warning',
    about: redisEntity(look.target),
    says:
      `hit rate ${percentText(ratio)} ${windowText(window.elapsedMs)}${since}, ` +
      `${Math.round(misses)} misses a minute: ${reason(info, window, limits)}`,
    measured,
    rows: [
      {
        hits: window.hits ?? 0,
        misses: window.misses ?? 0,
        evicted_keys: window.evictedKeys ?? 0,
        expired_keys: window.expiredKeys ?? 0,
        ...(info.memory.policy === undefined ? {} : { policy: info.memory.policy }),
      },
    ],
  };
}

function reason(info: RedisInfo, window: SeenWindow, limits: HitRateLimits): string {
  const { misses = 0, evictedKeys = 0, expiredKeys = 0 } = window;
  const policy = evictionOf(info)?.policy ?? 'the policy';
  if (evictedKeys > 0 && evictedKeys >= misses * limits.causeRatio)
    return `${evictedKeys} keys were evicted under ${policy}, so the cache is too small for what is asked`;
  if (expiredKeys > 0 && expiredKeys >= misses * limits.causeRatio)
    return `${expiredKeys} keys expired and none needed room, so their time to live is too short for what is asked`;
  if ((window.oomErrors ?? 0) > 0)
    return 'writes are refused with OOM, so that missed keys are never stored';
  return 'neither evictions nor expirations explain them: keys never written, renamed, or flushed';
}
