import { BreakerAutomaton, type Held, type Moved, type Permit } from './breaker-automaton.ts';
import { BreakerBook, figuresOf } from './breaker-book.ts';
import {
  judgeSafely,
  outcomeOfAnyError,
  parseBreakerTuning,
  type BreakerOptions,
  type BreakerSettings,
  type BreakerTuning,
  type Outcome,
} from './breaker-options.ts';
import { monotonicClock, type Clock } from './clock.ts';
import { nameOfError } from './evidence-log.ts';
import { BreakerOverrides } from './breaker-overrides.ts';
import type { OverrideEvent, OverrideRequest, OverrideResult } from './override.ts';
import { isPlainPromise, rejectLater } from './plain-promise.ts';
import { BreakerOpenError, isLocalRejection } from './policy-error.ts';
import { retuneSettings } from './retune-settings.ts';
import type { ResetResult, Retuned, Touch, UnlessMoved } from './retuned.ts';
import type { BreakerSnapshot, BreakerState } from './snapshots.ts';
import { noteOnActiveSpan } from './span-events.ts';
import { Listeners, type Transition, type TransitionWhy } from './transitions.ts';

export type { Permit } from './breaker-automaton.ts';

/** Of a call that runs only because an override holds the breaker closed: no epoch waits for its result. */
const bystander = 0 as Permit;

/**
 * Circuit breaker: an automaton of three states, over which an override may lie. It owns no timer: everything is
 * decided when a call comes, a result comes or somebody looks (only an override's lease has one).
 */
export class Breaker implements Moved {
  readonly kind = 'breaker';
  readonly name: string;
  readonly guards: string;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #outcomeOfError: (error: unknown) => Outcome;
  readonly #outcomeOfValue: ((value: unknown) => Outcome) | undefined;
  readonly #automaton: BreakerAutomaton;
  readonly #book: BreakerBook;
  /** Made when somebody listens, as the layer of overrides: most breakers have neither. */
  #transitions: Listeners<Transition> | undefined;
  #settings: BreakerSettings;
  /** The permit of every call while the breaker is closed and nothing lies over it; absent: look closer. */
  #passes: Permit | undefined;
  #overrides: BreakerOverrides | undefined;

  /** Throws PolicyError `invalid-option`. */
  constructor(name: string, options: BreakerOptions = {}) {
    const settings = parseBreakerTuning(name, options);
    this.name = name;
    this.guards = options.guards ?? name;
    this.#settings = settings;
    this.#clock = options.clock ?? monotonicClock;
    this.#random = options.random ?? Math.random;
    this.#outcomeOfError = options.outcomeOfError ?? outcomeOfAnyError;
    this.#outcomeOfValue = options.outcomeOfValue;
    this.#automaton = new BreakerAutomaton(settings, this.#random, this.#clock.nowMs(), this);
    this.#book = new BreakerBook(this.#clock, options.version);
    this.#take(settings);
  }

  /** Runs `act` when the breaker lets it; otherwise rejects with BreakerOpenError without running it. */
  run<T>(act: () => PromiseLike<T> | T): Promise<T> {
    const permit = this.acquire();
    if (permit === undefined) return rejectLater(this.rejection());
    const startedMs = this.#book.startedMs();
    let running: PromiseLike<T> | T;
    try {
      running = act();
    } catch (error) {
      this.recordError(permit, error, startedMs);
      return rejectLater(error as Error);
    }
    const onError = (error: unknown): never => {
      this.recordError(permit, error, startedMs);
      throw error;
    };
    const onValue = (value: T): T => {
      this.recordValue(permit, value, startedMs);
      return value;
    };
    // an async function around it would cost a quarter more; what is no plain promise is made one
    return isPlainPromise(running)
      ? running.then(onValue, onError)
      : Promise.resolve(running).then(onValue, onError);
  }

  /** For calls that `run` does not fit. Absent: do not call. Each permit must be recorded exactly once. */
  acquire(): Permit | undefined {
    const permit = this.#passes ?? this.#acquireCloser();
    if (permit !== undefined) this.#book.inFlight++;
    return permit;
  }

