import type { Breaker } from './breaker.ts';
import type { Bulkhead } from './bulkhead.ts';
import type { Act, CallContext, CallOptions } from './call-context.ts';
import { GuardParts, runGuarded } from './guarded-call.ts';
import type { Retry } from './retry.ts';
import type { Timeout } from './timeout.ts';

/** Any policy that runs an act, or not: RateLimit and AdaptiveConcurrency do. */
export interface Runs {
  readonly kind: string;
  readonly name: string;
  run<T>(act: () => PromiseLike<T> | T): Promise<T>;
}

/** A WorkQueue. */
export interface Submits {
  readonly kind: string;
  readonly name: string;
  submit<T>(
    work: () => PromiseLike<T> | T,
    options?: { readonly signal?: AbortSignal },
  ): Promise<T>;
}

/** A Fallback: answers in the place of a call that failed. */
export interface FallsBack<T> {
  readonly kind: string;
  readonly name: string;
  value(act: () => PromiseLike<T> | T, key?: string): Promise<T>;
}

/**
 * The policies around one dependency, each optional. From the outermost: retry, bulkhead, breaker, timeout,
 * queue, rateLimit, concurrency. So the breaker judges each attempt, waiting counts to the timeout of its attempt,
 * and what a policy of this process turned away is in no window.
 */
export interface PipelineOptions {
  /** The dependency. Absent: the pipeline's name. */
  readonly guards?: string;
  readonly retry?: Retry;
  readonly bulkhead?: Bulkhead;
  readonly breaker?: Breaker;
  /** Of one attempt. */
  readonly timeout?: Timeout;
  readonly queue?: Submits;
  readonly rateLimit?: Runs;
  readonly concurrency?: Runs;
}

/** What a pipeline shows; its policies show the rest. */
export interface PipelineSnapshot {
  readonly kind: 'pipeline';
  readonly name: string;
  readonly guards: string;
  /** Kind and name of its policies, from the outermost. */
  readonly policies: readonly string[];
}

export interface PipelineCallOptions<T> extends CallOptions {
  /** Asked when all the rest has failed. */
  readonly fallback?: FallsBack<T>;
  /** Which of the fallback's answers fits this call. */
  readonly key?: string;
}

/** All policies of one dependency around its calls, in the only order that keeps their windows true. */
export class Pipeline {
  readonly kind = 'pipeline';
  readonly name: string;
  readonly guards: string;
  readonly #parts: GuardParts;
  readonly #policies: readonly string[];
  readonly #queue: Submits | undefined;
  readonly #inner: readonly Runs[];

  constructor(name: string, options: PipelineOptions) {
    const { retry, bulkhead, breaker, timeout, queue, rateLimit, concurrency } = options;
    this.name = name;
    this.guards = options.guards ?? name;
    this.#parts = new GuardParts({
      ...(retry && { retry }),
      ...(bulkhead && { bulkhead }),
      ...(breaker && { breaker }),
      ...(timeout && { timeout }),
    });
    this.#queue = queue;
    this.#inner = [rateLimit, concurrency].filter((policy) => policy !== undefined);
    this.#policies = [retry, bulkhead, breaker, timeout, queue, ...this.#inner]
      .filter((policy) => policy !== undefined)
      .map((policy) => `${policy.kind} ${policy.name}`);
  }

  /** Rejects with what the act, or the policy that turned it away, rejects with. */
  run<T>(act: Act<T>, options?: PipelineCallOptions<T>): Promise<T> {
    const inner = this.#queue || this.#inner.length > 0 ? this.#wrap(act) : act;
    if (options?.fallback === undefined) return runGuarded(this.#parts, inner, options);
    return options.fallback.value(() => runGuarded(this.#parts, inner, options), options.key);
  }

  snapshot(): PipelineSnapshot {
    return { kind: 'pipeline', name: this.name, guards: this.guards, policies: this.#policies };
  }

  #wrap<T>(act: Act<T>): Act<T> {
    const [outer, inner] = this.#inner;
    let wrapped = act;
    for (const policy of [inner, outer]) {
      if (policy === undefined) continue;
      const next = wrapped;
      wrapped = (context: CallContext) => policy.run(() => next(context));
    }
    const queue = this.#queue;
    if (queue === undefined) return wrapped;
    // an attempt that is over must not run when its turn comes
    return (context) => queue.submit(() => wrapped(context), { signal: context.signal });
  }
}
