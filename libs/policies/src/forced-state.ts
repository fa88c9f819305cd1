import { checkPositive } from './check-option.ts';
import type { Clock } from './clock.ts';
import type { Forced } from './flow-snapshots.ts';

/** How somebody holds a state by hand: always for a time, so that nothing stays held when who holds it is gone. */
export interface ForceOptions {
  readonly forMs: number;
  /** Who, and why: shown to whoever wonders about the state. */
  readonly by: string;
  readonly reason: string;
}

/** One state held by hand over an automatic one. It owns no timer: its end is noticed by whoever asks. */
export class ForcedState<T extends string> {
  readonly #clock: Clock;
  #held: (ForceOptions & { readonly to: T; readonly endsAtMs: number }) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Absent: nothing is held, or not any more. Reads the clock only while something is held. */
  get to(): T | undefined {
    if (this.#held && this.#clock.nowMs() >= this.#held.endsAtMs) this.#held = undefined;
    return this.#held?.to;
  }

  /** Throws PolicyError `invalid-option`. Holding again replaces. */
  hold(policy: string, to: T, options: ForceOptions): void {
    checkPositive(policy, 'forMs', options.forMs);
    this.#held = { ...options, to, endsAtMs: this.#clock.nowMs() + options.forMs };
  }

  /** False when nothing was held. */
  release(): boolean {
    const held = this.#held !== undefined;
    this.#held = undefined;
    return held;
  }

  /** For a snapshot. */
  show(): { readonly forced: Forced } | undefined {
    if (this.to === undefined || !this.#held) return undefined;
    const { to, by, reason, endsAtMs } = this.#held;
    return { forced: { to, by, reason, endsInMs: endsAtMs - this.#clock.nowMs() } };
  }
}
