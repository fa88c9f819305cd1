/** The heap after a collection, and how many calls had been made by then. */
export interface HeapSample {
  readonly atMs: number;
  readonly calls: number;
  readonly heapBytes: number;
}

export interface HeapSlope {
  readonly bytesPerMinute: number;
  readonly bytesPerMillionCalls: number;
  /** By the slope, from the first of these samples to the last. */
  readonly growthBytes: number;
}

/**
 * Straight line of least squares through the later half of the samples: in the first one code is compiled, caches are
 * filled to their bounds, and what is bounded has not reached its bound. At least four samples.
 */
export function heapSlopeOf(samples: readonly HeapSample[]): HeapSlope {
  const later = samples.slice(Math.floor(samples.length / 2));
  const [first] = later;
  const last = later.at(-1);
  if (!first || !last || later.length < 2) throw new RangeError('too few samples for a slope');
  const perMs = slope(later.map(({ atMs, heapBytes }) => [atMs, heapBytes]));
  const perCall = slope(later.map(({ calls, heapBytes }) => [calls, heapBytes]));
  return {
    bytesPerMinute: perMs * 60_000,
    bytesPerMillionCalls: perCall * 1e6,
    growthBytes: perMs * (last.atMs - first.atMs),
  };
}

function slope(points: readonly (readonly [number, number])[]): number {
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  let above = 0;
  let below = 0;
  for (const [x, y] of points) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
