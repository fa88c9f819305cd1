import type { Touched } from './evidence.ts';
import type { LatencySnapshot } from './latency-histogram.ts';
import type { OverrideSnapshot } from './override.ts';

/** Whose policy it is, and what of the view it cannot give. */
export interface Limited {
  /** The library, as its package is called. */
  readonly library: string;
  /** Sentences for people: figures that stay 0 or absent, and guards that are not there. */
  readonly lacks: readonly string[];
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/** What a breaker shows. Times are of this process. */
export interface BreakerSnapshot extends Touched {
  readonly kind: 'breaker';
  readonly name: string;
  /** The dependency that the breaker guards. */
  readonly guards: string;
  /** Of the automaton; an override lies over it. */
  readonly state: BreakerState;
  /** Grows with each transition and reset; a result of an older epoch moves nothing. */
  readonly epoch: number;
  /** When the present state was entered. */
  readonly since: Date;
  readonly stateAgeMs: number;
  /** Since the first opening in a row, probes in between included; absent when closed. */
  readonly notClosedForMs?: number;
  /** Calls in the window; in open and half-open those that opened it. */
  readonly windowCalls: number;
  readonly windowFailures: number;
  /** 0–1; absent when the window holds no call. */
  readonly failureRatio?: number;
  /** Only when open; 0 means that the next call will be a probe. */
  readonly timeUntilRetryMs?: number;
  /** Openings in a row without a close between them; 0 when closed. */
  readonly openingsInARow: number;
  readonly probesInFlight: number;
  /** Since the present state was entered; 0 while open means that nobody calls. */
  readonly rejectedInState: number;
  /** Name of the newest failure's error and its moment; absent when none failed yet. Never its message. */
  readonly lastFailure?: { readonly name: string; readonly at: Date };
  /** Since the breaker was made. */
  readonly totals: BreakerTotals;
  /** Calls without a result yet; absent over the wire, as the next. */
  readonly inFlight?: number;
  /** Calls in the window that took too long; absent without a rule about them. */
  readonly windowSlow?: number;
  /** Probes in flight beyond `halfOpenMaxCalls`, after it was lowered; 0 otherwise; absent: not told. */
  readonly overLimit?: number;
  /** Absent: the automaton rules; over the wire it may be that the process does not tell. */
  readonly override?: OverrideSnapshot;
  /** Absent: it is one of this library's own. */
  readonly limited?: Limited;
  /** Absent when latency is not measured or no call has ended since the breaker last closed. */
  readonly latency?: LatencySnapshot;
}

export interface BreakerTotals {
  readonly succeeded: number;
  readonly failed: number;
  /** Ended by their caller; they count for nothing. */
  readonly ignored: number;
  /** Refused by the breaker itself; in no window. */
  readonly rejected: number;
  /** Results of an earlier epoch. */
  readonly late: number;
  /** Of the rejected, those that an override turned away; absent: not told. So is the next. */
  readonly overridden?: number;
  /** Ran only because an override holds the breaker closed; among succeeded and failed, in no window. */
  readonly heldThrough?: number;
}

/** What a queue shows. */
export interface QueueSnapshot {
  readonly kind: 'queue';
  readonly name: string;
  /** Works that wait. */
  readonly size: number;
  readonly maxSize: number;
  readonly activeWorkers: number;
  readonly maxWorkers: number;
  /** Works that ended well, since the queue was made; so are the next three. */
  readonly processed: number;
  readonly failed: number;
  /** Waited longer than allowed, or failed with a TimeoutError. In no other count. */
  readonly timedOut: number;
  /** Not taken because the queue was full or stopped. */
  readonly rejected: number;
  /** 0 when nothing waits. */
  readonly oldestWaitMs: number;
  /** Part of `timedOut`: evicted before they ran. Absent: not told; so are the next two. */
  readonly expired?: number;
  /** Works that still run although their caller was answered with a timeout. */
  readonly abandoned?: number;
  /** Workers and places in use beyond the present limits, after a shrink. */
  readonly overLimit?: { readonly workers: number; readonly places: number };
  /** Absent: it is one of this library's own. */
  readonly limited?: Limited;
}

/** What a connection pool shows. */
export interface PoolSnapshot {
  readonly kind: 'pool';
  readonly name: string;
  /** The server at the other end; absent when the pool does not tell. */
  readonly connectsTo?: PoolServer;
  /** Open connections, used or idle. */
  readonly size: number;
  readonly idle: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
  readonly max: number;
  /** 0 when nobody waits. */
  readonly oldestWaitMs: number;
  /** How long the connection that is out longest has been out; 0 when none is. */
  readonly oldestHeldMs: number;
  /** Over the newest minute. */
  readonly lastMinute: PoolMinute;
  /** Open connections beyond `max`, after a shrink; absent: not told. */
  readonly overLimit?: number;
}

export interface PoolServer {
  readonly host: string;
  readonly port: number;
  readonly database?: string;
}

export interface PoolMinute {
  readonly acquired: number;
  /** Ended without a connection: no free one in time, or connecting failed. */
  readonly failed: number;
  /** Of acquired and failed; 0 when there were none. */
  readonly meanWaitMs: number;
  readonly longestWaitMs: number;
}

export type PolicySnapshot = BreakerSnapshot | QueueSnapshot | PoolSnapshot;
