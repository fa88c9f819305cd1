import {
  parseConcurrencySettings,
  type AdaptiveConcurrencyOptions,
  type AdaptiveConcurrencySettings,
} from './adaptive-concurrency-options.ts';
import type { Outcome } from './breaker-options.ts';
import { checkPositive, checkRatio } from './check-option.ts';
import { monotonicClock, type Clock } from './clock.ts';
import { DurationSketch } from './duration-sketch.ts';
import type { ConcurrencyDecision, ConcurrencySnapshot } from './flow-snapshots.ts';
import { GradientLimit } from './gradient-limit.ts';
import { isTimeout } from './is-timeout.ts';
import { PolicyError, stackless } from './policy-error.ts';
import { retuneSettings } from './retune-settings.ts';
import type { Retuned, Touch } from './retuned.ts';
import { type Slowable, SlowDowns } from './slow-downs.ts';
import { noteOnActiveSpan } from './span-events.ts';
import { Touches } from './touches.ts';

/** Leave for one call. */
export interface ConcurrencyPermit {
  readonly startedAtMs: number;
  readonly inFlight: number;
}

/** Told after each full window, also when the limit stays. */
export type DecisionListener = (decision: ConcurrencyDecision) => void;

/**
 * At most as many calls at once as the dependency serves without queueing them, which it finds out from how long
 * they take. What is beyond the limit is refused; `followLimit` lets it wait in a WorkQueue.
 */
export class AdaptiveConcurrency implements Slowable {
  readonly kind = 'concurrency';
  readonly name: string;
  readonly #clock: Clock;
  readonly #outcomeOfError: (error: unknown) => Outcome;
  readonly #limit: GradientLimit;
  readonly #window = new DurationSketch();
  readonly #slowDowns = new SlowDowns();
  readonly #listeners = new Set<DecisionListener>();
  readonly #touches: Touches;
  #settings: AdaptiveConcurrencySettings;
  #inFlight = 0;
  #windowEndsAtMs: number;
  #windowInFlight = 0;
  #windowAtLimit = false;
  #shortMs: number | undefined;
  #lastDecision: ConcurrencyDecision | undefined;
  #refusal: PolicyError | undefined;
  #succeeded = 0;
  #dropped = 0;
  #rejected = 0;

  /** Throws PolicyError `invalid-option`. */
  constructor(name: string, options: AdaptiveConcurrencyOptions = {}) {
    this.name = name;
    this.#settings = parseConcurrencySettings(name, options);
    this.#limit = new GradientLimit(this.#settings);
    this.#clock = options.clock ?? monotonicClock;
    this.#touches = new Touches(this.#clock);
    this.#outcomeOfError = options.outcomeOfError ?? outcomeOfError;
    this.#windowEndsAtMs = this.#clock.nowMs() + this.#settings.windowMs;
  }

  get settings(): AdaptiveConcurrencySettings {
    return this.#settings;
  }

  /** Calls that may run at once now. */
  get limit(): number {
    return this.#limitAt(this.#clock.nowMs());
  }

  /** Runs `act` when there is a place; otherwise rejects with PolicyError `overloaded` without running it. */
  async run<T>(act: () => PromiseLike<T> | T): Promise<T> {
    const permit = this.acquire();
    if (!permit) throw this.rejection();
    let value: T;
    try {
      value = await act();
    } catch (error) {
      this.#recordError(permit, error);
      throw error;
    }
    this.record(permit, 'success');
    return value;
  }

  /** For calls that `run` does not fit. Absent: do not call. Each permit must be recorded exactly once. */
  acquire(): ConcurrencyPermit | undefined {
    const nowMs = this.#clock.nowMs();
    if (this.#inFlight >= this.#limitAt(nowMs)) {
      this.#rejected++;
      this.#windowAtLimit = true;
      return undefined;
    }
    return { startedAtMs: nowMs, inFlight: ++this.#inFlight };
  }

  /** The error for a call that `acquire` did not let through: one object for all of them, without a stack. */
  rejection(): PolicyError {
    noteOnActiveSpan('starr.concurrency.rejected', { 'starr.concurrency': this.name });
    this.#refusal ??= stackless(
      () => new PolicyError('overloaded', this.name, `concurrency limit ${this.name} is reached`),
    );
    return this.#refusal;
  }

