import { describe, expect, it } from '@jest/globals';
import { createBackOff, KUBELET_BACK_OFF } from './back-off.ts';

describe('the restart back-off', () => {
  it('restarts at once after the first end, then waits 10 s doubling up to 300 s', () => {
    const backOff = createBackOff(KUBELET_BACK_OFF);
    const delays = Array.from({ length: 8 }, () => backOff.nextDelayMs(1000));
    expect(delays).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  });

  it.each([
    [599_999, 20_000],
    [600_000, 0],
  ])('after a run of %d ms waits %d ms: only ten minutes forgive', (ranForMs, delayMs) => {
    const backOff = createBackOff(KUBELET_BACK_OFF);
    backOff.nextDelayMs(0);
    backOff.nextDelayMs(0);
    expect(backOff.nextDelayMs(ranForMs)).toBe(delayMs);
  });
});
