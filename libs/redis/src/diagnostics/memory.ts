import {
  blindSpot,
  defineDiagnostic,
  isBlindSpot,
  optional,
  windowed,
  type BlindSpot,
  type Change,
  type Finding,
  type Look,
  type Measurement,
  type Verdict,
} from '@starr/kernel';
import { clientsRead } from '../reads/clients.ts';
import { memoryFinding, type MemoryFinding, type MemoryLimits } from '../memory-finding.ts';
import { evictionOf, type Eviction } from '../reads/eviction.ts';
import { infoWindow, perMinute, type InfoWindow } from '../reads/info-window.ts';
import { infoRead, type RedisInfo } from '../reads/info.ts';
import { growthOf, pressureOf, systemRatioOf } from '../reads/pressure.ts';
import { redisEntity } from '../redis-entities.ts';
import { sizeText } from '../size-text.ts';

const thresholds = {
  pressureWarning: {
    value: 0.8,
    unit: 'ratio',
    says: 'memory against maxmemory where nothing can be evicted, while it grows',
    source: 'Redis Software observability guide: alert at 80 % where the data set is no cache',
  },
  pressureCritical: {
    value: 0.95,
    unit: 'ratio',
    says: 'memory against maxmemory where nothing can be evicted',
    source: 'ours: the last 5 % before writes are refused',
  },
  evictableRatio: {
    value: 0.05,
    unit: 'ratio',
    says: 'share of keys that the policy may evict, below which it counts as unable to evict',
    source: 'valkey-doc topics/lru-cache.md: volatile-* without volatile keys is noeviction',
  },
  timeToFullMs: {
    value: 86_400_000,
    unit: 'ms',
    says: 'time to maxmemory at the present growth, above which the warning is not given',
    source: 'ours: a working day to react',
  },
  systemRatio: {
    value: 0.9,
    unit: 'ratio',
    says: "resident memory against the host's where maxmemory is 0",
    source: 'awesome-prometheus-alerts, rules/redis: out of system memory above 90 %',
  },
} as const;

/** Is there room for writes, and if not, can the server make some? */
export const cacheMemory = defineDiagnostic({
  id: 'cache.memory',
  title: 'Memory pressure and what can be evicted',
  replaces: ['redis-cli INFO memory', 'redis-cli CONFIG GET maxmemory-policy'],
  explains:
    'Compares the memory that counts with maxmemory, and asks whether the policy could evict anything. A full cache ' +
    'with a policy that evicts is healthy. Writes refused with OOM are critical, a full server that cannot evict too. ' +
    'By hand: choose a policy that fits the data (CONFIG SET maxmemory-policy), raise maxmemory, or delete keys.',
  reads: { info: windowed(infoRead), clients: optional(clientsRead) },
  thresholds,
  measures: {
    usedBytes: { unit: 'bytes', says: 'memory that Redis has allocated (used_memory)' },
    maxmemoryBytes: { unit: 'bytes', says: 'its limit; absent: unlimited' },
    pressureRatio: {
      unit: 'ratio',
      says: 'used_memory less mem_not_counted_for_evict, over maxmemory',
    },
    evictableRatio: { unit: 'ratio', says: 'keys that the policy may evict, of all keys' },
    rejectedWritesPerMinute: { unit: 'per-minute', says: 'commands answered with OOM' },
    evictedKeysPerMinute: { unit: 'per-minute', says: 'keys thrown away for room' },
    timeToFullMs: { unit: 'ms', says: 'until maxmemory at the growth of the window' },
    systemRatio: { unit: 'ratio', says: "resident memory over the host's" },
  },
  judge: ({ info, clients }, limits, look) => {
    const found = judged(info.after, infoWindow(info), limits, look);
    // Who is connected is only missed when there is something to trace back to them.
    if (found.findings?.length !== 1 || !isBlindSpot(clients)) return found;
    return { ...found, blind: [...(found.blind ?? []), clients] };
  },
});

