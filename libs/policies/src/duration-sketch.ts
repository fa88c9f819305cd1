// 16 buckets an octave: each is at most 1/16 as wide as its start, so that a quantile is off by 3 % at most.
const bucketsAnOctave = 16;
const bits = 4;
const octaves = 28;
const largestUs = 2 ** 31 - 1;

/** Tells quantiles of many durations without keeping one of them. */
export class DurationSketch {
  readonly #counts = new Uint32Array(octaves * bucketsAnOctave);
  count = 0;

  record(tookMs: number): void {
    const us = Math.min(largestUs, Math.max(0, tookMs * 1000)) | 0;
    const shift = Math.max(0, 31 - Math.clz32(us) - bits);
    // below 16 µs each has its own bucket
    const bucket = us < bucketsAnOctave ? us : (shift + 1) * bucketsAnOctave + ((us >> shift) & 15);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.count++;
  }

  /** In the middle of the bucket where it lies, so never 0; 0 when nothing was recorded. */
  quantileMs(quantile: number): number {
    let left = Math.max(1, Math.ceil(this.count * quantile));
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      left -= this.#counts[bucket] ?? 0;
      if (left <= 0) return middleUs(bucket) / 1000;
    }
    return 0;
  }

  clear(): void {
    this.#counts.fill(0);
    this.count = 0;
  }
}

function middleUs(bucket: number): number {
  if (bucket < bucketsAnOctave) return bucket + 0.5;
  const shift = Math.floor(bucket / bucketsAnOctave) - 1;
  return (bucketsAnOctave + (bucket % bucketsAnOctave) + 0.5) * 2 ** shift;
}
