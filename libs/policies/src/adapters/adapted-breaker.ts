import { monotonicClock, type Clock } from '../clock.ts';
import { EvidenceLog, nameOfError } from '../evidence-log.ts';
import { OverrideLayer } from '../override-layer.ts';
import type { OverrideKind, OverrideRequest, OverrideResult } from '../override.ts';
import type { BreakerState } from '../snapshots.ts';
import {
  Listeners,
  type Transition,
  type TransitionListener,
  type TransitionWhy,
} from '../transitions.ts';
import { noteOf } from '../touches.ts';
import type { AdaptedBreakerSnapshot, AdaptedPolicy, Limited } from './adapted.ts';

export interface AdaptBreakerOptions {
  /** Default: the name that the breaker has itself; needed where it has none. */
  readonly name?: string;
  /** The dependency that is guarded. Absent: the name. */
  readonly guards?: string;
  readonly clock?: Clock;
}

/** What is asked of the other library when somebody looks, and what it can be told. */
export interface BreakerSource {
  readonly limited: Limited;
  /** Executed calls in its window. */
  window(): { readonly calls: number; readonly failures: number };
  /** Of its own rule; absent when it does not tell. */
  recoveryMs(): number | undefined;
  probesInFlight(): number;
  /** How the overrides that it can follow begin and end; all others are refused. */
  readonly overrides: Readonly<
    Partial<Record<OverrideKind, { begin(): void; end(): void } | undefined>>
  >;
  unlisten(): void;
}

const emptyWindow = { calls: 0, failures: 0 };

/** A breaker of another library: its events are told to this object, which keeps our books about it. */
export class AdaptedBreaker implements AdaptedPolicy {
  readonly kind = 'breaker';
  readonly name: string;
  readonly guards: string;
  readonly #clock: Clock;
  readonly #transitions = new Listeners<Transition>();
  readonly #evidence = new EvidenceLog();
  readonly #overrides: OverrideLayer;
  #source: BreakerSource | undefined;
  #state: BreakerState;
  #epoch = 1;
  #since: Date;
  #enteredAtMs: number;
  #leftClosedAtMs: number;
  #openings = 0;
  #rejectedInState = 0;
  #lastFailure: { name: string; at: Date } | undefined;
  #totals = { succeeded: 0, failed: 0, ignored: 0, rejected: 0, late: 0 };

