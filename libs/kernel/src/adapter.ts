import type { Json } from './json.ts';

/** What a look or an act may cost. */
export interface Limit {
  /** Whole. */
  readonly timeoutMs: number;
  readonly maxRows: number;
  /** Aborted when nobody waits for the answer any more. An act is never aborted by it. */
  readonly signal: AbortSignal;
  /** Counts what the patient was asked for: spend('queries', 1), spend('serverMs', 3.2). */
  spend(what: string, amount: number): void;
}

/** What a target says of itself at the first contact of a sweep. */
export interface Greeting {
  readonly version: string;
  /** The target's clock. */
  readonly now: Date;
}

export interface Progress {
  readonly kind: 'progress';
  readonly says: string;
  /** 0–1; absent: not known. */
  readonly ratio?: number;
}

/**
 * How an act ended. `applied` and `partial` carry old and new values for the receipt.
 * `refused`: the pre-state changed, nothing was done. `failed`: clean, nothing was done.
 * `indeterminate`: the answer was lost.
 */
export type Outcome =
  | {
      readonly kind: 'outcome';
      readonly outcome: 'applied';
      readonly before: Json;
      readonly after: Json;
    }
  | {
      readonly kind: 'outcome';
      readonly outcome: 'partial';
      readonly says: string;
      readonly before: Json;
      readonly after: Json;
    }
  | {
      readonly kind: 'outcome';
      readonly outcome: 'refused' | 'failed' | 'indeterminate';
      readonly says: string;
    };

export type Probed =
  | { readonly state: 'running'; readonly says: string }
  | { readonly state: 'applied'; readonly before: Json; readonly after: Json }
  | { readonly state: 'not-applied'; readonly says: string }
  | { readonly state: 'indeterminate'; readonly says: string };

/**
 * All that touches a patient; one a target. Fails with DoctorError (TARGET_*, EVIDENCE_*), whose details may hold `cure`.
 * Owns its connections; `close` ends them.
 */
export interface Adapter<Q = unknown, O = unknown> {
  /**
   * True: looks stand in one line, and `perform` times each from its turn on; how long all may take is bounded by the
   * run's budget. Absent: the host times each from when it is asked for.
   */
  readonly queues?: boolean;
  /** First contact of a sweep: version and clock. */
  greet(limit: Limit): Promise<Greeting>;
  perform(request: Q, limit: Limit): Promise<unknown>;
  /** One exhaustive switch over the operation kinds; the only code that can change a patient. Yields one outcome, last. */
  apply(act: O, operationId: string, limit: Limit): AsyncIterable<Progress | Outcome>;
  /** Whether the act took place. Never repeats it. */
  probe(act: O, operationId: string, limit: Limit): Promise<Probed>;
  /** Stops an act in progress where the target can; resolves when asked, not when stopped. */
  cancel?(operationId: string): Promise<void>;
  close(): Promise<void>;
}
