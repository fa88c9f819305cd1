/**
 * What a person or the control plane may lay over a breaker's automaton, for a while:
 * - `force-open`: every call is rejected.
 * - `hold-closed`: what the automaton would reject runs all the same.
 * - `half-open-now`: an open breaker probes with the next call instead of waiting; then the override is spent.
 * - `shed`: a share of the calls is rejected, drawn call by call.
 * - `serve-stale`: every call is rejected for the sake of fallbacks, which give their cached answers.
 */
export type OverrideKind = 'force-open' | 'hold-closed' | 'half-open-now' | 'shed' | 'serve-stale';

export type OverrideRequest = {
  /** The same id again renews the lease. */
  readonly id: string;
  /** It ends by itself after so long, unless renewed. */
  readonly leaseMs: number;
  readonly by: string;
  readonly reason: string;
} & (
  | { readonly kind: Exclude<OverrideKind, 'shed'> }
  | {
      readonly kind: 'shed';
      /** Of the calls, above 0 and up to 1. */
      readonly share: number;
    }
);

/** The override in force. */
export interface OverrideSnapshot {
  readonly id: string;
  readonly kind: OverrideKind;
  /** Only of `shed`. */
  readonly share?: number;
  readonly by: string;
  readonly reason: string;
  readonly since: Date;
  readonly leaseLeftMs: number;
}

/** `refused`: an option is out of its range, or there is no override of that id. */
export type OverrideResult =
  | { readonly kind: 'begun'; readonly replaced?: OverrideSnapshot }
  | { readonly kind: 'renewed' }
  | { readonly kind: 'released' }
  | { readonly kind: 'refused'; readonly says: string };

export interface OverrideEvent {
  readonly breaker: string;
  readonly guards: string;
  /** `spent`: it did what it was for. */
  readonly what: 'begun' | 'renewed' | 'replaced' | 'released' | 'expired' | 'spent';
  readonly override: OverrideSnapshot;
  readonly at: Date;
}
