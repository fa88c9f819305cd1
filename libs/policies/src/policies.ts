import type { AdaptedPolicy } from './adapters/adapted.ts';
import { Breaker } from './breaker.ts';
import type { BreakerOptions } from './breaker-options.ts';
import { monotonicClock, type Clock } from './clock.ts';
import { PolicyError } from './policy-error.ts';
import type { PolicySnapshot } from './snapshots.ts';
import { Listeners, type Transition, type TransitionListener } from './transitions.ts';
import { WatchedPool, type PoolLike, type WatchPoolOptions } from './watch-pool.ts';
import type { WorkQueueOptions } from './work-queue-options.ts';
import { WorkQueue } from './work-queue.ts';

export type Policy = Breaker | WorkQueue | WatchedPool | AdaptedPolicy;

export interface PoliciesOptions {
  /** The service that this process is of: the same name in all its processes. */
  readonly service: string;
  /** Given to each policy that brings none. */
  readonly clock?: Clock;
}

/** All policies of one process. Names are unique for each kind. */
export interface Policies {
  readonly service: string;
  /** These three throw PolicyError `duplicate-name` or `invalid-option`. */
  breaker(name: string, options?: BreakerOptions): Breaker;
  queue(name: string, options: WorkQueueOptions): WorkQueue;
  watchPool(name: string, pool: PoolLike, options?: WatchPoolOptions): WatchedPool;
  /**
   * Shows a policy of another library among ours; see `@starr/policies/adapters`. Throws PolicyError
   * `duplicate-name`.
   */
  adopt<P extends AdaptedPolicy>(policy: P): P;
  /** Of our own. Absent when there is none of that name. */
  findBreaker(name: string): Breaker | undefined;
  list(): readonly Policy[];
  /** In the order of their making. */
  snapshots(): PolicySnapshot[];
  /** Transitions of all breakers, also of later ones. */
  onTransition(listener: TransitionListener): () => void;
}

export function createPolicies(options: PoliciesOptions): Policies {
  const all = new Map<string, Policy>();
  const transitions = new Listeners<Transition>();
  const clock = options.clock ?? monotonicClock;
  const add = <P extends Policy>(policy: P): P => {
    const key = `${policy.kind}:${policy.name}`;
    if (all.has(key)) {
      throw new PolicyError(
        'duplicate-name',
        policy.name,
        `there is already a ${policy.kind} ${policy.name}`,
      );
    }
    all.set(key, policy);
    return policy;
  };
  return {
    service: options.service,
    breaker(name, breakerOptions) {
      const breaker = add(new Breaker(name, { clock, ...breakerOptions }));
      breaker.onTransition((transition) => {
        transitions.tell(transition);
      });
      return breaker;
    },
    queue: (name, queueOptions) => add(new WorkQueue(name, { clock, ...queueOptions })),
    watchPool: (name, pool, poolOptions) =>
      add(new WatchedPool(name, pool, { clock, ...poolOptions })),
    adopt(policy) {
      add(policy).onTransition?.((transition) => {
        transitions.tell(transition);
      });
      return policy;
    },
    findBreaker(name) {
      const found = all.get(`breaker:${name}`);
      return found instanceof Breaker ? found : undefined;
    },
    list: () => [...all.values()],
    snapshots: () => [...all.values()].map((policy) => policy.snapshot()),
    onTransition: (listener) => transitions.listen(listener),
  };
}
