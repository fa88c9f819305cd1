import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import CircuitBreaker from 'opossum';
import { Breaker } from '../breaker.ts';

const processes = 200;
const recoveryMs = 1000;
const down = () => Promise.reject(new Error('down'));

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** In which tenth of the recovery time each of many processes may probe. */
function tenths(waitsMs: readonly number[]): number[] {
  const counts = Array.from({ length: 10 }, () => 0);
  for (const waitMs of waitsMs) {
    const tenth = Math.min(9, Math.floor((waitMs / recoveryMs) * 10));
    counts[tenth] = (counts[tenth] ?? 0) + 1;
  }
  return counts;
}

describe('many processes lose the same dependency in the same moment', () => {
  it('opossum: all probe in the same millisecond', async () => {
    const circuits = Array.from(
      { length: processes },
      () => new CircuitBreaker(down, { timeout: false, resetTimeout: recoveryMs }),
    );
    await Promise.allSettled(circuits.map((circuit) => circuit.fire()));
    await jest.advanceTimersByTimeAsync(recoveryMs - 1);
    expect(circuits.filter(({ halfOpen }) => halfOpen)).toHaveLength(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(circuits.filter(({ halfOpen }) => halfOpen)).toHaveLength(processes);
    for (const circuit of circuits) circuit.shutdown();
  });

  it('cockatiel: all probe in the same millisecond when halfOpenAfter is a number', async () => {
    const circuits = Array.from({ length: processes }, () =>
      circuitBreaker(handleAll, { breaker: new ConsecutiveBreaker(1), halfOpenAfter: recoveryMs }),
    );
    let probes = 0;
    const probe = () => {
      probes++;
      return down();
    };
    await Promise.allSettled(circuits.map((circuit) => circuit.execute(down)));
    await jest.advanceTimersByTimeAsync(recoveryMs - 1);
    await Promise.allSettled(circuits.map((circuit) => circuit.execute(probe)));
    expect(probes).toBe(0);
    await jest.advanceTimersByTimeAsync(1);
    await Promise.allSettled(circuits.map((circuit) => circuit.execute(probe)));
    expect(probes).toBe(processes);
    expect(circuits.every(({ state }) => state === CircuitState.Open)).toBe(true);
  });

  it('here: they spread over the whole recovery time without anybody asking for it', async () => {
    const breakers = Array.from(
      { length: processes },
      () => new Breaker('orders', { opensOn: { kind: 'consecutive', failures: 1 }, recoveryMs }),
    );
    await Promise.allSettled(breakers.map((breaker) => breaker.run(down)));
    const counts = tenths(breakers.map((breaker) => breaker.snapshot().timeUntilRetryMs ?? -1));
    // 20 are expected in each; that one tenth gets none has a probability of 7e-10
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(Math.max(...counts)).toBeLessThan(processes / 3);
  });
});
