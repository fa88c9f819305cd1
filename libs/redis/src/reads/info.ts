import { blindSpot, durationText, type BlindSpot, type Read } from '@starr/kernel';
import type { RedisRequest } from '../request.ts';
import { numberFrom, parseFieldList, parseInfo, type InfoFields } from './parse-info.ts';

/**
 * What the diagnostics use of one INFO. An absent member was not in the answer: an older server, or a
 * managed one that leaves sections out. Features are told by fields, never by a version number.
 */
export interface RedisInfo {
  /** Changes with every start of the server. */
  readonly runId?: string;
  readonly uptimeMs?: number;
  readonly role?: string;
  /** Empty: started without a file, so that CONFIG REWRITE has nothing to write to. */
  readonly configFile?: string;
  readonly clustered: boolean;
  readonly memory: MemoryInfo;
  readonly stats: StatsInfo;
  readonly keys: KeysInfo;
  readonly blockedClients?: number;
  /** `host:port`, of a primary. */
  readonly replicas: readonly string[];
}

export interface MemoryInfo {
  readonly usedBytes?: number;
  /** Buffers of replicas and the append-only file, which Redis leaves out of the comparison with maxmemory. */
  readonly notCountedBytes?: number;
  /** 0: unlimited. */
  readonly maxmemoryBytes?: number;
  readonly policy?: string;
  /** Of the host; a container's limit is not seen by Redis. */
  readonly systemBytes?: number;
  readonly rssBytes?: number;
}

/** Counters since the start or the last CONFIG RESETSTAT. */
export interface StatsInfo {
  readonly hits?: number;
  readonly misses?: number;
  readonly evictedKeys?: number;
  readonly expiredKeys?: number;
  /** Commands answered with OOM. Absent: the server does not count errors (before 6.2). */
  readonly oomErrors?: number;
  /** How long memory has been above maxmemory without a break; 0: it is not. */
  readonly aboveLimitMs?: number;
}

export interface KeysInfo {
  readonly total: number;
  /** Those that expire by themselves: all that a volatile-* policy may evict. */
  readonly volatile: number;
}

/** One INFO: no key is touched, so that keyspace_hits and misses stay as they are. */
export const infoRead: Read<RedisInfo, RedisRequest> = {
  id: 'redis.info',
  timeoutMs: 2000,
  maxRows: 1,
  request: () => ({ kind: 'info' }),
  parse: (raw) => infoFromRaw(raw),
};

export function infoFromRaw(raw: unknown): RedisInfo | BlindSpot {
  if (typeof raw !== 'string' || raw.trim() === '')
    return blindSpot('unsupported', 'INFO answered without text');
  const fields = parseInfo(raw);
  if (fields.count('loading') === 1) return loadingSpot(fields);
  const seconds = fields.count('uptime_in_seconds');
  return {
    ...given('runId', fields.text('run_id')),
    ...given('uptimeMs', seconds === undefined ? undefined : seconds * 1000),
    ...given('role', fields.text('role')),
    ...given('configFile', fields.text('config_file')),
    clustered: fields.count('cluster_enabled') === 1,
    memory: memoryFrom(fields),
    stats: statsFrom(fields),
    keys: keysFrom(fields),
    ...given('blockedClients', fields.count('blocked_clients')),
    replicas: replicasFrom(fields),
  };
}

/** INFO answers while the data set loads, but its numbers are of a part: nothing to judge. */
function loadingSpot(fields: InfoFields): BlindSpot {
  const ratio = fields.count('loading_loaded_perc');
  const seconds = fields.count('loading_eta_seconds');
  const done = ratio === undefined ? '' : `: ${Math.round(ratio)} % read`;
  const left = seconds === undefined ? '' : `, about ${durationText(seconds * 1000)} left`;
  return blindSpot(
    'unreachable',
    `the server loads its data set${done}${left}, and answers LOADING meanwhile`,
    'wait until the data set is loaded; it answers by itself then',
  );
}

function memoryFrom(fields: InfoFields): MemoryInfo {
  return {
    ...given('usedBytes', fields.count('used_memory')),
    ...given('notCountedBytes', fields.count('mem_not_counted_for_evict')),
    ...given('maxmemoryBytes', fields.count('maxmemory')),
    ...given('policy', fields.text('maxmemory_policy')),
    ...given('systemBytes', fields.count('total_system_memory')),
    ...given('rssBytes', fields.count('used_memory_rss')),
  };
}

function statsFrom(fields: InfoFields): StatsInfo {
  return {
    ...given('hits', fields.count('keyspace_hits')),
    ...given('misses', fields.count('keyspace_misses')),
    ...given('evictedKeys', fields.count('evicted_keys')),
    ...given('expiredKeys', fields.count('expired_keys')),
    ...given('oomErrors', oomErrorsFrom(fields)),
    ...given('aboveLimitMs', fields.count('current_eviction_exceeded_time')),
  };
}

/** A server that counts errors lists only those that occurred: no OOM line is a zero, no section is not known. */
function oomErrorsFrom(fields: InfoFields): number | undefined {
  const line = fields.text('errorstat_OOM');
  if (line !== undefined) return numberFrom(parseFieldList(line).get('count'));
  return fields.sections.has('errorstats') ? 0 : undefined;
}

function keysFrom(fields: InfoFields): KeysInfo {
  const databases = fields.matching(/^db\d+$/).map(([, value]) => parseFieldList(value));
  const sum = (name: string): number =>
    databases.reduce((total, database) => total + (numberFrom(database.get(name)) ?? 0), 0);
  return { total: sum('keys'), volatile: sum('expires') };
}

function replicasFrom(fields: InfoFields): readonly string[] {
  return fields.matching(/^slave\d+$/).flatMap(([, value]) => {
    const replica = parseFieldList(value);
    const [host, port] = [replica.get('ip'), replica.get('port')];
    return host === undefined || port === undefined ? [] : [`${host}:${port}`];
  });
}

function given<K extends string, T>(name: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [name]: value } as Partial<Record<K, T>>);
}
