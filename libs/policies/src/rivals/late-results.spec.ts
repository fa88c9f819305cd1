import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConsecutiveBreaker, CircuitState, circuitBreaker, handleAll } from 'cockatiel';
import CircuitBreaker from 'opossum';
import { Breaker } from '../breaker.ts';
import { calls } from '../test/held-calls.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a success of a call that began before the opening', () => {
  it('opossum: closes a half-open circuit while the probe is still out', async () => {
    const act = calls();
    const circuit = new CircuitBreaker(act.begin, {
      timeout: false,
      resetTimeout: 1000,
      volumeThreshold: 1,
    });
    const old = circuit.fire();
    const failing = circuit.fire().catch(() => 'failed');
    act.fail(1);
    await failing;
    // half of the two calls is not above 50 %: a second one opens
    const second = circuit.fire().catch(() => 'failed');
    act.fail(2);
    await second;
    expect(circuit.opened).toBe(true);
    await jest.advanceTimersByTimeAsync(1000);
    const probe = circuit.fire();
    expect(circuit.halfOpen).toBe(true);
    act.succeed(0);
    await old;
    expect(circuit.closed).toBe(true);
    expect(act.out()).toBe(1);
    act.succeed(3);
    await probe;
    circuit.shutdown();
  });

  it('here: is counted as late, and the probe alone decides', async () => {
    const act = calls();
    const breaker = new Breaker('orders', {
      opensOn: { kind: 'consecutive', failures: 1 },
      recoveryMs: 1000,
      jitter: 'none',
    });
    const old = breaker.run(act.begin);
    const failing = breaker.run(act.begin).catch(() => 'failed');
    act.fail(1);
    await failing;
    await jest.advanceTimersByTimeAsync(1000);
    const probe = breaker.run(act.begin);
    act.succeed(0);
    await old;
    expect(breaker.snapshot()).toMatchObject({ state: 'half-open', totals: { late: 1 } });
    act.succeed(2);
    await probe;
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', totals: { late: 1 } });
  });
});

describe('failures of calls that began before the opening', () => {
  it('cockatiel: open the circuit that has just recovered', async () => {
    const act = calls();
    const circuit = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(2),
      halfOpenAfter: 1000,
    });
    const old = [0, 1].map(() => circuit.execute(act.begin).catch(() => 'failed'));
    const opening = [2, 3].map(() => circuit.execute(act.begin).catch(() => 'failed'));
    act.fail(2);
    act.fail(3);
    await Promise.all(opening);
    expect(circuit.state).toBe(CircuitState.Open);
    await jest.advanceTimersByTimeAsync(1000);
    const probe = circuit.execute(act.begin);
    act.succeed(4);
    await probe;
    expect(circuit.state).toBe(CircuitState.Closed);
    act.fail(0);
    act.fail(1);
    await Promise.all(old);
    expect(circuit.state).toBe(CircuitState.Open);
  });

  it('cockatiel: open a half-open circuit whose probe is still out', async () => {
    const act = calls();
    const circuit = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(1),
      halfOpenAfter: 1000,
    });
    const old = circuit.execute(act.begin).catch(() => 'failed');
    const opening = circuit.execute(act.begin).catch(() => 'failed');
    act.fail(1);
    await opening;
    await jest.advanceTimersByTimeAsync(1000);
    const probe = circuit.execute(act.begin);
    expect(circuit.state).toBe(CircuitState.HalfOpen);
    act.fail(0);
    await old;
    expect(circuit.state).toBe(CircuitState.Open);
    act.succeed(2);
    await probe;
  });

  it('here: leave the recovered and the half-open breaker alone', async () => {
    const act = calls();
    const breaker = new Breaker('orders', {
      opensOn: { kind: 'consecutive', failures: 1 },
      recoveryMs: 1000,
      jitter: 'none',
    });
    const old = [0, 1].map(() => breaker.run(act.begin).catch(() => 'failed'));
    const opening = breaker.run(act.begin).catch(() => 'failed');
    act.fail(2);
    await opening;
    await jest.advanceTimersByTimeAsync(1000);
    const probe = breaker.run(act.begin);
    act.fail(0);
    await old[0];
    expect(breaker.snapshot().state).toBe('half-open');
    act.succeed(3);
    await probe;
    act.fail(1);
    await old[1];
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', totals: { late: 2 } });
  });
});
