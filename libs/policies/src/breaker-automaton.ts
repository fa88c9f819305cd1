import { slowCallsOf, type BreakerSettings } from './breaker-options.ts';
import { createOutcomeWindow, type OutcomeWindow } from './outcome-window.ts';
import type { BreakerState } from './snapshots.ts';
import type { TransitionWhy } from './transitions.ts';

/** Leave for one call; says under which epoch (and in which probe's place) its result counts. */
export type Permit = number & { readonly permit: unique symbol };

// A permit is epoch × 64 + place; place 0 is a call through the closed breaker, 1–63 are probes.
const places = 64;
const free = -1;

/** What the window held before a move; a move to closed empties it. */
export interface Held {
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
}

/** What only a breaker that was open needs to know, so that all the others are small. */
interface Recovery {
  /** Openings without a close between them. */
  openings: number;
  leftClosedAtMs: number;
  retryAtMs: number;
  /** Of the longest wait; drawn at the opening. */
  drawn: number;
  probeSuccesses: number;
  /** Lease ends of the probes, by place - 1; `free` where there is none. */
  readonly leases: number[];
}

/** Whom the automaton tells of its moves. */
export interface Moved {
  moved(from: BreakerState, to: BreakerState, why: TransitionWhy, held: Held): void;
}

/**
 * The three states, their permits and their window. It knows no clock, no caller and no override: all time is
 * given to it, so that it can be run against a model.
 */
export class BreakerAutomaton {
  state: BreakerState = 'closed';
  epoch = 1;
  enteredAtMs: number;
  window: OutcomeWindow;
  #settings: BreakerSettings;
  readonly #random: () => number;
  readonly #tells: Moved;
  #recovery: Recovery | undefined;

  constructor(settings: BreakerSettings, random: () => number, nowMs: number, tells: Moved) {
    this.#settings = settings;
    this.#random = random;
    this.#tells = tells;
    this.enteredAtMs = nowMs;
    this.window = createOutcomeWindow(settings.opensOn);
  }

  /** The permit of every call while closed. */
  get closedPermit(): Permit {
    return (this.epoch * places) as Permit;
  }

  get probesInFlight(): number {
    return this.#recovery?.leases.filter((lease) => lease !== free).length ?? 0;
  }

  /** Openings in a row without a close between them. */
  get openings(): number {
    return this.#recovery?.openings ?? 0;
  }

  /** When the first of the openings in a row was. */
  get leftClosedAtMs(): number {
    return this.#recovery?.leftClosedAtMs ?? 0;
  }

