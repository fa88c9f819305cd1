import { context, type Context } from '@opentelemetry/api';
import { checkPositive } from './check-option.ts';
import { monotonicClock, type Clock } from './clock.ts';
import type { Act, CallOptions } from './call-context.ts';
import type { Touched } from './evidence.ts';
import { GuardParts, runGuarded } from './guarded-call.ts';
import { CallTimeoutError, stackless } from './policy-error.ts';
import { retuneSettings } from './retune-settings.ts';
import type { Retuned, Touch } from './retuned.ts';
import { keepsContexts, noteOnActiveSpan } from './span-events.ts';
import { timerWheelOf, type TimerWheel, type WheelEntry } from './timer-wheel.ts';
import { Touches } from './touches.ts';

export interface TimeoutSettings {
  readonly timeoutMs: number;
}

export interface TimeoutOptions extends TimeoutSettings {
  /** The dependency that is called. Absent: the timeout's name. */
  readonly guards?: string;
  readonly clock?: Clock;
}

/** What a timeout shows. */
export interface TimeoutSnapshot extends TimeoutSettings, Touched {
  readonly kind: 'timeout';
  readonly name: string;
  readonly guards: string;
  /** Since it was made; so is the next one. */
  readonly calls: number;
  readonly timedOut: number;
  /** Calls that timed out and whose act has not ended yet. */
  readonly abandoned: number;
}

/**
 * Ends the waiting for a call, never early and at most 8 ms late. The act itself goes on, unless it asks its
 * context for the signal and heeds it; its late result is dropped.
 */
export class Timeout {
  readonly kind = 'timeout';
  readonly name: string;
  readonly guards: string;
  readonly wheel: TimerWheel;
  readonly #parts = new GuardParts({ timeout: this });
  readonly #touches: Touches;
  #settings: TimeoutSettings;
  #keepsContexts = keepsContexts();
  #calls = 0;
  #timedOut = 0;
  #abandoned = 0;

  /** Throws PolicyError `invalid-option`. */
  constructor(name: string, options: TimeoutOptions) {
    this.name = name;
    this.guards = options.guards ?? name;
    const clock = options.clock ?? monotonicClock;
    this.wheel = timerWheelOf(clock);
    this.#touches = new Touches(clock);
    this.#settings = this.#check({ timeoutMs: options.timeoutMs });
  }

  get timeoutMs(): number {
    return this.#settings.timeoutMs;
  }

  /** Rejects with CallTimeoutError when `act` takes longer; it was called all the same. */
  run<T>(act: Act<T>, options?: CallOptions): Promise<T> {
    return runGuarded(this.#parts, act, options);
  }

  /** In force for the calls that are running, too. */
  retune(change: Partial<TimeoutSettings>, touch?: Touch): Retuned<TimeoutSettings> {
    const retuned = retuneSettings(this.#settings, change, (wanted) => {
      const byMs = this.#check(wanted).timeoutMs - this.timeoutMs;
      this.#settings = wanted;
      this.wheel.shift((timer) => this.#isOurs(timer), byMs);
      return wanted;
    });
    return this.#touches.noteRetune(retuned, touch);
  }

  snapshot(): TimeoutSnapshot {
    return {
      kind: 'timeout',
      name: this.name,
      guards: this.guards,
      timeoutMs: this.timeoutMs,
      calls: this.#calls,
      timedOut: this.#timedOut,
      abandoned: this.#abandoned,
      ...this.#touches.show(),
    };
  }

  // From here on for the calls.

  /** Gives the context of the call, when it will be wanted. Looking for it costs more than the timer. */
  start(timer: WheelEntry): Context | undefined {
    this.#calls++;
    this.wheel.add(timer, this.#settings.timeoutMs);
    return this.#keepsContexts ? context.active() : undefined;
  }

  endLate(): void {
    this.#abandoned--;
  }

  expire(): CallTimeoutError {
    this.#timedOut++;
    this.#abandoned++;
    // tracing may have been started since
    this.#keepsContexts = keepsContexts();
    noteOnActiveSpan('starr.timeout', { 'starr.timeout': this.name, timeoutMs: this.timeoutMs });
    return stackless(() => new CallTimeoutError(this.name, this.timeoutMs));
  }

  #isOurs(timer: WheelEntry): boolean {
    return 'timeout' in timer && timer.timeout === this;
  }

  #check(settings: TimeoutSettings): TimeoutSettings {
    checkPositive(this.name, 'timeoutMs', settings.timeoutMs);
    return settings;
  }
}