function judged(info: RedisInfo, window: InfoWindow, limits: MemoryLimits, look: Look): Verdict {
  const { usedBytes, maxmemoryBytes } = info.memory;
  const eviction = evictionOf(info);
  if (usedBytes === undefined || maxmemoryBytes === undefined || eviction === undefined) {
    return { measured: [], blind: [withheld()] };
  }
  const measured = measurementsOf(info, eviction, window, limits, look);
  const restarted = window.state === 'none' ? [blindSpot('no-history', window.because)] : [];
  const found = memoryFinding(info, eviction, window, limits);
  const findings = found === undefined ? [] : [evidenced(found, info, measured, look)];
  const changes = startOf(info, look);
  if (maxmemoryBytes > 0) return { measured, findings, changes, blind: restarted };
  return {
    measured,
    findings,
    changes,
    blind: [unlimited(info.memory.systemBytes, usedBytes), ...restarted],
  };
}

function startOf({ uptimeMs, role }: RedisInfo, look: Look): readonly Change[] {
  if (uptimeMs === undefined || uptimeMs > look.windowMs) return [];
  const at = new Date(look.now.getTime() - uptimeMs);
  const facts = role === undefined ? {} : { facts: { role } };
  return [{ about: redisEntity(look.target), at, says: `${look.target} started`, ...facts }];
}

function withheld(): BlindSpot {
  return blindSpot(
    'redacted',
    'INFO carries no used_memory, maxmemory or maxmemory_policy: the provider leaves the section Memory out',
    "read the provider's own memory metrics",
  );
}

/** Without a limit there is no pressure to speak of, which is not the same as none. */
function unlimited(systemBytes: number | undefined, usedBytes: number): BlindSpot {
  const host = systemBytes === undefined ? '' : ` of a host with ${sizeText(systemBytes)}`;
  return blindSpot(
    'unsupported',
    `maxmemory is 0: ${sizeText(usedBytes)} used${host} and no limit of its own, so that pressure is unknown; ` +
      'in a container the kernel ends the server at a limit that Redis does not see',
    "set maxmemory below the container's or host's memory, with a policy that fits the data",
  );
}

function measurementsOf(
  info: RedisInfo,
  eviction: Eviction,
  window: InfoWindow,
  limits: MemoryLimits,
  look: Look,
): readonly Measurement[] {
  const about = redisEntity(look.target);
  const { usedBytes = 0, maxmemoryBytes = 0 } = info.memory;
  const pressure = pressureOf(info);
  const system = systemRatioOf(info);
  const growth = growthOf(info, window);
  const rate = (name: string, count: number | undefined): readonly Measurement[] =>
    window.state === 'none' || count === undefined
      ? []
      : [{ name, about, value: perMinute(count, window.elapsedMs) }];
  const seen = window.state === 'seen' ? window : undefined;
  return [
    { name: 'usedBytes', about, value: usedBytes },
    ...(maxmemoryBytes > 0 ? [{ name: 'maxmemoryBytes', about, value: maxmemoryBytes }] : []),
    ...(pressure === undefined
      ? []
      : [{ name: 'pressureRatio', about, value: pressure, limit: limits.pressureCritical }]),
    {
      name: 'evictableRatio',
      about,
      value: eviction.evictableRatio,
      limit: limits.evictableRatio,
    },
    ...rate('rejectedWritesPerMinute', seen?.oomErrors),
    ...rate('evictedKeysPerMinute', seen?.evictedKeys),
    ...(growth.state === 'growing'
      ? [
          {
            name: 'timeToFullMs',
            about,
            value: growth.timeToFullMs,
            limit: limits.timeToFullMs,
          },
        ]
      : []),
    ...(maxmemoryBytes > 0 || system === undefined
      ? []
      : [{ name: 'systemRatio', about, value: system, limit: limits.systemRatio }]),
  ];
}

function evidenced(
  { severity, says }: MemoryFinding,
  info: RedisInfo,
  measured: readonly Measurement[],
  look: Look,
): Finding {
  const above = info.stats.aboveLimitMs ?? 0;
  return {
    severity,
    says,
    about: redisEntity(look.target),
    measured,
    ...(above > 0 ? { since: new Date(look.now.getTime() - above) } : {}),
    rows: [
      {
        policy: info.memory.policy ?? '',
        used_memory: info.memory.usedBytes ?? 0,
        maxmemory: info.memory.maxmemoryBytes ?? 0,
        keys: info.keys.total,
        keys_that_expire: info.keys.volatile,
        ...(info.stats.oomErrors === undefined ? {} : { oom_since_start: info.stats.oomErrors }),
      },
    ],
  };
}
