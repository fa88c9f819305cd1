import type { OpensOn } from './breaker-options.ts';
import { ruleOf, type WindowRule } from './window-rule.ts';

/** What a window held, cut into stretches of time or order, oldest first. */
export interface WindowPart {
  /** How old its results are, about; 0 where the window knows no time. */
  readonly ageMs: number;
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
}

/** Why the breaker must open. */
export type Verdict = 'threshold' | 'slow-calls' | undefined;

/** Counts the outcomes of executed calls and says when they are bad enough. */
export interface OutcomeWindow {
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
  record(failed: boolean, slow: boolean, nowMs: number): Verdict;
  /** Drops what is too old; only for reading. */
  advance(nowMs: number): void;
  clear(): void;
  /** Takes new thresholds; false when they want a window of another shape. Judged with the next result. */
  tune(opensOn: OpensOn): boolean;
  parts(nowMs: number): WindowPart[];
  /** Fills the empty window with what another held. A text: it cannot, and why. */
  seed(parts: readonly WindowPart[], nowMs: number): string | undefined;
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

type TimeRule = Extract<OpensOn, { kind: 'time' }>;
type CountRule = Extract<OpensOn, { kind: 'count' }>;

const zeros = (length: number): number[] => Array.from({ length }, () => 0);

class TimeWindow implements OutcomeWindow {
  calls = 0;
  failures = 0;
  slow = 0;
  /** Calls and failures of each bucket, and slow calls where there is a rule about them, one after the other. */
  readonly #counts: number[];
  readonly #perBucket: number;
  readonly #buckets: number;
  readonly #bucketMs: number;
  #rule: WindowRule<TimeRule>;
  #newest = -1;
  #newestEndsMs = 0;

  constructor(opensOn: TimeRule) {
    this.#rule = ruleOf(opensOn);
    this.#buckets = opensOn.buckets;
    this.#bucketMs = opensOn.windowMs / opensOn.buckets;
    this.#perBucket = opensOn.slowCalls ? 3 : 2;
    this.#counts = zeros(opensOn.buckets * this.#perBucket);
  }

  record(failed: boolean, slow: boolean, nowMs: number): Verdict {
    if (nowMs >= this.#newestEndsMs) this.advance(nowMs);
    this.#add(this.#newest, 1, failed ? 1 : 0, slow ? 1 : 0);
    // no ratio is 0: with nothing bad there is nothing to judge
    if (this.failures + this.slow === 0) return undefined;
    return this.#rule.judge(this.calls, this.failures, this.slow);
  }

