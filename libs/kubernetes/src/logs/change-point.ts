/** A time of which the log is complete, for one container. Milliseconds. */
export interface Exposure {
  readonly from: number;
  readonly to: number;
}

/** A step in the rate of something that happens at moments. */
export interface Step {
  /** The first moment at the new rate. */
  readonly onset: number;
  readonly before: number;
  readonly after: number;
  /** Per minute and container. */
  readonly rateBefore: number;
  readonly rateAfter: number;
  /** How much better the step explains the moments than one steady rate: a log likelihood ratio, less for clumps. */
  readonly evidence: number;
}

const BUCKETS = 60;
const LEAST_BUCKET_MS = 1000;
const MINUTE_MS = 60_000;

interface Bucket {
  readonly start: number;
  readonly minutes: number;
  readonly count: number;
}

/**
 * The step that explains the moments best, at constant cost however many they are. The rate is per minute of log that was
 * really seen, so that a container that came later, or whose log reaches back less far, makes no step by itself.
 * Undefined: no moments, or nothing seen.
 */
export function bestStep(
  moments: readonly number[],
  exposures: readonly Exposure[],
): Step | undefined {
  const buckets = bucketsOf(moments, exposures);
  const total = sumOf(buckets);
  if (total.count === 0 || buckets.length < 2) return undefined;
  let best: { split: number; ratio: number } | undefined;
  let left = { count: 0, minutes: 0 };
  for (let split = 1; split < buckets.length; split += 1) {
    const bucket = buckets[split - 1];
    left = {
      count: left.count + (bucket?.count ?? 0),
      minutes: left.minutes + (bucket?.minutes ?? 0),
    };
    const right = { count: total.count - left.count, minutes: total.minutes - left.minutes };
    if (right.count === 0 || right.count / right.minutes <= left.count / left.minutes) continue;
    const ratio = gain(left) + gain(right) - gain(total);
    if (ratio > (best?.ratio ?? 0)) best = { split, ratio };
  }
  if (!best) return undefined;
  const start = buckets[best.split]?.start ?? 0;
  const onset = moments.reduce((first, at) => (at >= start && at < first ? at : first), Infinity);
  return stepBetween(buckets.slice(0, best.split), buckets.slice(best.split), best.ratio, onset);
}

/** What happened in a log, and when that log is complete. */
export interface LogSample {
  readonly moments: readonly number[];
  readonly exposures: readonly Exposure[];
}

/**
 * Two samples as the two sides of a step: an older revision and a newer one, which may have run at the same time.
 * Undefined: one of them was not seen, or the newer has nothing.
 */
export function compareRates(older: LogSample, newer: LogSample): Step | undefined {
  const [before, after] = [older, newer].map((one) => bucketsOf(one.moments, one.exposures));
  if (!before || !after) return undefined;
  const [left, right, total] = [sumOf(before), sumOf(after), sumOf([...before, ...after])];
  if (right.count === 0 || left.minutes === 0 || right.minutes === 0) return undefined;
  return stepBetween(
    before,
    after,
    gain(left) + gain(right) - gain(total),
    Math.min(...newer.moments),
  );
}

/** Log likelihood of a Poisson rate fitted to one part, up to a term that all parts share. */
function gain({ count, minutes }: { count: number; minutes: number }): number {
  return count === 0 ? 0 : count * Math.log(count / minutes);
}

function stepBetween(
  left: readonly Bucket[],
  right: readonly Bucket[],
  ratio: number,
  onset: number,
): Step {
  const [before, after] = [sumOf(left), sumOf(right)];
  const rateBefore = before.count / before.minutes;
  const rateAfter = after.count / after.minutes;
  const spread = Math.max(1, dispersion(left, rateBefore), dispersion(right, rateAfter));
  return {
    onset,
    before: before.count,
    after: after.count,
    rateBefore,
    rateAfter,
    evidence: ratio / spread,
  };
}

/** How much more the counts vary than a steady rate would let them: 1 for single events, 20 for clumps of twenty. */
function dispersion(buckets: readonly Bucket[], rate: number): number {
  if (buckets.length < 2 || rate === 0) return 1;
  const squares = buckets.map(
    ({ count, minutes }) => (count - rate * minutes) ** 2 / (rate * minutes),
  );
  return squares.reduce((sum, square) => sum + square, 0) / (buckets.length - 1);
}

function bucketsOf(moments: readonly number[], exposures: readonly Exposure[]): readonly Bucket[] {
  const from = Math.min(...exposures.map((e) => e.from));
  const to = Math.max(...exposures.map((e) => e.to));
  if (!(to > from)) return [];
  const width = Math.max(LEAST_BUCKET_MS, (to - from) / BUCKETS);
  const counts = new Array<number>(Math.ceil((to - from) / width)).fill(0);
  for (const at of moments) {
    const index = Math.min(counts.length - 1, Math.max(0, Math.floor((at - from) / width)));
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts
    .map((count, i) => {
      const start = from + i * width;
      return { start, count, minutes: overlap(exposures, start, start + width) / MINUTE_MS };
    })
    .filter(({ minutes }) => minutes > 0);
}

function overlap(exposures: readonly Exposure[], from: number, to: number): number {
  return exposures.reduce(
    (sum, e) => sum + Math.max(0, Math.min(e.to, to) - Math.max(e.from, from)),
    0,
  );
}

function sumOf(buckets: readonly Bucket[]): { count: number; minutes: number } {
  return buckets.reduce(
    (sum, { count, minutes }) => ({ count: sum.count + count, minutes: sum.minutes + minutes }),
    { count: 0, minutes: 0 },
  );
}
