import { monotonicClock, type Clock } from './clock.ts';
import { checkCount } from './check-option.ts';
import type { Act, CallOptions } from './call-context.ts';
import type { Touched } from './evidence.ts';
import { GuardParts, runGuarded } from './guarded-call.ts';
import { PolicyError, stackless } from './policy-error.ts';
import { retuneSettings } from './retune-settings.ts';
import type { Retuned, Touch } from './retuned.ts';
import { noteOnActiveSpan } from './span-events.ts';
import { Touches } from './touches.ts';

export interface BulkheadSettings {
  /** Calls at the same time. */
  readonly maxConcurrent: number;
}

export interface BulkheadOptions extends BulkheadSettings {
  /** The dependency that is guarded. Absent: the bulkhead's name. */
  readonly guards?: string;
  /** For the moments at which somebody changed it. */
  readonly clock?: Clock;
}

/** What a bulkhead shows. */
export interface BulkheadSnapshot extends BulkheadSettings, Touched {
  readonly kind: 'bulkhead';
  readonly name: string;
  readonly guards: string;
  readonly active: number;
  /** active ÷ maxConcurrent; above 1 while a lowered limit is not reached yet. */
  readonly utilisation: number;
  /** Calls beyond a lowered limit; they run to their end, and until then none begins. 0 otherwise. */
  readonly overLimit: number;
  /** Since it was made; so is the next one. */
  readonly processed: number;
  readonly rejected: number;
}

/**
 * A limit on the calls to one dependency, so that a slow one cannot hold everything that the process has. It does
 * not let anybody wait: for that take a WorkQueue.
 */
export class Bulkhead {
  readonly kind = 'bulkhead';
  readonly name: string;
  readonly guards: string;
  readonly #parts = new GuardParts({ bulkhead: this });
  readonly #touches: Touches;
  #settings: BulkheadSettings;
  #active = 0;
  #processed = 0;
  #rejected = 0;
  #rejection: PolicyError | undefined;

  /** Throws PolicyError `invalid-option`. */
  constructor(name: string, options: BulkheadOptions) {
    this.name = name;
    this.guards = options.guards ?? name;
    this.#touches = new Touches(options.clock ?? monotonicClock);
    this.#settings = this.#check({ maxConcurrent: options.maxConcurrent });
  }

  /** Runs `act` when there is a place; otherwise rejects with PolicyError `bulkhead-full` without running it. */
  run<T>(act: Act<T>, options?: CallOptions): Promise<T> {
    return runGuarded(this.#parts, act, options);
  }

  /** For calls that `run` does not fit. False: do not call. After true the place must be left once. */
  enter(): boolean {
    if (this.#active >= this.#settings.maxConcurrent) {
      this.#rejected++;
      return false;
    }
    this.#active++;
    return true;
  }

  leave(): void {
    this.#active--;
    this.#processed++;
  }

  /** Leaves a place for which nothing was called after all. */
  withdraw(): void {
    this.#active--;
  }

  /** The error for a call that `enter` did not let in: one object for all of them, without a stack. */
  rejection(): PolicyError {
    noteOnActiveSpan('starr.bulkhead.rejected', { 'starr.bulkhead': this.name });
    return (this.#rejection ??= stackless(
      () => new PolicyError('bulkhead-full', this.name, `bulkhead ${this.name} is full`),
    ));
  }

  /** A lowered limit interrupts nothing; see `overLimit`. */
  retune(change: Partial<BulkheadSettings>, touch?: Touch): Retuned<BulkheadSettings> {
    const retuned = retuneSettings(
      this.#settings,
      change,
      (wanted) => (this.#settings = this.#check(wanted)),
    );
    return this.#touches.noteRetune(retuned, touch);
  }

  snapshot(): BulkheadSnapshot {
    const { maxConcurrent } = this.#settings;
    return {
      kind: 'bulkhead',
      name: this.name,
      guards: this.guards,
      maxConcurrent,
      active: this.#active,
      utilisation: this.#active / maxConcurrent,
      overLimit: Math.max(0, this.#active - maxConcurrent),
      processed: this.#processed,
      rejected: this.#rejected,
      ...this.#touches.show(),
    };
  }

  #check(settings: BulkheadSettings): BulkheadSettings {
    checkCount(this.name, 'maxConcurrent', settings.maxConcurrent);
    return settings;
  }
}
