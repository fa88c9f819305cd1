/** Something that can be run at a share of its usual rate or size. */
export interface Slowable {
  readonly kind: string;
  readonly name: string;
  /**
   * Holds it down to `share` (above 0, up to 1) in the name of `by`, until `release(by)` or until `forMs` have
   * passed; absent: no end. Several may hold it at once: the lowest share counts. Holding again replaces.
   */
  slowDown(by: string, share: number, forMs?: number): void;
  /** False when `by` did not hold it. */
  release(by: string): boolean;
}

/** One who holds a policy down. */
export interface SlowDown {
  readonly by: string;
  readonly share: number;
  /** Absent: it does not end by itself. */
  readonly endsInMs?: number;
}

/** Who holds a policy down, and to which share. It owns no timer: ends are noticed by whoever asks. */
export class SlowDowns {
  readonly #holders = new Map<string, { readonly share: number; readonly endsAtMs: number }>();
  #share = 1;
  #nextEndMs = Infinity;

  /** The lowest share that anybody holds; 1 when nobody does. */
  get share(): number {
    return this.#share;
  }

  /** When the next hold ends; Infinity when none does. */
  get nextEndMs(): number {
    return this.#nextEndMs;
  }

  hold(by: string, share: number, endsAtMs: number): void {
    this.#holders.set(by, { share, endsAtMs });
    this.#sum();
  }

  release(by: string): boolean {
    const held = this.#holders.delete(by);
    if (held) this.#sum();
    return held;
  }

  /** Drops the holds that have ended by then. */
  expire(nowMs: number): void {
    if (nowMs < this.#nextEndMs) return;
    for (const [by, { endsAtMs }] of this.#holders) {
      if (endsAtMs <= nowMs) this.#holders.delete(by);
    }
    this.#sum();
  }

  list(nowMs: number): SlowDown[] {
    return [...this.#holders].map(([by, { share, endsAtMs }]) => ({
      by,
      share,
      ...(endsAtMs !== Infinity && { endsInMs: Math.max(0, endsAtMs - nowMs) }),
    }));
  }

  #sum(): void {
    this.#share = 1;
    this.#nextEndMs = Infinity;
    for (const { share, endsAtMs } of this.#holders.values()) {
      this.#share = Math.min(this.#share, share);
      this.#nextEndMs = Math.min(this.#nextEndMs, endsAtMs);
    }
  }
}
