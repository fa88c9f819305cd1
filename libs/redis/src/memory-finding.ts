import { durationText } from '@starr/kernel';
import type { Eviction } from './reads/eviction.ts';
import { windowText, type InfoWindow } from './reads/info-window.ts';
import type { RedisInfo } from './reads/info.ts';
import { growthOf, pressureOf, systemRatioOf } from './reads/pressure.ts';
import { percentText, sizeText } from './size-text.ts';

/** The bounds of cache.memory that its finding depends on. */
export interface MemoryLimits {
  readonly pressureWarning: number;
  readonly pressureCritical: number;
  readonly evictableRatio: number;
  readonly timeToFullMs: number;
  readonly systemRatio: number;
}

/** What is wrong with the memory, in a sentence. */
export interface MemoryFinding {
  readonly severity: 'warning' | 'critical';
  readonly says: string;
}

/** Refusals that go on, then a full server that cannot evict, then one that fills. Undefined: nothing wrong. */
export function memoryFinding(
  info: RedisInfo,
  eviction: Eviction,
  window: InfoWindow,
  limits: MemoryLimits,
): MemoryFinding | undefined {
  const pressure = pressureOf(info);
  const canEvict = eviction.evictableRatio >= limits.evictableRatio;
  if (window.state === 'seen' && (window.oomErrors ?? 0) > 0) {
    const goesOn = canEvict
      ? (info.stats.aboveLimitMs ?? 1) > 0
      : pressure === undefined || pressure >= limits.pressureCritical;
    if (goesOn) return refusing(info, eviction, window);
  }
  // A replica follows its primary and by default ignores its own maxmemory.
  if (info.role === 'slave') return undefined;
  if (pressure === undefined) return outgrowing(info, limits);
  if (canEvict || pressure < limits.pressureWarning) return undefined;
  if (pressure >= limits.pressureCritical)
    return { severity: 'critical', says: `${fullText(info, pressure)}; ${cannot(eviction)}` };
  return filling(info, eviction, window, limits);
}

/** Refusals that are over (memory is below the limit again) are measured, but no finding any more. */
function refusing(
  info: RedisInfo,
  eviction: Eviction,
  window: { readonly elapsedMs: number; readonly oomErrors?: number },
): MemoryFinding {
  return {
    severity: 'critical',
    says:
      `${window.oomErrors ?? 0} writes refused with OOM ${windowText(window.elapsedMs)}: ` +
      `${fullText(info, pressureOf(info))}; ${cannot(eviction)}`,
  };
}

/** Growing into the limit, or not known whether: a warning. Flat in a window long enough to tell: a full store, not an ill one. */
function filling(
  info: RedisInfo,
  eviction: Eviction,
  window: InfoWindow,
  limits: MemoryLimits,
): MemoryFinding | undefined {
  const growth = growthOf(info, window);
  if (growth.state === 'flat') return undefined;
  if (growth.state === 'growing' && growth.timeToFullMs > limits.timeToFullMs) return undefined;
  const when =
    growth.state === 'growing'
      ? `, full in ${durationText(growth.timeToFullMs)} at this growth`
      : '';
  return {
    severity: 'warning',
    says: `${fullText(info, pressureOf(info))}${when}; ${cannot(eviction)}`,
  };
}

function outgrowing(info: RedisInfo, limits: MemoryLimits): MemoryFinding | undefined {
  const ratio = systemRatioOf(info);
  if (info.memory.maxmemoryBytes !== 0 || ratio === undefined || ratio < limits.systemRatio)
    return undefined;
  return {
    severity: 'critical',
    says: `maxmemory is 0 and ${percentText(ratio)} of the host's memory (${sizeText(info.memory.systemBytes ?? 0)}) is resident: the kernel may end the server`,
  };
}

function fullText({ memory }: RedisInfo, pressure: number | undefined): string {
  if (pressure === undefined) return `${sizeText(memory.usedBytes ?? 0)} used`;
  return `${percentText(pressure)} of maxmemory ${sizeText(memory.maxmemoryBytes ?? 0)} used`;
}

function cannot({ policy, evictableRatio }: Eviction): string {
  if (evictableRatio === 0 && policy !== 'noeviction')
    return `policy ${policy} evicts only keys that expire, and none does`;
  if (policy === 'noeviction') return 'policy noeviction evicts nothing';
  if (evictableRatio < 1)
    return `policy ${policy} evicts only the ${percentText(evictableRatio)} of keys that expire`;
  return `policy ${policy} may evict every key and still does not keep up`;
}
