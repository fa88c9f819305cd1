import { describe, expect, it } from '@jest/globals';
import { Breaker } from './breaker.ts';
import type { OpensOn } from './breaker-options.ts';
import { createFakeClock } from './test/fake-clock.ts';
import { calls } from './test/held-calls.ts';

const timed: OpensOn = {
  kind: 'time',
  failureRatio: 0.5,
  minimumCalls: 10,
  windowMs: 10_000,
  buckets: 10,
};
const slowCalls = { afterMs: 500, ratio: 0.5 };

describe('looks at the clock of a call that succeeds in a closed breaker', () => {
  it.each<[string, OpensOn, boolean | undefined, number]>([
    ['a row', { kind: 'consecutive', failures: 3 }, undefined, 0],
    ['a row, with latencies', { kind: 'consecutive', failures: 3 }, true, 2],
    [
      'a window of calls',
      { kind: 'count', failureRatio: 1, minimumCalls: 3, size: 3 },
      undefined,
      0,
    ],
    ['a window of time without latencies', timed, false, 1],
    ['a window of time', timed, undefined, 2],
    ['a window of time with slow calls, without latencies', { ...timed, slowCalls }, false, 2],
  ])('%s', async (_says, opensOn, measureLatency, looks) => {
    const clock = createFakeClock();
    let looked = 0;
    const counting = {
      ...clock,
      nowMs: () => {
        looked++;
        return clock.nowMs();
      },
    };
    const breaker = new Breaker('orders', {
      opensOn,
      clock: counting,
      ...(measureLatency !== undefined && { measureLatency }),
    });
    looked = 0;
    await breaker.run(() => 'done');
    expect(looked).toBe(looks);
  });
});

it('a call that began before anybody measured is not slow, and in no histogram', async () => {
  const clock = createFakeClock();
  const breaker = new Breaker('orders', { opensOn: { kind: 'consecutive', failures: 3 }, clock });
  const act = calls();
  const running = breaker.run(act.begin);
  breaker.retune({ opensOn: { ...timed, minimumCalls: 1, slowCalls } });
  act.succeed(0);
  await running;
  expect(breaker.snapshot()).toMatchObject({ state: 'closed', windowCalls: 1, windowSlow: 0 });
  expect(breaker.snapshot().latency).toBeUndefined();
});
