// For applications
export { createPolicies, type Policies, type PoliciesOptions, type Policy } from './policies.ts';
export { Breaker, type Permit } from './breaker.ts';
export type {
  BreakerOptions,
  BreakerSettings,
  BreakerTuning,
  OpensOn,
  Outcome,
  SlowCalls,
} from './breaker-options.ts';
export type {
  OverrideEvent,
  OverrideKind,
  OverrideRequest,
  OverrideResult,
  OverrideSnapshot,
} from './override.ts';
export type { ResetResult, Retuned, Touch, UnlessMoved } from './retuned.ts';
export { Timeout, type TimeoutOptions, type TimeoutSettings } from './timeout.ts';
export { Retry, type Pushback, type RetryOptions, type RetrySettings } from './retry.ts';
export { RetryBudget, type RetryBudgetOptions, type RetryBudgetSettings } from './retry-budget.ts';
export { Bulkhead, type BulkheadOptions, type BulkheadSettings } from './bulkhead.ts';
export {
  Pipeline,
  type FallsBack,
  type PipelineCallOptions,
  type PipelineOptions,
  type Runs,
  type Submits,
} from './pipeline.ts';
export type { Act, CallContext, CallOptions } from './call-context.ts';
export { observePolicies } from './observe-policies.ts';
export { WorkQueue } from './work-queue.ts';
export type { PoolSettings } from './pool-size.ts';
export {
  WatchedPool,
  type PoolLike,
  type PoolLikeOptions,
  type WatchPoolOptions,
} from './watch-pool.ts';
export {
  BreakerOpenError,
  CallTimeoutError,
  PolicyError,
  isLocalRejection,
  type PolicyErrorCode,
  type RejectedBecause,
} from './policy-error.ts';
export type { Evidence, FailureSample, Touched, TouchNote } from './evidence.ts';
export type { LatencySnapshot } from './latency-histogram.ts';
export type { Transition, TransitionListener, TransitionWhy } from './transitions.ts';
export { monotonicClock, type Cancel, type Clock } from './clock.ts';
export { RateLimit, type RateLimitOptions, type RateLimitSettings } from './rate-limit.ts';
export { RateLimitedError } from './rate-limited-error.ts';
export type { SlowDown, Slowable } from './slow-downs.ts';
export {
  Backpressure,
  type BackpressureListener,
  type BackpressureOptions,
  type BackpressureSettings,
  type BackpressureState,
  type Fillable,
} from './backpressure.ts';
export type { ForceOptions } from './forced-state.ts';
export { Fallback, type FallbackAnswer, type FallbackOptions } from './fallback.ts';
export {
  fixedAnswer,
  otherCall,
  type FallbackCause,
  type FallbackFound,
  type FallbackStrategy,
} from './fallback-strategy.ts';
export {
  RememberedAnswers,
  type RememberedAnswersOptions,
  type RememberedAnswersSettings,
} from './remembered-answers.ts';
export {
  Interlocks,
  checkInterlocks,
  type InterlockEffect,
  type InterlockFault,
  type InterlockRule,
  type InterlockSource,
  type InterlocksOptions,
  type Switchable,
} from './interlocks.ts';
export { backpressureState, breakerState } from './interlock-sources.ts';
export type {
  DrainRule,
  Priority,
  WorkOptions,
  WorkQueueOptions,
  WorkQueueSettings,
  WorkQueueTuning,
  WorkRun,
} from './work-queue-options.ts';
export {
  AdaptiveConcurrency,
  type ConcurrencyPermit,
  type DecisionListener,
} from './adaptive-concurrency.ts';
export { followLimit } from './follow-limit.ts';
export type {
  AdaptiveConcurrencyOptions,
  AdaptiveConcurrencySettings,
} from './adaptive-concurrency-options.ts';

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
export type {
  BackpressureSnapshot,
  ConcurrencyDecision,
  ConcurrencySnapshot,
  FallbackSnapshot,
  FallbackStrategySnapshot,
  FlowSnapshot,
  Forced,
  InterlockSnapshot,
  InterlocksSnapshot,
  OperationTimings,
  RateLimitSnapshot,
  WatchedPoolSnapshot,
  WorkQueueSnapshot,
} from './flow-snapshots.ts';
export type { TimeoutSnapshot } from './timeout.ts';
export type { RetrySnapshot } from './retry.ts';
export type { RetryBudgetSnapshot } from './retry-budget.ts';
export type { BulkheadSnapshot } from './bulkhead.ts';
export type { PipelineSnapshot } from './pipeline.ts';
export type { AnyPolicySnapshot } from './any-policy-snapshot.ts';
export {
  figuresOfPolicy,
  policyMetrics,
  type PolicyFigure,
  type PolicyMetric,
} from './policy-metrics.ts';
