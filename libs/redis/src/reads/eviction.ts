import type { RedisInfo } from './info.ts';

/** What the server could throw away when memory runs out. */
export interface Eviction {
  readonly policy: string;
  /** Keys that the policy may evict, of all; 0 under noeviction; 1 under allkeys-*, and when there are no keys. */
  readonly evictableRatio: number;
}

/** Absent: INFO carries no policy. Judged by the policy's family, so that new members need no new code. */
export function evictionOf(info: RedisInfo): Eviction | undefined {
  const policy = info.memory.policy;
  return policy === undefined
    ? undefined
    : { policy, evictableRatio: evictableRatio(policy, info) };
}

export function evictableRatio(policy: string, { keys }: Pick<RedisInfo, 'keys'>): number {
  if (policy === 'noeviction') return 0;
  if (!policy.startsWith('volatile-')) return 1;
  return keys.total === 0 ? 1 : keys.volatile / keys.total;
}
