import { describe, expect, it } from '@jest/globals';
import { heapSlopeOf } from './heap-slope.ts';
import { soak } from './soak.ts';
import { createWorkload, type Workload } from './workload.ts';

const SHORT = { forMs: 6000, sampleEveryMs: 300 };
/** A busy heap of a test runner breathes by more than the long run's bound. */
const MOST_GROWTH_BYTES = 2 ** 20;

describe('a short soak of the policies', () => {
  it('does everything, and leaves nothing on the heap', async () => {
    const workload = createWorkload();
    const { slope, calls } = await soak(workload, SHORT);
    expect(calls).toBeGreaterThan(1000);
    for (const [what, count] of Object.entries(workload.totals())) {
      expect([what, count > 0]).toEqual([what, true]);
    }
    expect(slope.growthBytes).toBeLessThan(MOST_GROWTH_BYTES);
  });

  it('would see a megabyte a second that is kept, however many calls that are', async () => {
    const kept: number[][] = [];
    const startedMs = performance.now();
    const workload = createWorkload();
    const leaking: Workload = {
      ...workload,
      turn: async () => {
        const calls = await workload.turn();
        while (kept.length < performance.now() - startedMs)
          kept.push(Array.from({ length: 128 }, () => kept.length));
        return calls;
      },
    };
    const { slope } = await soak(leaking, SHORT);
    expect(slope.growthBytes).toBeGreaterThan(MOST_GROWTH_BYTES);
    expect(kept.length).toBeGreaterThan(0);
  });
});

describe('the slope of a heap', () => {
  const samples = (heaps: readonly number[]) =>
    heaps.map((heapBytes, index) => ({ atMs: index * 60_000, calls: index * 2e6, heapBytes }));

  it('is that of the later half, in bytes a minute and a million calls', () => {
    expect(heapSlopeOf(samples([0, 900, 5000, 1000, 1100, 1200]))).toEqual({
      bytesPerMinute: 100,
      bytesPerMillionCalls: 50,
      growthBytes: 200,
    });
  });

  it('is 0 for a heap that only breathes', () => {
    expect(heapSlopeOf(samples([0, 0, 0, 0, 10, 20, 20, 10])).growthBytes).toBe(0);
  });

  it('needs samples', () => {
    expect(() => heapSlopeOf(samples([1]))).toThrow(RangeError);
  });
});
