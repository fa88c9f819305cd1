import type { PoolMinute } from './snapshots.ts';

const buckets = 6;
const bucketMs = 10_000;

interface Bucket {
  acquired: number;
  failed: number;
  waitedMs: number;
  longestMs: number;
}

const emptyBucket = (): Bucket => ({ acquired: 0, failed: 0, waitedMs: 0, longestMs: 0 });

/** How long callers waited over the newest minute, in buckets of ten seconds. */
export class WaitMinute {
  readonly #buckets = Array.from({ length: buckets }, emptyBucket);
  #newest = -1;

  record(outcome: 'acquired' | 'failed', waitedMs: number, nowMs: number): void {
    this.#advance(nowMs);
    const bucket = this.#buckets[this.#newest % buckets];
    if (!bucket) return;
    bucket[outcome]++;
    bucket.waitedMs += waitedMs;
    bucket.longestMs = Math.max(bucket.longestMs, waitedMs);
  }

  read(nowMs: number): PoolMinute {
    this.#advance(nowMs);
    const sum = emptyBucket();
    for (const bucket of this.#buckets) {
      sum.acquired += bucket.acquired;
      sum.failed += bucket.failed;
      sum.waitedMs += bucket.waitedMs;
      sum.longestMs = Math.max(sum.longestMs, bucket.longestMs);
    }
    const count = sum.acquired + sum.failed;
    return {
      acquired: sum.acquired,
      failed: sum.failed,
      meanWaitMs: count > 0 ? sum.waitedMs / count : 0,
      longestWaitMs: sum.longestMs,
    };
  }

  #advance(nowMs: number): void {
    const newest = Math.floor(nowMs / bucketMs);
    const from = Math.max(this.#newest + 1, newest - buckets + 1);
    for (let bucket = from; bucket <= newest; bucket++) {
      this.#buckets[bucket % buckets] = emptyBucket();
    }
    this.#newest = Math.max(this.#newest, newest);
  }
}
