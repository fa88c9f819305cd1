import type { InfoWindow } from './info-window.ts';
import type { RedisInfo } from './info.ts';

/** Below this the growth of a cache is noise, and no time to full follows from it. */
const GROWTH_WINDOW_MS = 60_000;

/** Memory that Redis holds against maxmemory, over maxmemory. Absent: unlimited, or not in INFO. */
export function pressureOf({ memory }: RedisInfo): number | undefined {
  const { usedBytes, notCountedBytes = 0, maxmemoryBytes } = memory;
  if (usedBytes === undefined || maxmemoryBytes === undefined || maxmemoryBytes === 0)
    return undefined;
  return Math.max(0, usedBytes - notCountedBytes) / maxmemoryBytes;
}

/** Resident memory over the host's. Absent: not in INFO. */
export function systemRatioOf({ memory }: RedisInfo): number | undefined {
  const { rssBytes, systemBytes } = memory;
  if (rssBytes === undefined || systemBytes === undefined || systemBytes === 0) return undefined;
  return rssBytes / systemBytes;
}

/** How memory moves towards maxmemory. `unknown`: unlimited, restarted, or a window too short to tell. */
export type Growth =
  | { readonly state: 'growing'; readonly timeToFullMs: number }
  | { readonly state: 'flat' }
  | { readonly state: 'unknown' };

export function growthOf(info: RedisInfo, window: InfoWindow): Growth {
  const { maxmemoryBytes = 0 } = info.memory;
  const pressure = pressureOf(info);
  if (pressure === undefined || window.state === 'none' || window.elapsedMs < GROWTH_WINDOW_MS)
    return { state: 'unknown' };
  const { grownBytes = 0, elapsedMs } = window;
  if (grownBytes <= 0) return { state: 'flat' };
  const leftBytes = Math.max(0, 1 - pressure) * maxmemoryBytes;
  return { state: 'growing', timeToFullMs: (leftBytes * elapsedMs) / grownBytes };
}
