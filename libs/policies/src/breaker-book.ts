import type { BreakerAutomaton, Held } from './breaker-automaton.ts';
import { BreakerRejections } from './breaker-rejections.ts';
import { slowCallsOf, type BreakerSettings } from './breaker-options.ts';
import type { Clock } from './clock.ts';
import type { Evidence, TouchNote } from './evidence.ts';
import { EvidenceLog } from './evidence-log.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { OverrideSnapshot } from './override.ts';
import type { BreakerOpenError, RejectedBecause } from './policy-error.ts';
import type { Touch } from './retuned.ts';
import { noteOf } from './touches.ts';
import type { BreakerTotals } from './snapshots.ts';

/** What a breaker counts and remembers; nothing in it moves the automaton. */
export class BreakerBook {
  readonly #clock: Clock;
  /** When the present state was entered, in wall time; a Date for each breaker would be larger than its window. */
  #sinceMs: number;
  /** Whether the window wants to know when a call ended, or anything how long it took. */
  looksAtClock = false;
  /** Only then a second look is worth its price. */
  #timesCalls = false;
  latency: LatencyHistogram | undefined;
  #slowAfterMs: number | undefined;
  lastFailure: { name: string; at: Date } | undefined;
  policyVersion: string | undefined;
  inFlight = 0;
  succeeded = 0;
  failed = 0;
  ignored = 0;
  heldThrough = 0;
  late = 0;
  /** Made when first needed, as the log: most breakers never fail. */
  #rejections: BreakerRejections | undefined;
  #log: EvidenceLog | undefined;

  constructor(clock: Clock, policyVersion: string | undefined) {
    this.#clock = clock;
    this.#sinceMs = clock.wallTime().getTime();
    this.policyVersion = policyVersion;
  }

  /** Goes on with the histogram that is there. */
  measure({ measureLatency, opensOn }: BreakerSettings): void {
    this.latency = measureLatency ? (this.latency ?? new LatencyHistogram()) : undefined;
    this.#slowAfterMs = slowCallsOf(opensOn)?.afterMs;
    this.#timesCalls = measureLatency || this.#slowAfterMs !== undefined;
    this.looksAtClock = this.#timesCalls || opensOn.kind === 'time';
  }

  startedMs(): number {
    return this.#timesCalls ? this.#clock.nowMs() : 0;
  }

  /** Absent: nobody wants to know. */
  tookMs(startedMs: number): number | undefined {
    // 0: it began before somebody wanted to know
    return this.#timesCalls && startedMs > 0 ? this.#clock.nowMs() - startedMs : undefined;
  }

  isSlow(tookMs: number | undefined): boolean {
    return tookMs !== undefined && this.#slowAfterMs !== undefined && tookMs >= this.#slowAfterMs;
  }

  reject(because: RejectedBecause): void {
    (this.#rejections ??= new BreakerRejections()).note(because);
  }

  rejection(make: (because: RejectedBecause) => BreakerOpenError): BreakerOpenError {
    return (this.#rejections ??= new BreakerRejections()).error(make);
  }

  get rejectedInState(): number {
    return this.#rejections?.inState ?? 0;
  }

  beginState(at: Date): void {
    this.#sinceMs = at.getTime();
    this.#rejections?.beginState();
  }

  since(): Date {
    return new Date(this.#sinceMs);
  }

  noteFailure(name: string): void {
    const at = this.#clock.wallTime();
    this.failed++;
    this.lastFailure = { name, at };
    (this.#log ??= new EvidenceLog()).noteFailure(name, at);
  }

  noteTouch(what: TouchNote['what'], touch: Touch | undefined): void {
    if (touch === undefined) return;
    this.policyVersion = touch.version ?? this.policyVersion;
    const note = noteOf(what, touch, this.#clock.wallTime());
    (this.#log ??= new EvidenceLog()).noteTouch(note);
  }

  /** Newest first. */
  get touches(): readonly TouchNote[] {
    return this.#log?.touches ?? [];
  }

  /** Of a recovered dependency the old failures and times are no evidence. */
  forgetFailures(): void {
    this.#log?.clearFailures();
    this.latency?.clear();
  }

  evidence(held: Held, override: OverrideSnapshot | undefined): Evidence {
    const latency = this.latency?.snapshot();
    const windowSlow = this.slowIn(held);
    return {
      windowCalls: held.calls,
      windowFailures: held.failures,
      ...(windowSlow !== undefined && { windowSlow }),
      failuresByError: this.#log?.failuresByError() ?? [],
      newestFailures: this.#log?.newestFailures() ?? [],
      traceIds: this.#log?.traceIds() ?? [],
      ...(latency && { latency }),
      inFlight: this.inFlight,
      ...(this.policyVersion !== undefined && { policyVersion: this.policyVersion }),
      ...(override && { override }),
      touches: this.touches,
    };
  }

  /** Calls in the window that were slow; absent without a rule about them. */
  slowIn(held: Held): number | undefined {
    return this.#slowAfterMs === undefined ? undefined : held.slow;
  }

  totals(): BreakerTotals {
    const { succeeded, failed, ignored, late, heldThrough } = this;
    const { count: rejected = 0, overridden = 0 } = this.#rejections ?? {};
    return { succeeded, failed, ignored, rejected, late, overridden, heldThrough };
  }
}

/** What the automaton and the book show; the rest of a snapshot is the breaker's. */
export function figuresOf(automaton: BreakerAutomaton, book: BreakerBook, nowMs: number) {
  const { state, window } = automaton;
  // open and half-open keep the window that opened them, as evidence
  if (state === 'closed') window.advance(nowMs);
  const { calls, failures } = window;
  const windowSlow = book.slowIn(window);
  const latency = book.latency?.snapshot();
  return {
    state,
    since: book.since(),
    epoch: automaton.epoch,
    stateAgeMs: nowMs - automaton.enteredAtMs,
    ...(state !== 'closed' && { notClosedForMs: nowMs - automaton.leftClosedAtMs }),
    windowCalls: calls,
    windowFailures: failures,
    ...(calls > 0 && { failureRatio: failures / calls }),
    ...(state === 'open' && { timeUntilRetryMs: automaton.untilRetryMs(nowMs) }),
    openingsInARow: automaton.openings,
    probesInFlight: automaton.probesInFlight,
    overLimit: automaton.overLimit,
    rejectedInState: book.rejectedInState,
    ...(book.lastFailure && { lastFailure: book.lastFailure }),
    totals: book.totals(),
    inFlight: book.inFlight,
    ...(windowSlow !== undefined && { windowSlow }),
    ...(latency && { latency }),
    ...(book.policyVersion !== undefined && { policyVersion: book.policyVersion }),
    ...(book.touches.length > 0 && { touches: book.touches }),
  };
}
