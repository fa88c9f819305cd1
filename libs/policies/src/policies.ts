import { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import type { AdaptiveConcurrencyOptions } from './adaptive-concurrency-options.ts';
import type { AdaptedPolicy } from './adapters/adapted.ts';
import type { AnyPolicySnapshot } from './any-policy-snapshot.ts';
import { Backpressure, type BackpressureOptions } from './backpressure.ts';
import { Breaker } from './breaker.ts';
import type { BreakerOptions } from './breaker-options.ts';
import { Bulkhead, type BulkheadOptions } from './bulkhead.ts';
import { monotonicClock, type Clock } from './clock.ts';
import { Fallback, type FallbackOptions } from './fallback.ts';
import { Interlocks, type InterlocksOptions } from './interlocks.ts';
import type { OverrideEvent } from './override.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import { PolicyError } from './policy-error.ts';
import { RateLimit, type RateLimitOptions } from './rate-limit.ts';
import { Retry, type RetryOptions } from './retry.ts';
import { RetryBudget } from './retry-budget.ts';
import type { PolicySnapshot } from './snapshots.ts';
import { Timeout, type TimeoutOptions } from './timeout.ts';
import { Listeners, type Transition, type TransitionListener } from './transitions.ts';
import { WatchedPool, type PoolLike, type WatchPoolOptions } from './watch-pool.ts';
import type { WorkQueueOptions } from './work-queue-options.ts';
import { WorkQueue } from './work-queue.ts';

/** What all policies of this library are, and those of others under our view. */
export interface Policy {
  readonly kind: string;
  readonly name: string;
  snapshot(): AnyPolicySnapshot;
  /** Only of breakers. */
  onTransition?(listener: TransitionListener): () => void;
  /** Only of our own breakers. */
  onOverride?(listener: (event: OverrideEvent) => void): () => void;
}

export interface PoliciesOptions {
  /** The service that this process is of: the same name in all its processes. */
  readonly service: string;
  /** Given to each policy that brings none. */
  readonly clock?: Clock;
}

/** All policies of one process. Names are unique for each kind. */
export interface Policies {
  readonly service: string;
  /** These and `add` throw PolicyError `duplicate-name` or `invalid-option`. */
  breaker(name: string, options?: BreakerOptions): Breaker;
  timeout(name: string, options: TimeoutOptions): Timeout;
  /** Without a `budget` it shares the one of all retries that guard the same dependency. */
  retry(name: string, options?: RetryOptions): Retry;
  bulkhead(name: string, options: BulkheadOptions): Bulkhead;
  pipeline(name: string, options: PipelineOptions): Pipeline;
  queue(name: string, options: WorkQueueOptions): WorkQueue;
  watchPool(name: string, pool: PoolLike, options?: WatchPoolOptions): WatchedPool;
  rateLimit(name: string, options: RateLimitOptions): RateLimit;
  concurrency(name: string, options?: AdaptiveConcurrencyOptions): AdaptiveConcurrency;
  backpressure(name: string, options: BackpressureOptions): Backpressure;
  fallback<T>(name: string, options: FallbackOptions<T>): Fallback<T>;
  /** These throw PolicyError `interlock-cycle` too. */
  interlocks(name: string, options: InterlocksOptions): Interlocks;
  /** Shows a policy that was made by itself. */
  add<P extends Policy>(policy: P): P;
  /**
   * Shows a policy of another library among ours; see `@starr/policies/adapters`. Throws PolicyError
   * `duplicate-name`.
   */
  adopt<P extends AdaptedPolicy>(policy: P): P;
  /** The one of that dependency; made with the defaults when there is none. */
  retryBudget(guards: string): RetryBudget;
  /** Of our own. Absent when there is none of that name. */
  findBreaker(name: string): Breaker | undefined;
  find(kind: string, name: string): Policy | undefined;
  list(): readonly Policy[];
  /** Breakers, queues and pools, in the order of their making: what the resilience service shows. */
  snapshots(): PolicySnapshot[];
  /** Of all, in the order of their making. */
  allSnapshots(): AnyPolicySnapshot[];
  /** Transitions of all breakers, also of later ones. */
  onTransition(listener: TransitionListener): () => void;
  /** Overrides of all breakers, also of later ones. */
  onOverride(listener: (event: OverrideEvent) => void): () => void;
}

export function createPolicies(options: PoliciesOptions): Policies {
  const clock = options.clock ?? monotonicClock;
  const registry = new Registry(clock);
  return {
    service: options.service,
    breaker: (name, of) => registry.add(new Breaker(name, { clock, ...of })),
    timeout: (name, of) => registry.add(new Timeout(name, { clock, ...of })),
    retry(name, of) {
      const budget = of?.budget ?? registry.retryBudget(of?.guards ?? name);
      return registry.add(new Retry(name, { clock, ...of, budget }));
    },
    bulkhead: (name, of) => registry.add(new Bulkhead(name, { clock, ...of })),
    pipeline: (name, of) => registry.add(new Pipeline(name, of)),
    queue: (name, of) => registry.add(new WorkQueue(name, { clock, ...of })),
    watchPool: (name, pool, of) => registry.add(new WatchedPool(name, pool, { clock, ...of })),
    rateLimit: (name, of) => registry.add(new RateLimit(name, { clock, ...of })),
    concurrency: (name, of) => registry.add(new AdaptiveConcurrency(name, { clock, ...of })),
    backpressure: (name, of) => registry.add(new Backpressure(name, { clock, ...of })),
    fallback: (name, of) => registry.add(new Fallback(name, { clock, ...of })),
    interlocks: (name, of) => registry.add(new Interlocks(name, { clock, ...of })),
    add: (policy) => registry.add(policy),
    adopt: (policy) => registry.add(policy),
    retryBudget: (guards) => registry.retryBudget(guards),
    findBreaker(name) {
      const found = registry.find('breaker', name);
      return found instanceof Breaker ? found : undefined;
    },
    find: (kind, name) => registry.find(kind, name),
    list: () => registry.list(),
    snapshots: () => registry.snapshots().filter(isShownByService),
    allSnapshots: () => registry.snapshots(),
    onTransition: (listener) => registry.transitions.listen(listener),
    onOverride: (listener) => registry.overrides.listen(listener),
  };
}

class Registry {
  readonly transitions = new Listeners<Transition>();
  readonly overrides = new Listeners<OverrideEvent>();
  readonly #all = new Map<string, Policy>();
  readonly #budgets = new Map<string, RetryBudget>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add<P extends Policy>(policy: P): P {
    const { kind, name } = policy;
    const key = `${kind}:${name}`;
    if (this.#all.has(key)) {
      throw new PolicyError('duplicate-name', name, `there is already a ${kind} ${name}`);
    }
    this.#all.set(key, policy);
    policy.onTransition?.((transition) => {
      this.transitions.tell(transition);
    });
    policy.onOverride?.((event) => {
      this.overrides.tell(event);
    });
    return policy;
  }

  find(kind: string, name: string): Policy | undefined {
    return this.#all.get(`${kind}:${name}`);
  }

  list(): Policy[] {
    return [...this.#all.values()];
  }

  snapshots(): AnyPolicySnapshot[] {
    return this.list().map((policy) => policy.snapshot());
  }

  retryBudget(guards: string): RetryBudget {
    const known = this.#budgets.get(guards);
    if (known) return known;
    const made = new RetryBudget(guards, { clock: this.#clock });
    this.#budgets.set(guards, made);
    return made;
  }
}

function isShownByService(snapshot: AnyPolicySnapshot): snapshot is PolicySnapshot {
  return snapshot.kind === 'breaker' || snapshot.kind === 'queue' || snapshot.kind === 'pool';
}
