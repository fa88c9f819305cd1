import type { Touched } from './evidence.ts';
import type { QueueSnapshot, PoolSnapshot } from './snapshots.ts';
import type { SlowDown } from './slow-downs.ts';

/** What this library's own queue shows beyond what any queue can show. */
export interface WorkQueueSnapshot extends QueueSnapshot, Touched {
  /** Works that wait, as a share of `maxSize`; above 1 after a shrink that lets them stay; 1 when `maxSize` is 0. */
  readonly utilisation: number;
  /** Running works, as a share of `maxWorkers`; above 1 after a shrink. */
  readonly workerUtilisation: number;
  /** Workers and places in use beyond the present limits: what a shrink has still to give back. */
  readonly overLimit: { readonly workers: number; readonly places: number };
  /** Part of `timedOut`: evicted before they ran. */
  readonly expired: number;
  /** Works that went before higher ones since they had waited for `agedAfterMs`. */
  readonly aged: number;
  /** Part of `timedOut`: answered with a timeout while they ran. */
  readonly runTimedOut: number;
  /** Part of `rejected`: taken and then given up by a drain rule. */
  readonly drained: number;
  /** Left by their own callers while they waited. In no other count. */
  readonly withdrawn: number;
  /** How long the work that runs longest has run, and what it is; 0 and absent when none runs. */
  readonly oldestRunMs: number;
  readonly oldestRunOperation?: string;
  /** Works that still run although their caller was answered with a timeout; they hold no worker. */
  readonly abandoned: number;
  readonly slowedBy: readonly SlowDown[];
  /** At the rate of the last seconds, when no place will be left; absent when it does not grow or nothing is known. */
  readonly timeToFullMs?: number;
  /** The slowest by mean run time first. */
  readonly operations: readonly OperationTimings[];
}

/** How long the works of one name took, since the queue was made. */
export interface OperationTimings {
  /** The name given with the work; `other` gathers the unnamed ones and those beyond the names that are kept. */
  readonly operation: string;
  readonly running: number;
  readonly processed: number;
  readonly failed: number;
  readonly timedOut: number;
  /** Over the works that ended, well or not; 0 when none did. */
  readonly meanRunMs: number;
  /** Upper edges of the buckets of a histogram in which the newest works weigh most; so is the next. */
  readonly p50RunMs: number;
  readonly p99RunMs: number;
  readonly longestRunMs: number;
  readonly meanWaitMs: number;
  /** Run time of all its works together: what it costs the queue. */
  readonly totalRunMs: number;
  /** Works that ran `slowMs` or longer. */
  readonly slowRuns: number;
  /** True when at least one in a hundred was slow. */
  readonly slow: boolean;
}

/** What a watched pool shows beyond what the service asks of every pool. */
export interface WatchedPoolSnapshot extends PoolSnapshot, Touched {
  /** Connections that stay open although nobody uses them. */
  readonly min: number;
  /** Open connections beyond `max`: what a shrink has still to give back. */
  readonly overLimit: number;
  /** Connections in use, as a share of `max`; above 1 after a shrink. */
  readonly utilisation: number;
}

export interface RateLimitSnapshot extends Touched {
  readonly kind: 'rate-limit';
  readonly name: string;
  readonly permits: number;
  readonly periodMs: number;
  readonly burst: number;
  /** Share of the rate that is let through now; 1: all of it. */
  readonly share: number;
  readonly slowedBy: readonly SlowDown[];
  /** Permits that the limit without a key could give at once. */
  readonly available: number;
  /** Keys that are not at rest. */
  readonly keys: number;
  /** Keys dropped although they were not at rest, because there were more than `maxKeys`. */
  readonly keysForgotten: number;
  /** Calls, since the limit was made. */
  readonly allowed: number;
  readonly rejected: number;
}

