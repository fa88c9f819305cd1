import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@starr/kernel';
import { createGate } from './gate.ts';

/** Sleeps at once, and says for how long. */
function fakeClock(): { clock: Clock; slept: number[]; pass: (ms: number) => void } {
  const slept: number[] = [];
  let now = 0;
  const clock: Clock = {
    now: () => new Date(now),
    monotonicMs: () => now,
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
  };
  return { clock, slept, pass: (ms) => (now += ms) };
}

const never = new AbortController().signal;

describe('the gate', () => {
  it('lets so many through at once, and the next when one is done', async () => {
    const gate = createGate({ maxParallel: 2, perSecond: 100, burst: 100 }, fakeClock().clock);
    let inside = 0;
    let most = 0;
    const run = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 7 }, () => gate.through(never, run)));
    expect([most, inside]).toEqual([2, 0]);
  });

  it('spends the burst at once, then waits for the refill', async () => {
    const { clock, slept, pass } = fakeClock();
    const gate = createGate({ maxParallel: 1, perSecond: 10, burst: 3 }, clock);
    const run = () => Promise.resolve();
    for (let n = 0; n < 3; n += 1) await gate.through(never, run);
    expect(slept).toEqual([]);
    await gate.through(never, run);
    expect(slept).toEqual([100]);
    pass(200);
    await gate.through(never, run);
    expect(slept).toEqual([100]);
  });

  it('lets the next in after a failure', async () => {
    const gate = createGate({ maxParallel: 1, perSecond: 10, burst: 9 }, fakeClock().clock);
    await expect(gate.through(never, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await gate.through(never, () => Promise.resolve(1))).toBe(1);
  });

  it('gives up its place in the queue when the time is over, and takes nobody else’s', async () => {
    const gate = createGate({ maxParallel: 1, perSecond: 10, burst: 9 }, fakeClock().clock);
    let free = (): void => undefined;
    const first = gate.through(never, () => new Promise<void>((resolve) => (free = resolve)));
    const late = new AbortController();
    const second = gate.through(late.signal, () => Promise.resolve('second'));
    const third = gate.through(never, () => Promise.resolve('third'));
    late.abort();
    await expect(second).rejects.toMatchObject({ code: 'EVIDENCE_TIMEOUT' });
    free();
    expect(await third).toBe('third');
    await first;
  });
});
