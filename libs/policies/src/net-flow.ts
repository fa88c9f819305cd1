const buckets = 10;
const bucketMs = 1000;

/** How fast something fills or empties, over the last ten seconds. */
export class NetFlow {
  readonly #net = new Int32Array(buckets);
  #newest = -1;
  #firstAtMs: number | undefined;
  #sum = 0;

  record(change: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#firstAtMs ??= nowMs;
    const slot = this.#newest % buckets;
    this.#net[slot] = (this.#net[slot] ?? 0) + change;
    this.#sum += change;
  }

  /** Above 0: it fills. Absent before a second has been seen, since a burst is no rate. */
  perMs(nowMs: number): number | undefined {
    this.#advance(nowMs);
    if (this.#firstAtMs === undefined) return undefined;
    // the newest bucket has only just begun
    const coveredMs = (buckets - 1) * bucketMs + (nowMs - this.#newest * bucketMs);
    const seenMs = Math.min(coveredMs, nowMs - this.#firstAtMs);
    return seenMs >= bucketMs ? this.#sum / seenMs : undefined;
  }

  #advance(nowMs: number): void {
    const newest = Math.floor(nowMs / bucketMs);
    if (newest <= this.#newest) return;
    const from = Math.max(this.#newest + 1, newest - buckets + 1);
    for (let bucket = from; bucket <= newest; bucket++) {
      const slot = bucket % buckets;
      this.#sum -= this.#net[slot] ?? 0;
      this.#net[slot] = 0;
    }
    this.#newest = newest;
  }
}