export interface ConcurrencySnapshot extends Touched {
  readonly kind: 'concurrency';
  readonly name: string;
  /** Calls that may run at once now. */
  readonly limit: number;
  readonly minLimit: number;
  readonly maxLimit: number;
  readonly inFlight: number;
  /** Calls beyond the limit, let in before it fell. */
  readonly overLimit: number;
  readonly share: number;
  readonly slowedBy: readonly SlowDown[];
  /** Absent before the first full window. */
  readonly shortMs?: number;
  /** The duration that is taken for normal; absent before the first full window. */
  readonly longMs?: number;
  readonly lastDecision?: ConcurrencyDecision;
  readonly succeeded: number;
  /** Failed or timed out. Their durations teach the limit nothing. */
  readonly dropped: number;
  readonly rejected: number;
}

/** What a full window led to. */
export interface ConcurrencyDecision {
  readonly at: Date;
  readonly from: number;
  readonly to: number;
  /**
   * - `gradient`: durations of the window beside the long ones.
   * - `app-limited`: fewer than half of the limit were in flight, so that nothing was learned about more.
   * - `in-flight-cap`: not more than so many times the calls in flight.
   * - `overload`: more calls in flight came with longer durations and no more throughput.
   * - `bounds`: minLimit or maxLimit.
   */
  readonly why: 'gradient' | 'app-limited' | 'in-flight-cap' | 'overload' | 'bounds';
  readonly shortMs: number;
  readonly longMs: number;
  /** Most calls in flight at once in the window. */
  readonly inFlight: number;
  readonly samples: number;
}

export interface BackpressureSnapshot extends Touched {
  readonly kind: 'backpressure';
  readonly name: string;
  readonly state: 'released' | 'engaged';
  readonly since: Date;
  readonly stateAgeMs: number;
  /** Of what it watches, now. */
  readonly utilisation: number;
  readonly engageAtRatio: number;
  readonly releaseAtRatio: number;
  readonly slowToRatio: number;
  /** The policy that it slows down, `kind:name`. */
  readonly slows: string;
  /** How often it engaged, since it was made. */
  readonly engagements: number;
  /** Present while somebody holds the state by hand. */
  readonly forced?: Forced;
}

/** A state held by hand. */
export interface Forced {
  readonly to: string;
  readonly by: string;
  readonly reason: string;
  readonly endsInMs: number;
}

export interface FallbackSnapshot {
  readonly kind: 'fallback';
  readonly name: string;
  /** Calls, since it was made. */
  readonly calls: number;
  /** Answered by the call itself. */
  readonly primary: number;
  /** Ended with an error that is for the caller alone. */
  readonly passedOn: number;
  /** Calls that fell back: failed, or not tried because a strategy is forced. */
  readonly fallen: number;
  /** Of `fallen`: no strategy had an answer, the caller got the error. */
  readonly unanswered: number;
  /** Answered by a strategy, of those that fell back; absent when none did. */
  readonly hitRatio?: number;
  /** Stale answers of all answers; absent when there was none. */
  readonly staleRatio?: number;
  /** Age of the oldest answer that was served; 0 when none had an age. */
  readonly longestServedAgeMs: number;
  /** In the order in which they are asked. */
  readonly strategies: readonly FallbackStrategySnapshot[];
  /** The strategy that answers in the place of the call; absent: the call is tried. */
  readonly servesFrom?: { readonly strategy: string; readonly by: string };
  readonly forced?: Forced;
}

export interface FallbackStrategySnapshot extends Touched {
  readonly name: string;
  readonly answered: number;
  readonly stale: number;
  /** Asked and had nothing. */
  readonly missed: number;
  /** Asked and threw. */
  readonly failed: number;
  /** Answers that it holds; absent for one that holds none. */
  readonly entries?: number;
}

export interface InterlocksSnapshot {
  readonly kind: 'interlocks';
  readonly name: string;
  readonly rules: readonly InterlockSnapshot[];
}

export interface InterlockSnapshot {
  readonly rule: string;
  readonly when: { readonly policy: string; readonly is: readonly string[] };
  /** What it does, to read. */
  readonly does: string;
  readonly active: boolean;
  readonly since: Date;
  /** How often it became active. */
  readonly activations: number;
}

export type FlowSnapshot =
  | RateLimitSnapshot
  | ConcurrencySnapshot
  | BackpressureSnapshot
  | FallbackSnapshot
  | InterlocksSnapshot;
