import {
  parseBreakerOptions,
  type BreakerOptions,
  type BreakerSettings,
  type Outcome,
} from './breaker-options.ts';
import { createOutcomeWindow, type OutcomeWindow } from './outcome-window.ts';
import { BreakerOpenError } from './policy-error.ts';
import type { BreakerSnapshot, BreakerState } from './snapshots.ts';
import { noteOnActiveSpan } from './span-events.ts';
import { Transitions, type TransitionWhy, type TransitionListener } from './transitions.ts';

/** Leave for one call; says under which epoch (and in which probe's place) its result counts. */
export type Permit = number & { readonly permit: unique symbol };

/** What a guarded reset found and did. */
export type ResetResult =
  | { readonly kind: 'reset'; readonly before: BreakerSnapshot; readonly after: BreakerSnapshot }
  | { readonly kind: 'refused'; readonly now: BreakerSnapshot };

// A permit is epoch × 64 + place; place 0 is a call through the closed breaker, 1–63 are probes.
const places = 64;
const free = -1;

/**
 * Circuit breaker. It owns no timer: everything is decided when a call comes, a result comes or somebody looks.
 */
export class Breaker {
  readonly kind = 'breaker';
  readonly name: string;
  readonly guards: string;
  readonly #settings: BreakerSettings;
  readonly #window: OutcomeWindow;
  readonly #nowMs: () => number;
  readonly #transitions = new Transitions();
  /** Lease ends of the probes, by place - 1; `free` where there is none. */
  readonly #leases: number[];

  #state: BreakerState = 'closed';
  #epoch = 1;
  #enteredAtMs: number;
  #since: Date;
  #retryAtMs = 0;
  #leftClosedAtMs = 0;
  #openings = 0;
  #probeSuccesses = 0;
  #rejectedInState = 0;
  #rejection: BreakerOpenError | undefined;
  #lastFailure: { name: string; at: Date } | undefined;
  #succeeded = 0;
  #failed = 0;
  #ignored = 0;
  #rejected = 0;
  #late = 0;

  /** Throws PolicyError `invalid-option`. */
  constructor(name: string, options: BreakerOptions = {}) {
    this.#settings = parseBreakerOptions(name, options);
    this.name = name;
    this.guards = this.#settings.guards;
    this.#window = createOutcomeWindow(this.#settings.opensOn);
    const { clock } = this.#settings;
    this.#nowMs = () => clock.nowMs();
    this.#leases = Array.from({ length: this.#settings.halfOpenMaxCalls }, () => free);
    this.#enteredAtMs = clock.nowMs();
    this.#since = clock.wallTime();
  }