  // By elapsed buckets, not one a call: after an idle hour the old failures must not meet the new one.
  advance(nowMs: number): void {
    const newest = Math.floor(nowMs / this.#bucketMs);
    const elapsed = newest - this.#newest;
    if (elapsed <= 0) return;
    if (elapsed >= this.#buckets) {
      this.clear();
    } else {
      for (let bucket = this.#newest + 1; bucket <= newest; bucket++) this.#drop(bucket);
    }
    this.#newest = newest;
    this.#newestEndsMs = (newest + 1) * this.#bucketMs;
  }

  clear(): void {
    this.#counts.fill(0);
    this.calls = 0;
    this.failures = 0;
    this.slow = 0;
  }

  tune(opensOn: OpensOn): boolean {
    if (opensOn.kind !== 'time' || opensOn.buckets !== this.#buckets) return false;
    if (opensOn.windowMs !== this.#rule.opensOn.windowMs) return false;
    if ((opensOn.slowCalls === undefined) !== (this.#perBucket === 2)) return false;
    this.#rule = ruleOf(opensOn);
    return true;
  }

  parts(nowMs: number): WindowPart[] {
    this.advance(nowMs);
    const parts: WindowPart[] = [];
    for (let bucket = this.#newest - this.#buckets + 1; bucket <= this.#newest; bucket++) {
      if (bucket < 0) continue;
      const at = (bucket % this.#buckets) * this.#perBucket;
      const [calls = 0, failures = 0, slow = 0] = this.#counts.slice(at, at + this.#perBucket);
      const ageMs = Math.max(0, nowMs - (bucket + 0.5) * this.#bucketMs);
      if (calls > 0) parts.push({ ageMs, calls, failures, slow });
    }
    return parts;
  }

  seed(parts: readonly WindowPart[], nowMs: number): undefined {
    this.advance(nowMs);
    for (const { ageMs, calls, failures, slow } of parts) {
      const bucket = Math.floor((nowMs - ageMs) / this.#bucketMs);
      if (bucket > this.#newest - this.#buckets) this.#add(bucket, calls, failures, slow);
    }
  }

  #add(bucket: number, calls: number, failures: number, slow: number): void {
    const at = (bucket % this.#buckets) * this.#perBucket;
    const counts = this.#counts;
    counts[at] = (counts[at] ?? 0) + calls;
    this.calls += calls;
    if (failures > 0) {
      counts[at + 1] = (counts[at + 1] ?? 0) + failures;
      this.failures += failures;
    }
    if (slow > 0 && this.#perBucket === 3) {
      counts[at + 2] = (counts[at + 2] ?? 0) + slow;
      this.slow += slow;
    }
  }

  #drop(bucket: number): void {
    const at = (bucket % this.#buckets) * this.#perBucket;
    this.calls -= this.#counts[at] ?? 0;
    this.failures -= this.#counts[at + 1] ?? 0;
    if (this.#perBucket === 3) this.slow -= this.#counts[at + 2] ?? 0;
    this.#counts.fill(0, at, at + this.#perBucket);
  }
}

const failedBit = 1;
const slowBit = 2;
// Eight results of two bits in one number: an array of bytes would be twice as large.
const wordShift = 3;
const inWord = 7;

class CountWindow implements OutcomeWindow {
  calls = 0;
  failures = 0;
  slow = 0;
  readonly #size: number;
  readonly #words: number[];
  #rule: WindowRule<CountRule>;
  #next = 0;

  constructor(opensOn: CountRule) {
    this.#size = opensOn.size;
    this.#words = zeros((opensOn.size >> wordShift) + 1);
    this.#rule = ruleOf(opensOn);
  }

  record(failed: boolean, slow: boolean): Verdict {
    const at = this.#next;
    this.#next = at + 1 === this.#size ? 0 : at + 1;
    if (this.calls < this.#size) this.calls++;
    const result = (failed ? failedBit : 0) | (slow ? slowBit : 0);
    const shift = (at & inWord) << 1;
    const word = this.#words[at >> wordShift] ?? 0;
    const old = (word >> shift) & (failedBit | slowBit);
    if (old !== result) {
      this.#words[at >> wordShift] = word ^ ((old ^ result) << shift);
      this.failures += (result & failedBit) - (old & failedBit);
      this.slow += (result >> 1) - (old >> 1);
    }
    if (this.failures + this.slow === 0) return undefined;
    return this.#rule.judge(this.calls, this.failures, this.slow);
  }

  advance(): void {
    // a count window does not age
  }

  clear(): void {
    this.#words.fill(0);
    this.#next = 0;
    this.calls = 0;
    this.failures = 0;
    this.slow = 0;
  }

  tune(opensOn: OpensOn): boolean {
    if (opensOn.kind !== 'count' || opensOn.size !== this.#size) return false;
    this.#rule = ruleOf(opensOn);
    return true;
  }

  parts(): WindowPart[] {
    const oldest = this.calls === this.#size ? this.#next : 0;
    return Array.from({ length: this.calls }, (_, nth) => {
      const at = (oldest + nth) % this.#size;
      const result = ((this.#words[at >> wordShift] ?? 0) >> ((at & inWord) << 1)) & 3;
      return { ageMs: 0, calls: 1, failures: result & failedBit, slow: result >> 1 };
    });
  }

  seed(parts: readonly WindowPart[]): undefined {
    for (const { calls, failures, slow } of parts) {
      // only the newest `size` can stay, so more need not be walked through
      const kept = Math.min(calls, this.#size);
      for (let nth = 0; nth < kept; nth++) {
        this.record(evenly(failures, calls, nth, kept), evenly(slow, calls, nth, kept));
      }
    }
  }
}

/** Whether the nth of `kept` results is marked, when `marked` of `calls` were: in proportion, and spread evenly. */
function evenly(marked: number, calls: number, nth: number, kept: number): boolean {
  const keptMarks = Math.round((marked * kept) / calls);
  const upTo = (results: number) => Math.floor((keptMarks * results) / kept);
  return upTo(nth + 1) > upTo(nth);
}

class ConsecutiveWindow implements OutcomeWindow {
  readonly slow = 0;
  failures = 0;
  #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Only the failures in a row are kept, so they are all the calls there are. */
  get calls(): number {
    return this.failures;
  }

  record(failed: boolean): Verdict {
    if (!failed) {
      this.failures = 0;
      return undefined;
    }
    return ++this.failures >= this.#limit ? 'threshold' : undefined;
  }

  advance(): void {
    // failures in a row do not age
  }

  clear(): void {
    this.failures = 0;
  }

  tune(opensOn: OpensOn): boolean {
    if (opensOn.kind !== 'consecutive') return false;
    this.#limit = opensOn.failures;
    return true;
  }

  parts(): WindowPart[] {
    const { failures } = this;
    return failures === 0 ? [] : [{ ageMs: 0, calls: failures, failures, slow: 0 }];
  }

  seed(parts: readonly WindowPart[]): string | undefined {
    let inARow = 0;
    for (const { calls, failures } of parts.toReversed()) {
      if (failures > 0 && failures < calls) {
        return 'the old window does not know the order of its newest results';
      }
      if (failures === 0) break;
      inARow += failures;
    }
    this.failures = inARow;
    return undefined;
  }
}