  /**
   * Gives the place back. How long a success took teaches the limit. A failure does not: it may be quick because
   * nothing was done; give `timedOut` for one that took as long as it might.
   */
  record(permit: ConcurrencyPermit, outcome: Outcome, { timedOut = false } = {}): void {
    this.#inFlight--;
    if (outcome === 'ignored') return;
    if (outcome === 'success') this.#succeeded++;
    else this.#dropped++;
    const nowMs = this.#clock.nowMs();
    if (outcome === 'success' || timedOut) {
      this.#window.record(nowMs - permit.startedAtMs);
      this.#windowInFlight = Math.max(this.#windowInFlight, permit.inFlight);
    }
    if (nowMs >= this.#windowEndsAtMs && this.#window.count >= this.#settings.windowSamples) {
      this.#decide(nowMs);
    }
  }

  /** Forgets what was learned and begins again at the initial limit. */
  reset(): void {
    this.#limit.reset();
    this.#shortMs = undefined;
    this.#startWindow(this.#clock.nowMs());
  }

  /** Applies at once: the limit is brought between the bounds, and what was learned stays. */
  retune(
    change: Partial<AdaptiveConcurrencySettings>,
    touch?: Touch,
  ): Retuned<AdaptiveConcurrencySettings> {
    const retuned = retuneSettings(this.#settings, change, (wanted) => {
      this.#settings = parseConcurrencySettings(this.name, wanted);
      this.#limit.retune(this.#settings);
      return this.#settings;
    });
    return this.#touches.noteRetune(retuned, touch);
  }

  /** Lets in a share of the limit, at least one call. */
  slowDown(by: string, share: number, forMs = Infinity): void {
    checkRatio(this.name, 'share', share);
    if (forMs !== Infinity) checkPositive(this.name, 'forMs', forMs);
    this.#slowDowns.hold(by, share, this.#clock.nowMs() + forMs);
  }

  release(by: string): boolean {
    return this.#slowDowns.release(by);
  }

  /** What the listener throws is dropped. Returns how to stop it. */
  onDecision(listener: DecisionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  snapshot(): ConcurrencySnapshot {
    const nowMs = this.#clock.nowMs();
    const limit = this.#limitAt(nowMs);
    const { longMs } = this.#limit;
    return {
      kind: 'concurrency',
      name: this.name,
      limit,
      minLimit: this.#settings.minLimit,
      maxLimit: this.#settings.maxLimit,
      inFlight: this.#inFlight,
      overLimit: Math.max(0, this.#inFlight - limit),
      share: this.#slowDowns.share,
      slowedBy: this.#slowDowns.list(nowMs),
      ...(this.#shortMs !== undefined && { shortMs: this.#shortMs }),
      ...(longMs !== undefined && { longMs }),
      ...(this.#lastDecision && { lastDecision: this.#lastDecision }),
      succeeded: this.#succeeded,
      dropped: this.#dropped,
      rejected: this.#rejected,
      ...this.#touches.show(),
    };
  }

  #recordError(permit: ConcurrencyPermit, error: unknown): void {
    let outcome: Outcome = 'failure';
    try {
      outcome = this.#outcomeOfError(error);
    } catch {
      // the place must be given back whatever the options' own function does
    }
    this.record(permit, outcome, { timedOut: isTimeout(error) });
  }

  #limitAt(nowMs: number): number {
    if (this.#slowDowns.nextEndMs <= nowMs) this.#slowDowns.expire(nowMs);
    return Math.max(1, Math.floor(this.#limit.limit * this.#slowDowns.share));
  }

  #decide(nowMs: number): void {
    const from = Math.floor(this.#limit.limit);
    const shortMs = this.#window.quantileMs(this.#settings.quantile);
    const samples = this.#window.count;
    const inFlight = this.#windowInFlight;
    const atLimit = this.#windowAtLimit || inFlight >= from;
    const why = this.#limit.decide({ shortMs, inFlight, atLimit });
    this.#shortMs = shortMs;
    this.#startWindow(nowMs);
    const decision: ConcurrencyDecision = {
      at: this.#clock.wallTime(),
      from,
      to: Math.floor(this.#limit.limit),
      why,
      shortMs,
      longMs: this.#limit.longMs ?? shortMs,
      inFlight,
      samples,
    };
    this.#lastDecision = decision;
    for (const listener of this.#listeners) {
      try {
        listener(decision);
      } catch {
        // a listener must not fail the call that ended the window
      }
    }
  }

  #startWindow(nowMs: number): void {
    this.#window.clear();
    this.#windowEndsAtMs = nowMs + this.#settings.windowMs;
    this.#windowInFlight = 0;
    this.#windowAtLimit = false;
  }
}

function outcomeOfError(error: unknown): Outcome {
  const aborted =
    typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
  return aborted ? 'ignored' : 'failure';
}
