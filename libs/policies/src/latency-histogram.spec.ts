import { describe, expect, it } from '@jest/globals';
import { LatencyHistogram } from './latency-histogram.ts';

function histogramOf(...tookMs: number[]) {
  const histogram = new LatencyHistogram();
  for (const ms of tookMs) histogram.record(ms);
  return histogram;
}

describe('a latency histogram', () => {
  it.each([
    [0, 0.256],
    [0.255, 0.256],
    [0.256, 0.512],
    [0.511, 0.512],
    [1, 1.024],
    [1.024, 2.048],
    [100, 131.072],
    [30_000, 33_554.432],
    [40_000, 33_554.432],
    [1e12, 33_554.432],
  ])('has %p ms in the bucket up to %p ms', (tookMs, upToMs) => {
    expect(histogramOf(tookMs).snapshot()?.buckets).toEqual([{ upToMs, calls: 1 }]);
  });

  it('gives percentiles within their buckets', () => {
    const fast = Array.from({ length: 98 }, () => 10);
    const snapshot = histogramOf(...fast, 1000, 1000).snapshot();
    expect(snapshot?.calls).toBe(100);
    expect(snapshot?.p50Ms).toBeGreaterThan(8.192);
    expect(snapshot?.p50Ms).toBeLessThan(16.384);
    expect(snapshot?.p95Ms).toBeLessThan(16.384);
    expect(snapshot?.p99Ms).toBeGreaterThan(524.288);
    expect(snapshot?.p99Ms).toBeLessThan(1048.576);
  });

  it('is absent without a call, and again after clearing', () => {
    const histogram = histogramOf(1);
    histogram.clear();
    expect(histogram.snapshot()).toBeUndefined();
  });

  it('lets the newest calls weigh most: at each 4096th all counts are halved', () => {
    const histogram = histogramOf(...Array.from({ length: 4095 }, () => 10));
    expect(histogram.snapshot()?.calls).toBe(4095);
    histogram.record(1000);
    expect(histogram.snapshot()).toMatchObject({ calls: 2047, buckets: [{ calls: 2047 }] });
  });
});
