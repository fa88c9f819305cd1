import type { OpensOn } from './breaker-options.ts';

/** Counts the outcomes of executed calls and says when they are bad enough. */
export interface OutcomeWindow {
  /** Books one outcome; true when the breaker must open. `nowMs` is asked for only by windows that need it. */
  record(failed: boolean, nowMs: () => number): boolean;
  /** Drops what is too old; only for reading. */
  advance(nowMs: number): void;
  clear(): void;
  readonly calls: number;
  readonly failures: number;
}

export function createOutcomeWindow(opensOn: OpensOn): OutcomeWindow {
  switch (opensOn.kind) {
    case 'time':
      return new TimeWindow(opensOn);
    case 'count':
      return new CountWindow(opensOn);
    case 'consecutive':
      return new ConsecutiveWindow(opensOn.failures);
  }
}

class TimeWindow implements OutcomeWindow {
  calls = 0;
  failures = 0;
  readonly #calls: Uint32Array;
  readonly #failures: Uint32Array;
  readonly #bucketMs: number;
  readonly #minimumCalls: number;
  readonly #failureRatio: number;
  #newest = -1;

  constructor(opensOn: Extract<OpensOn, { kind: 'time' }>) {
    this.#calls = new Uint32Array(opensOn.buckets);
    this.#failures = new Uint32Array(opensOn.buckets);
    this.#bucketMs = opensOn.windowMs / opensOn.buckets;
    this.#minimumCalls = opensOn.minimumCalls;
    this.#failureRatio = opensOn.failureRatio;
  }

  record(failed: boolean, nowMs: () => number): boolean {
    this.advance(nowMs());
    const slot = this.#newest % this.#calls.length;
    this.#calls[slot] = (this.#calls[slot] ?? 0) + 1;
    this.calls++;
    if (failed) {
      this.#failures[slot] = (this.#failures[slot] ?? 0) + 1;
      this.failures++;
    }
    return this.calls >= this.#minimumCalls && this.failures >= this.calls * this.#failureRatio;
  }

  // By elapsed buckets, not one a call: after an idle hour the old failures must not meet the new one.
  advance(nowMs: number): void {
    const newest = Math.floor(nowMs / this.#bucketMs);
    const elapsed = newest - this.#newest;
    if (elapsed <= 0) return;
    if (elapsed >= this.#calls.length) {
      this.clear();
    } else {
      for (let bucket = this.#newest + 1; bucket <= newest; bucket++) this.#drop(bucket);
    }
    this.#newest = newest;
  }

  clear(): void {
    this.#calls.fill(0);
    this.#failures.fill(0);
    this.calls = 0;
    this.failures = 0;
  }

  #drop(bucket: number): void {
    const slot = bucket % this.#calls.length;
    this.calls -= this.#calls[slot] ?? 0;
    this.failures -= this.#failures[slot] ?? 0;
    this.#calls[slot] = 0;
    this.#failures[slot] = 0;
  }
}

class CountWindow implements OutcomeWindow {
  calls = 0;
  failures = 0;
  readonly #failed: Uint8Array;
  readonly #minimumCalls: number;
  readonly #failureRatio: number;
  #next = 0;

  constructor(opensOn: Extract<OpensOn, { kind: 'count' }>) {
    this.#failed = new Uint8Array(opensOn.size);
    this.#minimumCalls = Math.min(opensOn.minimumCalls, opensOn.size);
    this.#failureRatio = opensOn.failureRatio;
  }

  record(failed: boolean): boolean {
    const outcome = failed ? 1 : 0;
    if (this.calls === this.#failed.length) this.failures -= this.#failed[this.#next] ?? 0;
    else this.calls++;
    this.#failed[this.#next] = outcome;
    this.failures += outcome;
    this.#next = (this.#next + 1) % this.#failed.length;
    return this.calls >= this.#minimumCalls && this.failures >= this.calls * this.#failureRatio;
  }

  advance(): void {
    // a count window does not age
  }

  clear(): void {
    this.#failed.fill(0);
    this.#next = 0;
    this.calls = 0;
    this.failures = 0;
  }
}

class ConsecutiveWindow implements OutcomeWindow {
  failures = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Only the failures in a row are kept, so they are all the calls there are. */
  get calls(): number {
    return this.failures;
  }

  record(failed: boolean): boolean {
    this.failures = failed ? this.failures + 1 : 0;
    return this.failures >= this.#limit;
  }

  advance(): void {
    // failures in a row do not age
  }

  clear(): void {
    this.failures = 0;
  }
}