  /** Runs `act` when the breaker lets it; otherwise rejects with BreakerOpenError without running it. */
  async run<T>(act: () => PromiseLike<T> | T): Promise<T> {
    const permit = this.acquire();
    if (permit === undefined) throw this.rejection();
    let value: T;
    try {
      value = await act();
    } catch (error) {
      this.record(permit, judged(this.#settings.outcomeOfError, error), error);
      throw error;
    }
    const { outcomeOfValue } = this.#settings;
    this.record(permit, outcomeOfValue ? judged(outcomeOfValue, value) : 'success');
    return value;
  }

  /** For calls that `run` does not fit. Absent: do not call. Each permit must be recorded exactly once. */
  acquire(): Permit | undefined {
    if (this.#state === 'closed') return (this.#epoch * places) as Permit;
    this.#expireLeases();
    const nowMs = this.#nowMs();
    if (this.#state === 'open' && nowMs >= this.#retryAtMs)
      this.#enter('half-open', 'recovery-due');
    const place = this.#state === 'half-open' ? this.#leases.indexOf(free) : -1;
    if (place < 0) {
      this.#rejected++;
      this.#rejectedInState++;
      return undefined;
    }
    this.#leases[place] = nowMs + this.#settings.probeLeaseMs;
    return (this.#epoch * places + place + 1) as Permit;
  }

  /** The error for a call that `acquire` did not let through. */
  rejection(): BreakerOpenError {
    noteOnActiveSpan('starr.breaker.rejected', { 'starr.breaker': this.name });
    this.#rejection ??= new BreakerOpenError(this.name, this.#epoch, () =>
      this.#timeUntilRetryMs(),
    );
    return this.#rejection;
  }

  /** Books a result. One that belongs to an earlier epoch is only counted: it must not move today's state. */
  record(permit: Permit, outcome: Outcome, error?: unknown): void {
    this.#expireLeases();
    if (Math.floor(permit / places) !== this.#epoch) {
      this.#late++;
      return;
    }
    const place = permit % places;
    if (place > 0) this.#recordProbe(place - 1, outcome, error);
    else this.#recordClosed(outcome, error);
  }

  /**
   * Closes, empties the window and forgets the openings in a row. With a guard it does so only while the
   * breaker is still in that epoch and state.
   */
  reset(guard?: { readonly epoch: number; readonly state: BreakerState }): ResetResult {
    const before = this.snapshot();
    if (guard && (guard.epoch !== before.epoch || guard.state !== before.state)) {
      return { kind: 'refused', now: before };
    }
    this.#enter('closed', 'reset');
    return { kind: 'reset', before, after: this.snapshot() };
  }

  snapshot(): BreakerSnapshot {
    this.#expireLeases();
    const nowMs = this.#nowMs();
    // open and half-open keep the window that opened them, as evidence
    if (this.#state === 'closed') this.#window.advance(nowMs);
    const { calls, failures } = this.#window;
    return {
      kind: 'breaker',
      name: this.name,
      guards: this.guards,
      state: this.#state,
      epoch: this.#epoch,
      since: this.#since,
      stateAgeMs: nowMs - this.#enteredAtMs,
      ...(this.#state !== 'closed' && { notClosedForMs: nowMs - this.#leftClosedAtMs }),
      windowCalls: calls,
      windowFailures: failures,
      ...(calls > 0 && { failureRatio: failures / calls }),
      ...(this.#state === 'open' && { timeUntilRetryMs: Math.max(0, this.#retryAtMs - nowMs) }),
      openingsInARow: this.#openings,
      probesInFlight: this.#leases.filter((lease) => lease !== free).length,
      rejectedInState: this.#rejectedInState,
      ...(this.#lastFailure && { lastFailure: this.#lastFailure }),
      totals: {
        succeeded: this.#succeeded,
        failed: this.#failed,
        ignored: this.#ignored,
        rejected: this.#rejected,
        late: this.#late,
      },
    };
  }

  /** Called after each transition; what it throws is dropped. Returns how to stop it. */
  onTransition(listener: TransitionListener): () => void {
    return this.#transitions.listen(listener);
  }

  #recordClosed(outcome: Outcome, error: unknown): void {
    if (outcome === 'ignored') {
      this.#ignored++;
      return;
    }
    const failed = outcome === 'failure';
    this.#count(failed, error);
    if (this.#window.record(failed, this.#nowMs)) this.#enter('open', 'threshold');
  }

  #recordProbe(index: number, outcome: Outcome, error: unknown): void {
    if (this.#leases[index] === free) {
      this.#late++;
      return;
    }
    this.#leases[index] = free;
    if (outcome === 'ignored') {
      this.#ignored++;
      return;
    }
    this.#count(outcome === 'failure', error);
    if (outcome === 'failure') {
      this.#enter('open', 'probe-failed');
    } else if (++this.#probeSuccesses >= this.#settings.halfOpenSuccesses) {
      this.#enter('closed', 'probes-succeeded');
    }
  }

  #count(failed: boolean, error: unknown): void {
    if (!failed) {
      this.#succeeded++;
      return;
    }
    this.#failed++;
    this.#lastFailure = { name: nameOfError(error), at: this.#settings.clock.wallTime() };
  }

  // A hung probe would otherwise hold its place, and with it the whole breaker, for ever.
  #expireLeases(): void {
    if (this.#state !== 'half-open') return;
    const nowMs = this.#nowMs();
    if (this.#leases.some((lease) => lease !== free && lease <= nowMs)) {
      this.#count(true, { name: 'ProbeLeaseExpired' });
      this.#enter('open', 'probe-expired');
    }
  }

  #enter(to: BreakerState, why: TransitionWhy): void {
    const from = this.#state;
    const { calls, failures } = this.#window;
    this.#state = to;
    this.#epoch++;
    this.#enteredAtMs = this.#nowMs();
    this.#since = this.#settings.clock.wallTime();
    this.#rejectedInState = 0;
    this.#rejection = undefined;
    this.#probeSuccesses = 0;
    this.#leases.fill(free);
    if (to === 'closed') {
      this.#openings = 0;
      this.#window.clear();
    } else if (to === 'open') {
      if (from === 'closed') this.#leftClosedAtMs = this.#enteredAtMs;
      this.#openings++;
      this.#retryAtMs = this.#enteredAtMs + this.#recoveryDelayMs();
    }
    const at = this.#since;
    noteOnActiveSpan('starr.breaker.transition', { 'starr.breaker': this.name, from, to, why });
    this.#transitions.tell({
      breaker: this.name,
      guards: this.guards,
      from,
      to,
      why,
      epoch: this.#epoch,
      at,
      calls,
      failures,
    });
  }

  #recoveryDelayMs(): number {
    const { recoveryMs, recoveryMaxMs, jitter, random } = this.#settings;
    const longestMs = Math.min(recoveryMaxMs, recoveryMs * 2 ** (this.#openings - 1));
    return jitter === 'full' ? longestMs * random() : longestMs;
  }

  #timeUntilRetryMs(): number {
    return this.#state === 'open' ? Math.max(0, this.#retryAtMs - this.#nowMs()) : 0;
  }
}

// A permit must be given back whatever the options' own function does.
function judged(outcomeOf: (what: unknown) => Outcome, what: unknown): Outcome {
  try {
    return outcomeOf(what);
  } catch {
    return 'failure';
  }
}

function nameOfError(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'name' in error && typeof error.name === 'string' ? error.name : 'Error';
}
