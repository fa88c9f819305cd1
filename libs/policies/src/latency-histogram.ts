/** How long calls took. The newest calls weigh most: at each 4096th all counts are halved. */
export interface LatencySnapshot {
  /** Calls that the figures are made of. */
  readonly calls: number;
  /** Upper edges of the buckets in which the percentiles lie; a bucket is up to 1.5 times as wide as its start. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Those that hold a call, fastest first. */
  readonly buckets: readonly { readonly upToMs: number; readonly calls: number }[];
}

// Two buckets an octave from 2^6 µs to 2^26 µs: 64 µs to 67 s. Faster and slower calls are in the first and last.
const firstBit = 6;
const bucketCount = 42;
const halveAt = 4096;

/** Counts in logarithmic buckets; nothing is kept of a single call. */
export class LatencyHistogram {
  readonly #calls = new Uint16Array(bucketCount);
  #total = 0;

  record(tookMs: number): void {
    // above 2^31 µs, which is 36 minutes, the bits of a float's integer part would wrap
    const us = tookMs > 1_000_000 ? 1_000_000_000 : (tookMs * 1000) | 0;
    const bit = 31 - Math.clz32(us);
    let bucket = 0;
    if (bit >= firstBit) {
      bucket = 1 + 2 * (bit - firstBit) + ((us >> (bit - 1)) & 1);
      if (bucket >= bucketCount) bucket = bucketCount - 1;
    }
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
    const buckets: { upToMs: number; calls: number }[] = [];
    this.#calls.forEach((calls, bucket) => {
      if (calls > 0) buckets.push({ upToMs: upToMs(bucket), calls });
    });
    const percentile = (share: number) => {
      let left = Math.ceil(this.#total * share);
      return buckets.find(({ calls }) => (left -= calls) <= 0)?.upToMs ?? 0;
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
  if (bucket === 0) return 2 ** firstBit / 1000;
  const octave = 2 ** (firstBit + ((bucket - 1) >> 1)) / 1000;
  return bucket % 2 === 1 ? octave * 1.5 : octave * 2;
}
