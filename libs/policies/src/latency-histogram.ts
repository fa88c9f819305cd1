/** How long calls took. The newest calls weigh most: at each 4096th all counts are halved. */
export interface LatencySnapshot {
  /** Calls that the figures are made of. */
  readonly calls: number;
  /** Interpolated within their buckets, each of which ends at twice its start. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Those that hold a call, fastest first. */
  readonly buckets: readonly { readonly upToMs: number; readonly calls: number }[];
}

// One bucket an octave from 2^8 µs to 2^25 µs: a quarter of a millisecond to 34 s. Faster and slower calls are in the first and last.
const firstBit = 8;
const bucketCount = 18;
const halveAt = 4096;

/** Counts in logarithmic buckets; nothing is kept of a single call. */
export class LatencyHistogram {
  // a typed array of this length would be twice as large
  readonly #calls = Array.from({ length: bucketCount }, () => 0);
  #total = 0;

  record(tookMs: number): void {
    // above 2^31 µs, which is 36 minutes, the bits of a float's integer part would wrap
    const us = tookMs > 1_000_000 ? 1_000_000_000 : (tookMs * 1000) | 0;
    const bucket = Math.min(bucketCount - 1, Math.max(0, 32 - firstBit - Math.clz32(us)));
    this.#calls[bucket] = (this.#calls[bucket] ?? 0) + 1;
    if (++this.#total >= halveAt) this.#halve();
  }

  clear(): void {
    this.#calls.fill(0);
    this.#total = 0;
  }

  /** Absent when there was no call. */
  snapshot(): LatencySnapshot | undefined {
    if (this.#total === 0) return undefined;
    const buckets = this.#calls
      .map((calls, bucket) => ({ upToMs: upToMs(bucket), calls }))
      .filter(({ calls }) => calls > 0);
    const percentile = (share: number) => {
      let left = this.#total * share;
      const at = buckets.find(({ calls }) => (left -= calls) <= 0);
      if (!at) return 0;
      const fromMs = at.upToMs > upToMs(0) ? at.upToMs / 2 : 0;
      return fromMs + (at.upToMs - fromMs) * (1 + left / at.calls);
    };
    return {
      calls: this.#total,
      p50Ms: percentile(0.5),
      p95Ms: percentile(0.95),
      p99Ms: percentile(0.99),
      buckets,
    };
  }

  #halve(): void {
    this.#total = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      const half = (this.#calls[bucket] ?? 0) >> 1;
      this.#calls[bucket] = half;
      this.#total += half;
    }
  }
}

function upToMs(bucket: number): number {
  return 2 ** (firstBit + bucket) / 1000;
}
