// For applications
export { createPolicies, type Policies, type PoliciesOptions, type Policy } from './policies.ts';
export { Breaker, type Permit, type ResetResult } from './breaker.ts';
export type { BreakerOptions, OpensOn, Outcome } from './breaker-options.ts';
export { WorkQueue, type WorkQueueOptions } from './work-queue.ts';
export {
  WatchedPool,
  type PoolLike,
  type PoolLikeOptions,
  type WatchPoolOptions,
} from './watch-pool.ts';
export { BreakerOpenError, PolicyError, type PolicyErrorCode } from './policy-error.ts';
export type { Transition, TransitionListener, TransitionWhy } from './transitions.ts';
export { monotonicClock, type Cancel, type Clock } from './clock.ts';

// For libraries that show policies
export type {
  BreakerSnapshot,
  BreakerState,
  BreakerTotals,
  PolicySnapshot,
  PoolMinute,
  PoolServer,
  PoolSnapshot,
  QueueSnapshot,
} from './snapshots.ts';
