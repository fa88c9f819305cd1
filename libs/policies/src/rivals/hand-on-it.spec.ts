import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import CircuitBreaker from 'opossum';
import { Breaker } from '../breaker.ts';
import { calls } from '../test/held-calls.ts';
import { WorkQueue } from '../work-queue.ts';

const recoveryMs = 1000;
const byHand = { id: 'o-1', leaseMs: 60_000, by: 'anna', reason: 'it drowns' } as const;
const up = () => Promise.resolve('up');
const down = () => Promise.reject(new Error('down'));

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

async function times(count: number, run: () => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done++) await run().catch(() => 'failed');
}

function breakerOf(failures: number) {
  return new Breaker('orders', {
    opensOn: { kind: 'consecutive', failures },
    recoveryMs,
    jitter: 'none',
  });
}

describe('a circuit that is opened by hand', () => {
  it('opossum: lets a call through after its resetTimeout, and one success closes it', async () => {
    const circuit = new CircuitBreaker(up, { timeout: false, resetTimeout: recoveryMs });
    circuit.open();
    await jest.advanceTimersByTimeAsync(recoveryMs);
    await circuit.fire();
    expect(circuit.closed).toBe(true);
    circuit.shutdown();
  });

  it('here: stays open for as long as somebody renews the lease, and no longer', async () => {
    const breaker = breakerOf(3);
    for (let renewal = 0; renewal < 5; renewal++) {
      breaker.override({ kind: 'force-open', ...byHand });
      await jest.advanceTimersByTimeAsync(byHand.leaseMs - 1);
      await expect(breaker.run(up)).rejects.toMatchObject({ code: 'open' });
    }
    await jest.advanceTimersByTimeAsync(1);
    await expect(breaker.run(up)).resolves.toBe('up');
  });
});

describe('a circuit that was open when it was isolated, and is released', () => {
  it('cockatiel: is closed, and gives a dead dependency its whole load', async () => {
    const circuit = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(1),
      halfOpenAfter: 10 * recoveryMs,
    });
    await times(1, () => circuit.execute(down));
    const isolated = circuit.isolate();
    isolated.dispose();
    expect(circuit.state).toBe(CircuitState.Closed);
  });

  it('here: is in the state that its own results gave it', async () => {
    const breaker = breakerOf(1);
    await times(1, () => breaker.run(down));
    breaker.override({ kind: 'force-open', ...byHand });
    breaker.release(byHand.id);
    expect(breaker.snapshot()).toMatchObject({ state: 'open', timeUntilRetryMs: recoveryMs });
    expect(breaker.snapshot().override).toBeUndefined();
  });
});

describe('limits that are changed while it works', () => {
  it('opossum: its volume threshold and capacity stay what they were', async () => {
    const options = { timeout: false, volumeThreshold: 100, capacity: 1 } as const;
    const live: CircuitBreaker.Options = { ...options };
    const act = calls();
    const circuit = new CircuitBreaker((run: () => Promise<string>) => run(), live);
    live.volumeThreshold = 1;
    live.capacity = 10;
    const working = circuit.fire(act.begin);
    await expect(circuit.fire(up)).rejects.toMatchObject({ code: 'ESEMLOCKED' });
    act.succeed(0);
    await working;
    await times(10, () => circuit.fire(down));
    expect(circuit.closed).toBe(true);
    circuit.shutdown();
  });

  it('here: hold with the next result, on the failures so far; the edit itself opens nothing', async () => {
    const breaker = breakerOf(100);
    await times(10, () => breaker.run(down));
    const { epoch } = breaker.snapshot();
    breaker.retune({ opensOn: { kind: 'consecutive', failures: 5 } });
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', windowFailures: 10, epoch });
    await times(1, () => breaker.run(down));
    expect(breaker.snapshot().state).toBe('open');
  });

  it('here: a queue that is shrunk below what runs waits for nobody, and shows its debt', async () => {
    const act = calls();
    const queue = new WorkQueue('orders', { maxWorkers: 4, maxSize: 10 });
    const works = Array.from({ length: 6 }, () => queue.submit(act.begin));
    queue.retune({ maxWorkers: 1 });
    expect(queue.snapshot()).toMatchObject({ activeWorkers: 4, overLimit: { workers: 3 } });
    for (const number of [0, 1, 2]) act.succeed(number);
    await jest.advanceTimersByTimeAsync(0);
    expect(queue.snapshot()).toMatchObject({
      activeWorkers: 1,
      size: 2,
      overLimit: { workers: 0 },
    });
    for (const number of [3, 4, 5]) {
      act.succeed(number);
      await jest.advanceTimersByTimeAsync(0);
    }
    await Promise.all(works);
    expect(act.begun()).toBe(6);
  });
});
