import type { RedisInfo } from '../reads/info.ts';

/** A server that is well, with what a test changes about it. `undefined` takes a field out of INFO. */
export interface InfoChange {
  readonly runId?: string | undefined;
  readonly uptimeMs?: number | undefined;
  readonly role?: string;
  readonly configFile?: string;
  readonly usedBytes?: number | undefined;
  readonly notCountedBytes?: number;
  readonly maxmemoryBytes?: number | undefined;
  readonly policy?: string | undefined;
  readonly systemBytes?: number | undefined;
  readonly rssBytes?: number | undefined;
  readonly hits?: number | undefined;
  readonly misses?: number | undefined;
  readonly evictedKeys?: number;
  readonly expiredKeys?: number;
  readonly oomErrors?: number | undefined;
  readonly aboveLimitMs?: number | undefined;
  readonly keys?: number;
  readonly volatileKeys?: number;
  readonly blockedClients?: number;
  readonly replicas?: readonly string[];
  readonly clustered?: boolean;
}

const WELL = {
  runId: 'run-1',
  uptimeMs: 86_400_000,
  usedBytes: 50_000_000,
  maxmemoryBytes: 100_000_000,
  policy: 'allkeys-lru',
  systemBytes: 8_000_000_000,
  rssBytes: 60_000_000,
  hits: 0,
  misses: 0,
  evictedKeys: 0,
  expiredKeys: 0,
  oomErrors: 0,
  aboveLimitMs: 0,
} as const;

export function infoAt(change: InfoChange): RedisInfo {
  const all = { ...WELL, ...change };
  return {
    ...known({ runId: all.runId, uptimeMs: all.uptimeMs }),
    role: change.role ?? 'master',
    configFile: change.configFile ?? '/etc/redis/redis.conf',
    clustered: change.clustered ?? false,
    memory: known({
      usedBytes: all.usedBytes,
      notCountedBytes: change.notCountedBytes ?? 0,
      maxmemoryBytes: all.maxmemoryBytes,
      policy: all.policy,
      systemBytes: all.systemBytes,
      rssBytes: all.rssBytes,
    }),
    stats: known({
      hits: all.hits,
      misses: all.misses,
      evictedKeys: all.evictedKeys,
      expiredKeys: all.expiredKeys,
      oomErrors: all.oomErrors,
      aboveLimitMs: all.aboveLimitMs,
    }),
    keys: { total: change.keys ?? 1000, volatile: change.volatileKeys ?? 0 },
    blockedClients: change.blockedClients ?? 0,
    replicas: change.replicas ?? [],
  };
}

type Known<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function known<T extends object>(fields: T): Known<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Known<T>;
}
