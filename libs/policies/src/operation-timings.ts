import type { OperationTimings } from './flow-snapshots.ts';
import { LatencyHistogram } from './latency-histogram.ts';

/** Where the unnamed works, and those beyond the names that are kept, are booked. */
const unnamed = 'other';
const maxNames = 100;
const slowShare = 0.01;

/** The books of one operation. */
export class OperationBook {
  readonly operation: string;
  running = 0;
  processed = 0;
  failed = 0;
  timedOut = 0;
  #ended = 0;
  #waitedMs = 0;
  #ranMs = 0;
  #longestRunMs = 0;
  #slowRuns = 0;
  #runs: LatencyHistogram | undefined;

  constructor(operation: string) {
    this.operation = operation;
  }

  /** Once for each work that ran, when its caller is answered. */
  record(waitedMs: number, ranMs: number, slowMs: number): void {
    this.#ended++;
    this.#waitedMs += waitedMs;
    this.#ranMs += ranMs;
    if (ranMs > this.#longestRunMs) this.#longestRunMs = ranMs;
    if (ranMs >= slowMs) this.#slowRuns++;
    (this.#runs ??= new LatencyHistogram()).record(ranMs);
  }

  snapshot(): OperationTimings {
    const runs = this.#runs?.snapshot();
    const ended = Math.max(1, this.#ended);
    return {
      operation: this.operation,
      running: this.running,
      processed: this.processed,
      failed: this.failed,
      timedOut: this.timedOut,
      meanRunMs: this.#ranMs / ended,
      p50RunMs: runs?.p50Ms ?? 0,
      p99RunMs: runs?.p99Ms ?? 0,
      longestRunMs: this.#longestRunMs,
      meanWaitMs: this.#waitedMs / ended,
      totalRunMs: this.#ranMs,
      slowRuns: this.#slowRuns,
      slow: this.#slowRuns > 0 && this.#slowRuns >= this.#ended * slowShare,
    };
  }
}

/** The books of all operations of a queue: a bounded number, whatever names the works bring. */
export class OperationBooks {
  readonly #named = new Map<string, OperationBook>();
  readonly #unnamed = new OperationBook(unnamed);

  of(operation: string | undefined): OperationBook {
    if (operation === undefined || operation === unnamed) return this.#unnamed;
    const known = this.#named.get(operation);
    if (known) return known;
    if (this.#named.size >= maxNames) return this.#unnamed;
    const book = new OperationBook(operation);
    this.#named.set(operation, book);
    return book;
  }

  /** Those that had a work, the slowest by mean first. */
  snapshot(): OperationTimings[] {
    return [...this.#named.values(), this.#unnamed]
      .map((book) => book.snapshot())
      .filter(
        ({ running, processed, failed, timedOut }) => running + processed + failed + timedOut > 0,
      )
      .sort((a, b) => b.meanRunMs - a.meanRunMs);
  }
}
