import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { Breaker } from '../breaker.ts';

const recoveryMs = 1000;
const hourMs = 3_600_000;
const tenMinutesMs = 600_000;
const down = () => Promise.reject(new Error('down'));
const up = () => Promise.resolve('up');

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

// A leap of NTP, a resumed virtual machine, an administrator: the machine's clock is one hour earlier.
function setWallClockBack(): void {
  const before = performance.now();
  jest.setSystemTime(Date.now() - hourMs);
  expect(performance.now()).toBe(before);
}

describe('the clock of the machine is set back by an hour while the circuit is open', () => {
  it('cockatiel: refuses everything for that hour, though it wanted to wait one second', async () => {
    const circuit = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(1),
      halfOpenAfter: recoveryMs,
    });
    await circuit.execute(down).catch(() => 'failed');
    setWallClockBack();
    await jest.advanceTimersByTimeAsync(tenMinutesMs);
    await expect(circuit.execute(up)).rejects.toThrow('Execution prevented');
    expect(circuit.state).toBe(CircuitState.Open);
  });

  it('here: the probe comes after one second', async () => {
    const breaker = new Breaker('orders', {
      opensOn: { kind: 'consecutive', failures: 1 },
      recoveryMs,
      jitter: 'none',
    });
    await breaker.run(down).catch(() => 'failed');
    setWallClockBack();
    await jest.advanceTimersByTimeAsync(recoveryMs - 1);
    await expect(breaker.run(up)).rejects.toMatchObject({ code: 'open' });
    await jest.advanceTimersByTimeAsync(1);
    await expect(breaker.run(up)).resolves.toBe('up');
    expect(breaker.snapshot().state).toBe('closed');
  });
});
