import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CircuitState, SamplingBreaker, circuitBreaker, handleAll } from 'cockatiel';
import CircuitBreaker from 'opossum';
import { Breaker } from '../breaker.ts';
import { WorkQueue } from '../work-queue.ts';
import { calls } from '../test/held-calls.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const down = () => Promise.reject(new Error('down'));
const up = () => Promise.resolve('up');
type Act = () => Promise<string>;
const obey = (act: Act) => act();

async function times(count: number, run: () => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done++) await run().catch(() => 'failed');
}

describe('calls that its own limit refused', () => {
  it('opossum: open the circuit of a dependency that never failed', async () => {
    const act = calls();
    const circuit = new CircuitBreaker(act.begin, { timeout: false, capacity: 1 });
    const working = circuit.fire();
    await times(2, () => circuit.fire());
    expect(circuit.opened).toBe(true);
    act.succeed(0);
    await working;
    expect(act.begun()).toBe(1);
    circuit.shutdown();
  });

  it('here: are in no window', async () => {
    const act = calls();
    const breaker = new Breaker('orders', { opensOn: { kind: 'consecutive', failures: 1 } });
    const queue = new WorkQueue('orders', { maxWorkers: 1, maxSize: 0 });
    const call = () => queue.submit(() => breaker.run(act.begin));
    const working = call();
    await times(100, call);
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', windowCalls: 0 });
    expect(queue.snapshot().rejected).toBe(100);
    act.succeed(0);
    await working;
  });
});

describe('what the failures are divided by', () => {
  // 5 calls run and fail; 20 more are answered from the cache or refused, and never reach the dependency
  it('opossum: by all that was fired, so that cache hits hide a dependency of which every call fails', async () => {
    let failing = false;
    const circuit = new CircuitBreaker(
      (_key: string) => (failing ? Promise.reject(new Error('down')) : Promise.resolve('up')),
      { timeout: false, cache: true, volumeThreshold: 5 },
    );
    await circuit.fire('cached');
    await times(20, () => circuit.fire('cached'));
    failing = true;
    for (let call = 0; call < 15; call++) await circuit.fire(`new-${call}`).catch(() => 'failed');
    expect(circuit.closed).toBe(true);
    expect(circuit.stats).toMatchObject({ fires: 36, failures: 15, cacheHits: 20 });
    circuit.shutdown();
  });

  it('here: by the calls that ran; 15 failures of 16 open it', async () => {
    const breaker = new Breaker('orders', {
      opensOn: {
        kind: 'time',
        failureRatio: 0.5,
        minimumCalls: 5,
        windowMs: 10_000,
        buckets: 10,
      },
    });
    await breaker.run(up);
    await times(15, () => breaker.run(down));
    expect(breaker.snapshot().state).toBe('open');
  });
});

describe('the first failure of all', () => {
  it('opossum: opens, since its volume threshold is 0', async () => {
    const circuit = new CircuitBreaker(down, { timeout: false });
    await times(1, () => circuit.fire());
    expect(circuit.opened).toBe(true);
    circuit.shutdown();
  });

  it('here: is one of the ten calls without which nothing opens', async () => {
    const breaker = new Breaker('orders');
    await times(9, () => breaker.run(down));
    expect(breaker.snapshot().state).toBe('closed');
    await times(1, () => breaker.run(down));
    expect(breaker.snapshot().state).toBe('open');
  });
});

describe('one failure after the recovery', () => {
  const five = { failureRatio: 0.5, minimumCalls: 5, windowMs: 10_000, buckets: 10 };

  it('opossum: opens at once, by the failures before it', async () => {
    const circuit = new CircuitBreaker(obey, {
      timeout: false,
      volumeThreshold: 5,
      resetTimeout: 1000,
    });
    await times(5, () => circuit.fire(down));
    await jest.advanceTimersByTimeAsync(1000);
    await circuit.fire(up);
    expect(circuit.closed).toBe(true);
    await times(1, () => circuit.fire(down));
    expect(circuit.opened).toBe(true);
    circuit.shutdown();
  });

  it('here: is the first call of an empty window', async () => {
    const breaker = new Breaker('orders', {
      opensOn: { kind: 'time', ...five },
      recoveryMs: 1000,
      jitter: 'none',
    });
    await times(5, () => breaker.run(down));
    await jest.advanceTimersByTimeAsync(1000);
    await breaker.run(up);
    await times(1, () => breaker.run(down));
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', windowCalls: 1 });
  });
});

describe('an hour without calls', () => {
  const hourMs = 3_600_000;

  it('cockatiel: four failures before it meet the one after it, in a window of five seconds', async () => {
    const circuit = circuitBreaker(handleAll, {
      breaker: new SamplingBreaker({ threshold: 0.5, duration: 5000, minimumRps: 1 }),
      halfOpenAfter: 1000,
    });
    await times(4, () => circuit.execute(down));
    await jest.advanceTimersByTimeAsync(hourMs);
    await times(1, () => circuit.execute(down));
    expect(circuit.state).toBe(CircuitState.Open);
  });

  it('here: empties the window', async () => {
    const breaker = new Breaker('orders', {
      opensOn: { kind: 'time', failureRatio: 0.5, minimumCalls: 5, windowMs: 5000, buckets: 5 },
    });
    await times(4, () => breaker.run(down));
    await jest.advanceTimersByTimeAsync(hourMs);
    await times(1, () => breaker.run(down));
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', windowCalls: 1 });
  });
});
