import { durationText, type Pair } from '@starr/kernel';
import type { RedisInfo } from './info.ts';

/** What the counters did between two INFOs of one run of the server. Absent: the server has no such counter. */
export type InfoWindow =
  | {
      readonly state: 'seen';
      readonly elapsedMs: number;
      readonly hits?: number;
      readonly misses?: number;
      readonly evictedKeys?: number;
      readonly expiredKeys?: number;
      readonly oomErrors?: number;
      /** What memory grew by; negative when it shrank. */
      readonly grownBytes?: number;
    }
  | { readonly state: 'none'; readonly because: string };

/** Counters only tell something while nobody set them back: another run_id, a lower uptime or counter discards the window. */
export function infoWindow({ before, after, elapsedMs }: Pair<RedisInfo>): InfoWindow {
  if (elapsedMs <= 0) return none('the two samples are not apart');
  if (before.runId !== after.runId || (after.uptimeMs ?? 0) < (before.uptimeMs ?? 0))
    return none('the server restarted between the two samples');
  const deltas = {
    ...delta('hits', before.stats.hits, after.stats.hits),
    ...delta('misses', before.stats.misses, after.stats.misses),
    ...delta('evictedKeys', before.stats.evictedKeys, after.stats.evictedKeys),
    ...delta('expiredKeys', before.stats.expiredKeys, after.stats.expiredKeys),
    ...delta('oomErrors', before.stats.oomErrors, after.stats.oomErrors),
  };
  if (Object.values(deltas).some((change) => change < 0))
    return none('the counters were reset between the two samples (CONFIG RESETSTAT)');
  return {
    state: 'seen',
    elapsedMs,
    ...deltas,
    ...delta('grownBytes', before.memory.usedBytes, after.memory.usedBytes),
  };
}

export function perMinute(count: number, elapsedMs: number): number {
  return (count * 60_000) / elapsedMs;
}

/** `in the last 5 min`. */
export function windowText(elapsedMs: number): string {
  return `in the last ${durationText(elapsedMs)}`;
}

function none(because: string): InfoWindow {
  return { state: 'none', because };
}

function delta<K extends string>(
  name: K,
  before: number | undefined,
  after: number | undefined,
): Partial<Record<K, number>> {
  if (before === undefined || after === undefined) return {};
  return { [name]: after - before } as Partial<Record<K, number>>;
}
