/** Of several runs of the same thing. */
export interface Spread {
  readonly runs: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** At least one sample; fails with a RangeError without. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined)
    throw new RangeError('no samples to take a median of');
  return { runs: sorted.length, median: medianOf(sorted), min, max };
}

function medianOf(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? Number.NaN) : upper;
  return (lower + upper) / 2;
}

/** How many times longer the rival takes; above 1: the subject is faster. */
export function timesFaster(subject: Spread, rival: Spread): number {
  return rival.median / subject.median;
}

/** The order of the entries in a round: each is first, second … equally often, so that none profits from its place. */
export function rotated<T>(entries: readonly T[], round: number): readonly T[] {
  const start = entries.length === 0 ? 0 : round % entries.length;
  return [...entries.slice(start), ...entries.slice(0, start)];
}