  /** Before an open breaker may probe; 0 otherwise. */
  untilRetryMs(nowMs: number): number {
    return this.state === 'open' ? Math.max(0, this.#made().retryAtMs - nowMs) : 0;
  }

  /** Probes beyond what is allowed now, after that was lowered. */
  get overLimit(): number {
    return Math.max(0, this.probesInFlight - this.#settings.halfOpenMaxCalls);
  }

  /** Absent: the call must not run. `probeNow` waives the wait of an open breaker. */
  acquire(nowMs: number, probeNow: boolean): Permit | undefined {
    if (this.state === 'closed') return this.closedPermit;
    this.expire(nowMs);
    if (this.state === 'open') {
      if (nowMs >= this.#made().retryAtMs) this.#enter('half-open', 'recovery-due', nowMs);
      else if (probeNow) this.#enter('half-open', 'half-open-now', nowMs);
      else return undefined;
    }
    return this.#acquireProbe(nowMs);
  }

  /** False: the permit is of an earlier epoch, or its place was given back; its result moves nothing. */
  holds(permit: Permit): boolean {
    if (Math.floor(permit / places) !== this.epoch) return false;
    const place = permit % places;
    return place === 0 || (this.#recovery?.leases[place - 1] ?? free) !== free;
  }

  /** Books the result of a permit that it holds. */
  book(permit: Permit, failed: boolean, slow: boolean, nowMs: number): void {
    if (permit % places === 0) {
      const why = this.window.record(failed, slow, nowMs);
      if (why !== undefined) this.open(why, nowMs);
      return;
    }
    this.giveBack(permit);
    const tooSlow = slow && slowCallsOf(this.#settings.opensOn) !== undefined;
    if (failed || tooSlow) this.#enter('open', 'probe-failed', nowMs);
    else if (++this.#made().probeSuccesses >= this.#settings.halfOpenSuccesses) {
      this.#enter('closed', 'probes-succeeded', nowMs);
    }
  }

  open(why: TransitionWhy, nowMs: number): void {
    this.#enter('open', why, nowMs);
  }

  /** Frees the place of a probe whose call says nothing about the dependency. */
  giveBack(permit: Permit): void {
    const place = permit % places;
    if (place > 0) this.#made().leases[place - 1] = free;
  }

  // A hung probe would otherwise hold its place, and with it the whole breaker, for ever.
  expire(nowMs: number): void {
    if (this.state !== 'half-open') return;
    if (this.#made().leases.some((lease) => lease !== free && lease <= nowMs)) {
      this.#enter('open', 'probe-expired', nowMs);
    }
  }

  reset(nowMs: number): void {
    this.#enter('closed', 'reset', nowMs);
  }

  /** Takes new settings on the live state; says what became of the window. */
  retune(settings: BreakerSettings, nowMs: number): { window: WindowFate; says?: string } {
    this.#settings = settings;
    if (this.#recovery) this.#aimRetry(this.#recovery);
    if (this.window.tune(settings.opensOn)) return { window: 'kept' };
    const parts = this.window.parts(nowMs);
    this.window = createOutcomeWindow(settings.opensOn);
    const says = this.window.seed(parts, nowMs);
    if (says === undefined) return { window: 'seeded' };
    // what began before an empty window must not be its first content
    if (this.state === 'closed') this.epoch++;
    return { window: 'emptied', says };
  }

  #acquireProbe(nowMs: number): Permit | undefined {
    const { leases } = this.#made();
    const { halfOpenMaxCalls, probeLeaseMs } = this.#settings;
    if (this.probesInFlight >= halfOpenMaxCalls) return undefined;
    const found = leases.indexOf(free);
    const place = found < 0 ? leases.length : found;
    leases[place] = nowMs + probeLeaseMs;
    return (this.epoch * places + place + 1) as Permit;
  }

  #enter(to: BreakerState, why: TransitionWhy, nowMs: number): void {
    const from = this.state;
    this.state = to;
    this.epoch++;
    this.enteredAtMs = nowMs;
    if (this.#recovery) {
      this.#recovery.probeSuccesses = 0;
      this.#recovery.leases.fill(free);
      if (to === 'closed') this.#recovery.openings = 0;
    }
    if (to === 'open') {
      const recovery = this.#made();
      if (from === 'closed') recovery.leftClosedAtMs = nowMs;
      recovery.openings++;
      recovery.drawn = this.#settings.jitter === 'full' ? this.#random() : 1;
      this.#aimRetry(recovery);
    }
    const { calls, failures, slow } = this.window;
    if (to === 'closed') this.window.clear();
    this.#tells.moved(from, to, why, { calls, failures, slow });
  }

  #aimRetry(recovery: Recovery): void {
    const { recoveryMs, recoveryMaxMs } = this.#settings;
    const longestMs = Math.min(recoveryMaxMs, recoveryMs * 2 ** (recovery.openings - 1));
    recovery.retryAtMs = this.enteredAtMs + longestMs * recovery.drawn;
  }

  #made(): Recovery {
    return (this.#recovery ??= {
      openings: 0,
      leftClosedAtMs: 0,
      retryAtMs: 0,
      drawn: 1,
      probeSuccesses: 0,
      leases: [],
    });
  }
}

type WindowFate = 'kept' | 'seeded' | 'emptied';
