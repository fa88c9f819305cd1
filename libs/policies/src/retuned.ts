import type { BreakerSnapshot, BreakerState } from './snapshots.ts';

/** Who touches a policy, and why; shown in snapshots and in the evidence of transitions. */
export interface Touch {
  readonly by: string;
  readonly reason?: string;
  /** Version of the policy's text that the change comes from. Absent: the old one stays. */
  readonly version?: string;
}

/**
 * What a live change did. It is in force at once, but by itself it opens, closes and interrupts nothing: what is
 * running goes on, and thresholds are judged with the next result. `refused`: nothing was changed.
 */
export type Retuned<S> =
  | {
      readonly kind: 'applied';
      readonly before: S;
      readonly after: S;
      /**
       * `kept`: its shape did not change. `seeded`: it has a new shape and holds the old results.
       * `emptied`: it has a new shape in which the old results have no place; `says` tells why.
       * Absent for policies that have no window.
       */
      readonly window?: 'kept' | 'seeded' | 'emptied';
      readonly says?: string;
    }
  | { readonly kind: 'refused'; readonly says: string; readonly now: S };

/** What the one who resets has seen; when the breaker has moved since, it is left alone. */
export interface UnlessMoved {
  readonly epoch: number;
  readonly state: BreakerState;
}

/** What a reset found and did. */
export type ResetResult =
  | { readonly kind: 'reset'; readonly before: BreakerSnapshot; readonly after: BreakerSnapshot }
  | { readonly kind: 'refused'; readonly now: BreakerSnapshot };
