import { context, type Context } from '@opentelemetry/api';
import type { Permit } from './breaker-automaton.ts';
import type { Act, CallContext } from './call-context.ts';
import type { GuardParts } from './guarded-call.ts';
import { isPlainPromise } from './plain-promise.ts';
import type { Timeout } from './timeout.ts';
import type { WheelEntry } from './timer-wheel.ts';

type Resolve<T> = (value: T) => void;
type Reject = (error: unknown) => void;

/** What most attempts never need, so that these stay small: their size is what they cost. */
interface Seldom {
  /** Absent: 1. */
  readonly attempt?: number;
  /** Of the caller: the wheel's tick runs in somebody else's. */
  context?: Context;
  readonly callersSignal?: AbortSignal;
  onAbort?: () => void;
  controller?: AbortController;
  /** Why nobody waits for the act any more. */
  lost?: { readonly because: unknown; readonly timedOut: boolean };
}

/**
 * One attempt of a call under its policies. All of them in one object and one promise: nested functions would cost
 * a promise and two closures each.
 */
export class Attempt<T> implements WheelEntry, CallContext {
  place = -1;
  when = 0;
  readonly #parts: GuardParts;
  readonly #reject: Reject;
  /** Absent when it is over. */
  #resolve: Resolve<T> | undefined;
  #permit: Permit | undefined;
  #startedMs = 0;
  #seldom: Seldom | undefined;

  constructor(
    parts: GuardParts,
    attempt: number,
    callersSignal: AbortSignal | undefined,
    resolve: Resolve<T>,
    reject: Reject,
  ) {
    this.#parts = parts;
    this.#resolve = resolve;
    this.#reject = reject;
    if (attempt > 1 || callersSignal)
      this.#seldom = { attempt, ...(callersSignal && { callersSignal }) };
  }

  get attempt(): number {
    return this.#seldom?.attempt ?? 1;
  }

  get timeout(): Timeout | undefined {
    return this.#parts.timeout;
  }

  get signal(): AbortSignal {
    const seldom = (this.#seldom ??= {});
    const controller = (seldom.controller ??= new AbortController());
    if (seldom.lost) controller.abort(seldom.lost.because);
    return controller.signal;
  }

  start(act: Act<T>): void {
    if (!this.#enter()) return;
    const { breaker, timeout } = this.#parts;
    if (breaker !== undefined) this.#startedMs = breaker.startedMs();
    let running: PromiseLike<T> | T;
    try {
      running = act(this);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (timeout !== undefined) {
      const kept = timeout.start(this);
      if (kept) (this.#seldom ??= {}).context = kept;
    }
    if (this.#seldom?.callersSignal) this.#heed(this.#seldom.callersSignal);
    const promise = isPlainPromise(running) ? running : Promise.resolve(running);
    promise.then(
      (value) => {
        this.#succeed(value);
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
  }

  /** The time is over. */
  due(): void {
    context.with(this.#seldom?.context ?? context.active(), () => {
      const because = this.#parts.timeout?.expire();
      this.#lose(because, true);
    });
  }

  /** False: it was turned away. */
  #enter(): boolean {
    const { bulkhead, breaker } = this.#parts;
    const callersSignal = this.#seldom?.callersSignal;
    if (callersSignal?.aborted) return this.#turnAway(callersSignal.reason);
    if (bulkhead?.enter() === false) return this.#turnAway(bulkhead.rejection());
    if (breaker === undefined) return true;
    this.#permit = breaker.acquire();
    if (this.#permit !== undefined) return true;
    bulkhead?.withdraw();
    return this.#turnAway(breaker.rejection());
  }

  // Rejecting before anybody waits would cost more than all the rest.
  #turnAway(because: unknown): false {
    void Promise.resolve().then(() => {
      this.#reject(because);
    });
    return false;
  }

  #succeed(value: T): void {
    const resolve = this.#resolve;
    if (resolve === undefined) {
      this.#endLate();
      return;
    }
    this.#end();
    if (this.#permit !== undefined) {
      this.#parts.breaker?.recordValue(this.#permit, value, this.#startedMs);
    }
    resolve(value);
  }

  #fail(error: unknown): void {
    if (this.#resolve === undefined) {
      this.#endLate();
      return;
    }
    this.#end();
    if (this.#permit !== undefined) {
      this.#parts.breaker?.recordError(this.#permit, error, this.#startedMs);
    }
    this.#reject(error);
  }

  #end(): void {
    const { timeout, bulkhead } = this.#parts;
    this.#resolve = undefined;
    if (timeout !== undefined) timeout.wheel.remove(this);
    if (bulkhead !== undefined) bulkhead.leave();
    const seldom = this.#seldom;
    if (seldom?.onAbort) seldom.callersSignal?.removeEventListener('abort', seldom.onAbort);
  }

  #heed(signal: AbortSignal): void {
    const onAbort = () => {
      if (this.#permit !== undefined) this.#parts.breaker?.record(this.#permit, 'ignored');
      this.#permit = undefined;
      this.#lose(signal.reason, false);
    };
    if (this.#seldom) this.#seldom.onAbort = onAbort;
    signal.addEventListener('abort', onAbort, { once: true });
  }

  /** Goes on without the act. */
  #lose(because: unknown, timedOut: boolean): void {
    const seldom = (this.#seldom ??= {});
    seldom.lost = { because, timedOut };
    this.#fail(because);
    seldom.controller?.abort(because);
  }

  /** The act has ended after all; nobody waits for it. */
  #endLate(): void {
    if (this.#seldom?.lost?.timedOut) this.#parts.timeout?.endLate();
  }
}
