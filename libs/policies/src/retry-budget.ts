import { checkCount } from './check-option.ts';
import { monotonicClock, type Clock } from './clock.ts';
import type { Touched } from './evidence.ts';
import { PolicyError } from './policy-error.ts';
import { retuneSettings } from './retune-settings.ts';
import type { Retuned, Touch } from './retuned.ts';
import { Touches } from './touches.ts';

export interface RetryBudgetSettings {
  /** Share of the calls in flight that may be retries at a time, 0–1; 0: only `minRetries`. */
  readonly ratio: number;
  /** So many retries at a time are allowed however few calls there are; 0: none beyond the ratio. */
  readonly minRetries: number;
}

export interface RetryBudgetOptions extends Partial<RetryBudgetSettings> {
  /** For the moments at which somebody changed it. */
  readonly clock?: Clock;
}

/** Envoy's retry budget has the same defaults: budget_percent 20 and min_retry_concurrency 3. */
const defaults: RetryBudgetSettings = { ratio: 0.2, minRetries: 3 };

/** What a retry budget shows. */
export interface RetryBudgetSnapshot extends RetryBudgetSettings, Touched {
  /** Calls in flight, retries among them; waiting for a retry is in flight. */
  readonly active: number;
  /** Of these, those that are retries. */
  readonly retrying: number;
  /** Retries that may be in flight now. */
  readonly limit: number;
  /** Retries refused, since the budget was made. */
  readonly refused: number;
}

/**
 * How much of the load on a dependency may be retries, shared by all that retry it: when it fails for everybody,
 * everybody's retries would otherwise multiply the load that it fails under.
 */
export class RetryBudget {
  readonly #name: string;
  readonly #touches: Touches;
  #settings: RetryBudgetSettings;
  #active = 0;
  #retrying = 0;
  #refused = 0;

  /** `guards` is the dependency. Throws PolicyError `invalid-option`. */
  constructor(guards: string, options: RetryBudgetOptions = {}) {
    const { clock = monotonicClock, ...settings } = options;
    this.#name = guards;
    this.#touches = new Touches(clock);
    this.#settings = this.#check({ ...defaults, ...settings });
  }

  get guards(): string {
    return this.#name;
  }

  /** A call begins; it must `end` once. */
  begin(): void {
    this.#active++;
  }

  end(): void {
    this.#active--;
  }

  /** False: the budget is spent, do not retry. After true the retry must be given back with `endRetry` once. */
  tryRetry(): boolean {
    if (this.#retrying >= this.#limit()) {
      this.#refused++;
      return false;
    }
    this.#retrying++;
    return true;
  }

  endRetry(): void {
    this.#retrying--;
  }

  /** In force with the next retry; those in flight go on. */
  retune(change: Partial<RetryBudgetSettings>, touch?: Touch): Retuned<RetryBudgetSettings> {
    const retuned = retuneSettings(
      this.#settings,
      change,
      (wanted) => (this.#settings = this.#check(wanted)),
    );
    return this.#touches.noteRetune(retuned, touch);
  }

  snapshot(): RetryBudgetSnapshot {
    return {
      ...this.#settings,
      active: this.#active,
      retrying: this.#retrying,
      limit: this.#limit(),
      refused: this.#refused,
      ...this.#touches.show(),
    };
  }

  #limit(): number {
    return Math.max(this.#settings.minRetries, Math.floor(this.#settings.ratio * this.#active));
  }

  #check(settings: RetryBudgetSettings): RetryBudgetSettings {
    checkCount(this.#name, 'minRetries', settings.minRetries, Number.MAX_SAFE_INTEGER, 0);
    if (!(settings.ratio >= 0 && settings.ratio <= 1)) {
      throw new PolicyError(
        'invalid-option',
        this.#name,
        `${this.#name}: ratio is ${settings.ratio}; allowed: from 0 to 1`,
      );
    }
    return settings;
  }
}
