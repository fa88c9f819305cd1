import { describe, expect, it } from '@jest/globals';
import { NetFlow } from './net-flow.ts';

describe('a net flow', () => {
  it('is nothing before a second has been seen, and a rate from there on', () => {
    const flow = new NetFlow();
    expect(flow.perMs(0)).toBeUndefined();
    flow.record(5, 1000);
    expect(flow.perMs(1999)).toBeUndefined();
    expect(flow.perMs(2000)).toBeCloseTo(0.005, 9);
  });

  it('forgets what is older than ten seconds, also after a long silence', () => {
    const flow = new NetFlow();
    for (let second = 0; second < 30; second++) flow.record(second < 15 ? 100 : -1, second * 1000);
    expect(flow.perMs(29_999)).toBeCloseTo(-0.001, 4);
    expect(flow.perMs(100_000)).toBeCloseTo(0, 9);
  });

  it('counts what leaves against what comes', () => {
    const flow = new NetFlow();
    flow.record(10, 0);
    flow.record(-4, 2500);
    expect(flow.perMs(3000)).toBeCloseTo(6 / 3000, 9);
  });
});