  constructor(name: string, state: BreakerState, options: AdaptBreakerOptions) {
    this.name = options.name ?? name;
    this.guards = options.guards ?? this.name;
    this.#clock = options.clock ?? monotonicClock;
    this.#state = state;
    this.#since = this.#clock.wallTime();
    this.#enteredAtMs = this.#leftClosedAtMs = this.#clock.nowMs();
    this.#overrides = new OverrideLayer(this.#clock, (what, { kind }) => {
      const follow = this.#source?.overrides[kind];
      if (what === 'begun') follow?.begin();
      else if (what !== 'renewed') follow?.end();
    });
  }

  get limited(): Limited {
    return this.#source?.limited ?? { library: 'none', lacks: ['it is not watched any more'] };
  }

  get overridden(): boolean {
    return this.#overrides.request !== undefined;
  }

  /** For the adapter; once. */
  follow(source: BreakerSource): this {
    this.#source = source;
    return this;
  }

  /** Lays an override over it, for as long as its lease; refused when the library has no way to follow it. */
  override(request: OverrideRequest): OverrideResult {
    if (!this.#source?.overrides[request.kind]) {
      return {
        kind: 'refused',
        says: `${this.limited.library} cannot be told to ${request.kind}; it can: ${Object.keys(this.#source?.overrides ?? {}).join(', ')}`,
      };
    }
    const result = this.#overrides.begin(request);
    if (result.kind === 'begun') {
      this.#evidence.noteTouch(noteOf('override', request, this.#clock.wallTime()));
    }
    return result;
  }

  release(id: string): OverrideResult {
    return this.#overrides.release(id);
  }

  onTransition(listener: TransitionListener): () => void {
    return this.#transitions.listen(listener);
  }

  end(): void {
    const { request } = this.#overrides;
    if (request) this.#overrides.release(request.id);
    this.#source?.unlisten();
    this.#source = undefined;
  }

  snapshot(): AdaptedBreakerSnapshot {
    const { calls, failures } = this.#source?.window() ?? emptyWindow;
    const stateAgeMs = this.#clock.nowMs() - this.#enteredAtMs;
    const recoveryMs = this.#source?.recoveryMs();
    const override = this.#overrides.request && this.#overrides.snapshot();
    const { touches } = this.#evidence;
    return {
      kind: 'breaker',
      name: this.name,
      guards: this.guards,
      limited: this.limited,
      state: this.#state,
      epoch: this.#epoch,
      since: this.#since,
      stateAgeMs,
      ...(this.#state !== 'closed' && {
        notClosedForMs: this.#clock.nowMs() - this.#leftClosedAtMs,
      }),
      windowCalls: calls,
      windowFailures: failures,
      ...(calls > 0 && { failureRatio: failures / calls }),
      ...(this.#state === 'open' &&
        recoveryMs !== undefined && { timeUntilRetryMs: Math.max(0, recoveryMs - stateAgeMs) }),
      openingsInARow: this.#openings,
      probesInFlight: this.#source?.probesInFlight() ?? 0,
      rejectedInState: this.#rejectedInState,
      ...(this.#lastFailure && { lastFailure: this.#lastFailure }),
      ...(override && { override }),
      ...(touches.length > 0 && { touches }),
      totals: { ...this.#totals },
    };
  }

  /** The rest is for the adapter. */
  succeeded(): void {
    this.#totals.succeeded++;
  }

  failed(error: unknown): void {
    this.#totals.failed++;
    this.#lastFailure = { name: nameOfError(error), at: this.#clock.wallTime() };
    this.#evidence.noteFailure(this.#lastFailure.name, this.#lastFailure.at);
  }

  ignored(): void {
    this.#totals.ignored++;
  }

  rejected(): void {
    this.#totals.rejected++;
    this.#rejectedInState++;
  }

  entered(to: BreakerState): void {
    if (to === this.#state) return;
    const from = this.#state;
    this.#state = to;
    this.#epoch++;
    this.#since = this.#clock.wallTime();
    this.#enteredAtMs = this.#clock.nowMs();
    this.#rejectedInState = 0;
    if (to === 'open') {
      if (from === 'closed') this.#leftClosedAtMs = this.#enteredAtMs;
      this.#openings++;
    } else if (to === 'closed') this.#openings = 0;
    this.#tell(from, to);
    if (to === 'closed') this.#evidence.clearFailures();
  }

  #tell(from: BreakerState, to: BreakerState): void {
    const { calls, failures } = this.#source?.window() ?? emptyWindow;
    const override = this.#overrides.snapshot();
    this.#transitions.tell({
      breaker: this.name,
      guards: this.guards,
      from,
      to,
      why: whyOf(from, to),
      epoch: this.#epoch,
      at: this.#since,
      calls,
      failures,
      evidence: {
        windowCalls: calls,
        windowFailures: failures,
        failuresByError: this.#evidence.failuresByError(),
        newestFailures: this.#evidence.newestFailures(),
        traceIds: this.#evidence.traceIds(),
        inFlight: 0,
        ...(override && { override }),
        touches: this.#evidence.touches,
      },
    });
  }
}

/** The likeliest reason: the other libraries do not tell theirs. */
function whyOf(from: BreakerState, to: BreakerState): TransitionWhy {
  if (to === 'half-open') return 'recovery-due';
  if (to === 'open') return from === 'half-open' ? 'probe-failed' : 'threshold';
  return from === 'half-open' ? 'probes-succeeded' : 'reset';
}
