import type { BreakerState } from './snapshots.ts';

export type TransitionWhy =
  'threshold' | 'recovery-due' | 'probe-failed' | 'probe-expired' | 'probes-succeeded' | 'reset';

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
}

export type TransitionListener = (transition: Transition) => void;

export class Transitions {
  readonly #listeners = new Set<TransitionListener>();

  listen(listener: TransitionListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tell(transition: Transition): void {
    for (const listener of this.#listeners) {
      try {
        listener(transition);
      } catch {
        // a listener's fault must not fail the call that moved the breaker
      }
    }
  }
}
