import type { LatencySnapshot } from './latency-histogram.ts';
import type { OverrideSnapshot } from './override.ts';

/** One of the newest failures. Only the error's code or name, never its message, which may hold a secret. */
export interface FailureSample {
  readonly error: string;
  readonly at: Date;
  /** Of the span in which it failed; absent without tracing. */
  readonly traceId?: string;
}

/** Who last changed the policy by hand, and how. */
export interface TouchNote {
  readonly what: 'retune' | 'reset' | 'override' | 'release';
  readonly by: string;
  readonly reason?: string;
  readonly at: Date;
}

/** What a snapshot shows of those who changed the policy by hand. */
export interface Touched {
  /** Of the policy's text that is in force; absent when unversioned. */
  readonly policyVersion?: string;
  /** Up to 4, newest first; absent when nobody did, or did not say who it was. */
  readonly touches?: readonly TouchNote[];
}

/** What a breaker knew when it moved: enough to judge the move without having been there. */
export interface Evidence {
  readonly windowCalls: number;
  readonly windowFailures: number;
  /** Absent when the window has no rule about slow calls. */
  readonly windowSlow?: number;
  /** Failures since the breaker was last closed or made, by error class, most frequent first; beyond 16 classes `other`. */
  readonly failuresByError: readonly { readonly error: string; readonly count: number }[];
  /** Up to 16, newest first. */
  readonly newestFailures: readonly FailureSample[];
  /** Of the newest failures, without repetition. */
  readonly traceIds: readonly string[];
  /** Absent when latency is not measured, or no call has ended. */
  readonly latency?: LatencySnapshot;
  readonly inFlight: number;
  /** Absent when unversioned. */
  readonly policyVersion?: string;
  readonly override?: OverrideSnapshot;
  /** Up to 4, newest first. */
  readonly touches: readonly TouchNote[];
}
