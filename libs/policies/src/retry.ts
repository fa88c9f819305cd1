import { checkCount, checkPositive } from './check-option.ts';
import { monotonicClock, type Clock } from './clock.ts';
import type { Act, CallOptions } from './call-context.ts';
import type { Touched } from './evidence.ts';
import { GuardParts, runGuarded } from './guarded-call.ts';
import { isLocalRejection } from './policy-error.ts';
import { RetryBudget, type RetryBudgetSnapshot } from './retry-budget.ts';
import { retuneSettings } from './retune-settings.ts';
import type { Retuned, Touch } from './retuned.ts';
import { noteOnActiveSpan } from './span-events.ts';
import { timerWheelOf } from './timer-wheel.ts';
import { waitOnWheel } from './wait-on-wheel.ts';
import { Touches } from './touches.ts';

/** What can be changed while calls are retried. */
export interface RetrySettings {
  /** All attempts of a call, the first included; 1: no retry. Default 3. */
  readonly maxAttempts: number;
  /** Longest wait before the second attempt; doubles with each further one. Default 100. */
  readonly delayMs: number;
  /** Cap of the doubling. Default 5000. */
  readonly maxDelayMs: number;
  /** `full` draws each wait between 0 and its length. Default `full`. */
  readonly jitter: 'full' | 'none';
}

/** `never`: the server asks not to be tried again. */
export type Pushback = number | 'never' | undefined;

export interface RetryOptions extends Partial<RetrySettings> {
  /** The dependency that is called. Absent: the retry's name. */
  readonly guards?: string;
  /** Shared by all that retry the dependency. Absent: one of its own, with the defaults. */
  readonly budget?: RetryBudget;
  /**
   * Whether another attempt may help. Default: yes, but for an AbortError and for rejections by a policy of this
   * process (an open breaker, a full bulkhead). Say no where an attempt may have had its effect in spite of the error.
   */
  readonly retryOf?: (error: unknown) => boolean;
  /** How long the server asks to wait (as grpc-retry-pushback-ms or Retry-After do), in ms; absent: it does not say. */
  readonly pushbackMs?: (error: unknown) => Pushback;
  readonly clock?: Clock;
  /** 0 ≤ n < 1; default Math.random. */
  readonly random?: () => number;
}

/** What a retry shows. */
export interface RetrySnapshot extends RetrySettings, Touched {
  readonly kind: 'retry';
  readonly name: string;
  readonly guards: string;
  /** Since it was made; so are the next four. */
  readonly calls: number;
  readonly retries: number;
  /** Calls that succeeded after a retry. */
  readonly recovered: number;
  /** Calls that failed at their last attempt. */
  readonly exhausted: number;
  /** Calls that failed because the budget was spent. */
  readonly overBudget: number;
  /** Calls that wait for their next attempt now. */
  readonly waiting: number;
  readonly budget: RetryBudgetSnapshot;
}

/** Calls again what failed, a few times, with growing random waits, within a budget. */
export class Retry {
  readonly kind = 'retry';
  readonly name: string;
  readonly guards: string;
  readonly budget: RetryBudget;
  readonly clock: Clock;
  readonly #retryOf: (error: unknown) => boolean;
  readonly #pushbackMs: ((error: unknown) => Pushback) | undefined;
  readonly #random: () => number;
  readonly #parts = new GuardParts({ retry: this });
  readonly #touches: Touches;
  #settings: RetrySettings;
  #calls = 0;
  #retries = 0;
  #recovered = 0;
  #exhausted = 0;
  #overBudget = 0;
  #waiting = 0;

  /** Throws PolicyError `invalid-option`. */
  constructor(name: string, options: RetryOptions = {}) {
    this.name = name;
    this.guards = options.guards ?? name;
    this.clock = options.clock ?? monotonicClock;
    this.budget = options.budget ?? new RetryBudget(this.guards, { clock: this.clock });
    this.#touches = new Touches(this.clock);
    this.#retryOf = options.retryOf ?? isWorthRetrying;
    this.#pushbackMs = options.pushbackMs;
    this.#random = options.random ?? Math.random;
    const { maxAttempts = 3, delayMs = 100, maxDelayMs = Math.max(5000, delayMs) } = options;
    const { jitter = 'full' } = options;
    this.#settings = this.#check({ maxAttempts, delayMs, maxDelayMs, jitter });
  }

  /** Rejects with the error of the last attempt. `options.signal` ends the waiting too. */
  run<T>(act: Act<T>, options?: CallOptions): Promise<T> {
    return runGuarded(this.#parts, act, options);
  }

  /** In force with the next decision; who waits goes on waiting. */
  retune(change: Partial<RetrySettings>, touch?: Touch): Retuned<RetrySettings> {
    const retuned = retuneSettings(
      this.#settings,
      change,
      (wanted) => (this.#settings = this.#check(wanted)),
    );
    return this.#touches.noteRetune(retuned, touch);
  }

  snapshot(): RetrySnapshot {
    return {
      kind: 'retry',
      name: this.name,
      guards: this.guards,
      ...this.#settings,
      calls: this.#calls,
      retries: this.#retries,
      recovered: this.#recovered,
      exhausted: this.#exhausted,
      overBudget: this.#overBudget,
      waiting: this.#waiting,
      budget: this.budget.snapshot(),
      ...this.#touches.show(),
    };
  }

  // From here on for the call that is retried.

  begin(): void {
    this.#calls++;
    this.budget.begin();
  }

  recover(): void {
    this.#recovered++;
  }

  end(): void {
    this.budget.end();
  }

  /** How long to wait before the next attempt; absent: no other one. The budget has been charged for it. */
  delayBefore(attempt: number, error: unknown): number | undefined {
    if (!judge(() => this.#retryOf(error))) return undefined;
    const pushback = this.#pushbackMs && judgePushback(this.#pushbackMs, error);
    if (pushback === 'never') return undefined;
    const { maxAttempts, delayMs, maxDelayMs, jitter } = this.#settings;
    if (attempt > maxAttempts) {
      this.#exhausted++;
      return undefined;
    }
    if (!this.budget.tryRetry()) {
      this.#overBudget++;
      noteOnActiveSpan('starr.retry.over-budget', { 'starr.retry': this.name, attempt });
      return undefined;
    }
    this.#retries++;
    noteOnActiveSpan('starr.retry', { 'starr.retry': this.name, attempt });
    if (pushback !== undefined) return pushback;
    const longestMs = Math.min(maxDelayMs, delayMs * 2 ** (attempt - 2));
    return jitter === 'full' ? longestMs * this.#random() : longestMs;
  }

  /** Rejects with the signal's reason when that aborts first. */
  async wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    this.#waiting++;
    try {
      await waitOnWheel(timerWheelOf(this.clock), delayMs, signal);
    } finally {
      this.#waiting--;
    }
  }

  #check(settings: RetrySettings): RetrySettings {
    checkCount(this.name, 'maxAttempts', settings.maxAttempts);
    checkPositive(this.name, 'delayMs', settings.delayMs);
    checkPositive(this.name, 'maxDelayMs', settings.maxDelayMs, settings.delayMs);
    return settings;
  }
}

function isWorthRetrying(error: unknown): boolean {
  const aborted =
    typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
  return !aborted && !isLocalRejection(error);
}

// A fault of the options' own function must not hide the error that it was asked about.
function judge(ask: () => boolean): boolean {
  try {
    return ask();
  } catch {
    return false;
  }
}

function judgePushback(ask: (error: unknown) => Pushback, error: unknown): Pushback {
  try {
    return ask(error);
  } catch {
    return undefined;
  }
}