  /** The error for the call that `acquire` did not let through just now. */
  rejection(): BreakerOpenError {
    noteOnActiveSpan('starr.breaker.rejected', { 'starr.breaker': this.name });
    return this.#book.rejection((because) => {
      const automaton = this.#automaton;
      const untilRetryMs = () => automaton.untilRetryMs(this.#clock.nowMs());
      return new BreakerOpenError(this.name, automaton.epoch, untilRetryMs, because);
    });
  }

  /** For recordValue and recordError: when the call began, as far as that is wanted. */
  startedMs(): number {
    return this.#book.startedMs();
  }

  /** `record` for a value, judged as `run` does it. */
  recordValue(permit: Permit, value: unknown, startedMs: number): void {
    const outcomeOfValue = this.#outcomeOfValue;
    if (outcomeOfValue === undefined && permit === this.#passes) {
      this.#succeed(startedMs);
      return;
    }
    const outcome = outcomeOfValue ? judgeSafely(outcomeOfValue, value) : 'success';
    this.record(permit, outcome, undefined, this.#book.tookMs(startedMs));
  }

  /** `record` for an error, judged as `run` does it. */
  recordError(permit: Permit, error: unknown, startedMs: number): void {
    const outcome = isLocalRejection(error) ? 'ignored' : judgeSafely(this.#outcomeOfError, error);
    this.record(permit, outcome, error, this.#book.tookMs(startedMs));
  }

  /**
   * Books a result. One that belongs to an earlier epoch is only counted: it must not move today's state.
   * Without `tookMs` the call is in no histogram and never slow.
   */
  record(permit: Permit, outcome: Outcome, error?: unknown, tookMs?: number): void {
    const book = this.#book;
    const automaton = this.#automaton;
    const nowMs = this.#clock.nowMs();
    book.inFlight--;
    automaton.expire(nowMs);
    if (permit !== bystander && !automaton.holds(permit)) {
      book.late++;
      return;
    }
    if (outcome === 'ignored') {
      book.ignored++;
      automaton.giveBack(permit);
      return;
    }
    const failed = outcome === 'failure';
    if (failed) book.noteFailure(nameOfError(error));
    else book.succeeded++;
    if (tookMs !== undefined) book.latency?.record(tookMs);
    if (permit !== bystander) automaton.book(permit, failed, book.isSlow(tookMs), nowMs);
  }

  /**
   * Closes, empties the window and forgets the openings in a row. With a guard it does so only while the
   * breaker is still in that epoch and state. An override stays in force.
   */
  reset(guard?: UnlessMoved, touch?: Touch): ResetResult {
    const before = this.snapshot();
    if (guard && (guard.epoch !== before.epoch || guard.state !== before.state)) {
      return { kind: 'refused', now: before };
    }
    this.#book.noteTouch('reset', touch);
    this.#automaton.reset(this.#clock.nowMs());
    return { kind: 'reset', before, after: this.snapshot() };
  }

  /**
   * Changes any of the tuning on the live state. Thresholds are judged with the next result, a new recovery delay
   * counts from the opening, places above a lowered `halfOpenMaxCalls` drain, leases that are out keep their end.
   * A new epoch begins only when the window had to be emptied.
   */
  retune(tuning: BreakerTuning, touch?: Touch): Retuned<BreakerSettings> {
    const settings = retuneSettings(this.#settings, tuning, (wanted) =>
      parseBreakerTuning(this.name, wanted),
    );
    if (settings.kind === 'refused') return settings;
    const fate = this.#automaton.retune(settings.after, this.#clock.nowMs());
    this.#take(settings.after);
    this.#book.noteTouch('retune', touch);
    return { ...settings, ...fate };
  }

  /** Lays an override over the automaton, or renews its lease; one of another id is replaced. */
  override(request: OverrideRequest): OverrideResult {
    const overrides = this.#layer();
    const result = overrides.begin(request);
    if (result.kind === 'begun') this.#book.noteTouch('override', request);
    // there may be no wait to cut short
    if (this.#automaton.state !== 'open') overrides.spendHurry();
    return result;
  }

  /** Ends the override of that id: the automaton rules again, in the state that its own results gave it. */
  release(id: string, touch?: Touch): OverrideResult {
    const result = this.#layer().release(id);
    if (result.kind === 'released') this.#book.noteTouch('release', touch);
    return result;
  }

  snapshot(): BreakerSnapshot {
    const nowMs = this.#clock.nowMs();
    const automaton = this.#automaton;
    automaton.expire(nowMs);
    const override = this.#overrides?.snapshot();
    return {
      kind: 'breaker',
      name: this.name,
      guards: this.guards,
      ...figuresOf(automaton, this.#book, nowMs),
      ...(override && { override }),
    };
  }

  /** Called after each transition; what it throws is dropped. Returns how to stop it. */
  onTransition(listener: (transition: Transition) => void): () => void {
    return (this.#transitions ??= new Listeners()).listen(listener);
  }

  /** Called when an override begins, is renewed or ends; what it throws is dropped. Returns how to stop it. */
  onOverride(listener: (event: OverrideEvent) => void): () => void {
    return this.#layer().listen(listener);
  }

  /** For its automaton, at each move. */
  moved(from: BreakerState, to: BreakerState, why: TransitionWhy, held: Held): void {
    const { name, guards } = this;
    const at = this.#clock.wallTime();
    if (why === 'probe-expired') this.#book.noteFailure('ProbeLeaseExpired');
    this.#book.beginState(at);
    const evidence = this.#book.evidence(held, this.#overrides?.snapshot());
    if (to === 'closed') this.#book.forgetFailures();
    this.#lookCloser();
    noteOnActiveSpan('starr.breaker.transition', { 'starr.breaker': name, from, to, why });
    const { epoch } = this.#automaton;
    const { calls, failures } = held;
    const move = { breaker: name, guards, from, to, why, epoch, at, calls, failures };
    this.#transitions?.tell({ ...move, evidence });
    if (from === 'open') this.#overrides?.spendHurry();
  }

  /** `record` for the usual case: a success while closed, with nothing over it. */
  #succeed(startedMs: number): void {
    const book = this.#book;
    book.inFlight--;
    book.succeeded++;
    const { window } = this.#automaton;
    if (!book.looksAtClock) {
      // a success can be the call that makes the minimum full
      const why = window.record(false, false, 0);
      if (why !== undefined) this.#automaton.open(why, this.#clock.nowMs());
      return;
    }
    const nowMs = this.#clock.nowMs();
    // 0: it began before somebody wanted to know
    const tookMs = startedMs > 0 ? nowMs - startedMs : undefined;
    if (tookMs !== undefined) book.latency?.record(tookMs);
    const why = window.record(false, book.isSlow(tookMs), nowMs);
    if (why !== undefined) this.#automaton.open(why, nowMs);
  }

  #acquireCloser(): Permit | undefined {
    const overrides = this.#overrides;
    const turnedAway = overrides?.turnsAway();
    if (turnedAway !== undefined) {
      this.#book.reject(turnedAway);
      return undefined;
    }
    const override = overrides?.kind;
    const automaton = this.#automaton;
    const permit = automaton.acquire(this.#clock.nowMs(), override === 'half-open-now');
    if (permit !== undefined) return permit;
    if (override === 'hold-closed') {
      this.#book.heldThrough++;
      return bystander;
    }
    this.#book.reject(automaton.state === 'open' ? 'open' : 'half-open-full');
    return undefined;
  }

  #take(settings: BreakerSettings): void {
    this.#settings = settings;
    this.#book.measure(settings);
    this.#lookCloser();
  }

  /** Whether calls may pass without a closer look; wanted after whatever changes state, epoch or override. */
  #lookCloser(): void {
    const override = this.#overrides?.kind;
    const plain = override === undefined || override === 'hold-closed';
    this.#passes =
      plain && this.#automaton.state === 'closed' ? this.#automaton.closedPermit : undefined;
  }

  #layer(): BreakerOverrides {
    return (this.#overrides ??= new BreakerOverrides(this, this.#clock, this.#random, () => {
      this.#lookCloser();
    }));
  }
}
