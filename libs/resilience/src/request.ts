import type { BreakerState } from './policy-view.ts';

/** What the adapter can be asked, as data. */
export type ResilienceRequest =
  /** Asks every attached process for a report. */
  | { readonly kind: 'processes' }
  /** GETs each URL. */
  | { readonly kind: 'probe-dependencies'; readonly dependencies: readonly Dependency[] };

export interface Dependency {
  readonly name: string;
  readonly url: string;
}

/** How a dependency answered. */
export interface DependencyProbe {
  readonly name: string;
  readonly outcome:
    | { readonly kind: 'answered'; readonly status: number; readonly answerMs: number }
    /** Masked; after so many attempts. */
    | { readonly kind: 'failed'; readonly why: string; readonly attempts: number };
}

/** Closes one breaker in several processes of a service. */
export interface ResetBreaker {
  readonly kind: 'reset-breaker';
  readonly service: string;
  readonly breaker: string;
  /** Each is reset only while its breaker is still as it was seen. */
  readonly processes: readonly SeenBreaker[];
}

export interface SeenBreaker {
  readonly instance: string;
  readonly epoch: number;
  readonly state: BreakerState;
}

export type ResilienceAct = ResetBreaker;
