import type { Evidence } from './evidence.ts';
import type { BreakerState } from './snapshots.ts';

export type TransitionWhy =
  | 'threshold'
  | 'slow-calls'
  | 'recovery-due'
  | 'half-open-now'
  | 'probe-failed'
  | 'probe-expired'
  | 'probes-succeeded'
  | 'reset';

export interface Transition {
  readonly breaker: string;
  readonly guards: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
  readonly why: TransitionWhy;
  /** The epoch that began with it. */
  readonly epoch: number;
  readonly at: Date;
  /** What the window held. */
  readonly calls: number;
  readonly failures: number;
  /** What led to it. */
  readonly evidence: Evidence;
}

export type TransitionListener = (transition: Transition) => void;

/** Whoever wants to hear of something; the fault of one harms neither the others nor the call that made it. */
export class Listeners<E> {
  #listeners: Set<(event: E) => void> | undefined;

  /** Returns how to stop it. */
  listen(listener: (event: E) => void): () => void {
    const listeners = (this.#listeners ??= new Set());
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  tell(event: E): void {
    if (this.#listeners === undefined) return;
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        // a listener's fault must not fail the call that moved the breaker
      }
    }
  }
}
