import { describe, expect, it, jest } from '@jest/globals';
import CircuitBreaker from 'opossum';
import { Breaker } from '../breaker.ts';

const up = () => Promise.resolve('up');
const down = () => Promise.reject(new Error('down'));

/** How many timers `make` starts; they are the real ones of the process. */
function timersOf(make: () => void): number {
  const interval = jest.spyOn(globalThis, 'setInterval');
  const timeout = jest.spyOn(globalThis, 'setTimeout');
  make();
  const started = interval.mock.calls.length + timeout.mock.calls.length;
  interval.mockRestore();
  timeout.mockRestore();
  return started;
}

describe('breakers that nobody calls', () => {
  const count = 100;

  it('opossum: two timers each', () => {
    const made: CircuitBreaker[] = [];
    expect(
      timersOf(() => {
        for (let number = 0; number < count; number++) made.push(new CircuitBreaker(up));
      }),
    ).toBe(2 * count);
    for (const circuit of made) circuit.shutdown();
  });

  it('here: none', () => {
    expect(
      timersOf(() => {
        for (let number = 0; number < count; number++) new Breaker(`orders-${number}`);
      }),
    ).toBe(0);
  });
});

describe('what the window holds', () => {
  const calls = 5000;

  it('opossum: each latency of each call, and sorts them all again with each failure', async () => {
    const circuit = new CircuitBreaker((act: () => Promise<string>) => act(), { timeout: false });
    for (let number = 0; number < calls; number++) await circuit.fire(up);
    expect(circuit.stats.latencyTimes).toHaveLength(calls);
    const sort = jest.spyOn(Array.prototype, 'sort');
    await circuit.fire(down).catch(() => 'failed');
    const sorted = sort.mock.contexts.map((sortedArray) => (sortedArray as unknown[]).length);
    sort.mockRestore();
    expect(sorted).toContain(calls + 1);
    circuit.shutdown();
  });

  it('here: counts, and sorts nothing', async () => {
    const breaker = new Breaker('orders');
    for (let number = 0; number < calls; number++) await breaker.run(up);
    const sort = jest.spyOn(Array.prototype, 'sort');
    await breaker.run(down).catch(() => 'failed');
    expect(sort).not.toHaveBeenCalled();
    sort.mockRestore();
    expect(breaker.snapshot().windowCalls).toBe(calls + 1);
  });
});

describe('the error of a refused call', () => {
  it('opossum: a new one with a new stack for each', async () => {
    const circuit = new CircuitBreaker(up, { timeout: false });
    circuit.open();
    const [first, second] = await Promise.all(
      [1, 2].map(() => circuit.fire().catch((error: unknown) => error)),
    );
    expect(first).not.toBe(second);
    circuit.shutdown();
  });

  it('here: one for each opening, which knows its breaker, epoch and wait', async () => {
    const breaker = new Breaker('orders', { opensOn: { kind: 'consecutive', failures: 1 } });
    await breaker.run(down).catch(() => 'failed');
    const [first, second] = await Promise.all(
      [1, 2].map(() => breaker.run(up).catch((error: unknown) => error)),
    );
    expect(first).toBe(second);
    expect(first).toMatchObject({ policy: 'orders', epoch: breaker.snapshot().epoch });
  });
});
