import type { BreakerSnapshot, Limited, PolicySnapshot, QueueSnapshot } from '../snapshots.ts';
import type { TransitionListener } from '../transitions.ts';

export type { Limited };

/** A policy of another library under our view. */
export interface AdaptedPolicy {
  readonly kind: 'breaker' | 'queue';
  readonly name: string;
  readonly limited: Limited;
  snapshot(): PolicySnapshot & { readonly limited: Limited };
  /** Only of breakers. */
  onTransition?(listener: TransitionListener): () => void;
  /** Stops watching; the policy itself goes on as it is, without overrides. */
  end(): void;
}

export interface AdaptedBreakerSnapshot extends BreakerSnapshot {
  readonly limited: Limited;
}

export interface AdaptedQueueSnapshot extends QueueSnapshot {
  readonly limited: Limited;
}

/** `maxSize` of a queue that takes everything, and `maxWorkers` of one that runs everything at once. */
export const withoutBound = Number.MAX_SAFE_INTEGER;

export function boundOf(limit: number): number {
  return Math.min(limit, withoutBound);
}
