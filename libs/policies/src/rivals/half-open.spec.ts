import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll, handleType } from 'cockatiel';
import CircuitBreaker from 'opossum';
import { Breaker } from '../breaker.ts';
import { calls } from '../test/held-calls.ts';

const callers = 1000;
const recoveryMs = 1000;
const tenMinutesMs = 600_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function abortError(): Error {
  return Object.assign(new Error('the caller left'), { name: 'AbortError' });
}

async function halfOpenBreaker(act: () => Promise<string>, fail: () => void) {
  const breaker = new Breaker('orders', {
    opensOn: { kind: 'consecutive', failures: 1 },
    recoveryMs,
    jitter: 'none',
  });
  const opening = breaker.run(act).catch(() => 'failed');
  fail();
  await opening;
  await jest.advanceTimersByTimeAsync(recoveryMs);
  return breaker;
}

async function halfOpenOpossum(act: () => Promise<string>, fail: () => void, options = {}) {
  const circuit = new CircuitBreaker(act, { timeout: false, resetTimeout: recoveryMs, ...options });
  const opening = circuit.fire().catch(() => 'failed');
  fail();
  await opening;
  await jest.advanceTimersByTimeAsync(recoveryMs);
  expect(circuit.halfOpen).toBe(true);
  return circuit;
}

describe('a probe that never answers', () => {
  it('opossum without its timeout: nobody gets through again', async () => {
    const act = calls();
    const circuit = await halfOpenOpossum(act.begin, () => {
      act.fail(0);
    });
    void circuit.fire();
    await jest.advanceTimersByTimeAsync(tenMinutesMs);
    await expect(circuit.fire()).rejects.toMatchObject({ code: 'EOPENBREAKER' });
    expect(act.begun()).toBe(2);
    circuit.shutdown();
  });

  it('cockatiel: all other callers wait for it, and none is ever answered', async () => {
    const act = calls();
    const circuit = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(1),
      halfOpenAfter: recoveryMs,
    });
    const opening = circuit.execute(act.begin).catch(() => 'failed');
    act.fail(0);
    await opening;
    await jest.advanceTimersByTimeAsync(recoveryMs);
    void circuit.execute(act.begin);
    let settled = 0;
    for (let caller = 0; caller < callers; caller++) {
      void circuit.execute(act.begin).finally(() => settled++);
    }
    await jest.advanceTimersByTimeAsync(tenMinutesMs);
    expect({ settled, begun: act.begun() }).toEqual({ settled: 0, begun: 2 });
  });

  it('here: loses its place when its lease ends, counts as failed, and the next probe closes', async () => {
    const act = calls();
    const breaker = await halfOpenBreaker(act.begin, () => {
      act.fail(0);
    });
    void breaker.run(act.begin);
    const refused = await Promise.allSettled(
      Array.from({ length: callers }, () => breaker.run(act.begin)),
    );
    expect(refused.filter(({ status }) => status === 'rejected')).toHaveLength(callers);
    await jest.advanceTimersByTimeAsync(recoveryMs);
    expect(breaker.snapshot()).toMatchObject({ state: 'open', openingsInARow: 2 });
    await jest.advanceTimersByTimeAsync(2 * recoveryMs);
    const next = breaker.run(act.begin);
    act.succeed(2);
    await next;
    expect(breaker.snapshot().state).toBe('closed');
  });
});

describe('a probe that its own caller ended', () => {
  it('opossum: opens again, though nobody knows whether the dependency is well', async () => {
    const act = calls();
    const circuit = await halfOpenOpossum(act.begin, () => {
      act.fail(0);
    });
    const probe = circuit.fire().catch(() => 'left');
    act.fail(1, abortError());
    await probe;
    expect(circuit.opened).toBe(true);
    circuit.shutdown();
  });

  it('opossum with a filter for it: closes, as if the dependency had answered', async () => {
    const act = calls();
    const circuit = await halfOpenOpossum(
      act.begin,
      () => {
        act.fail(0);
      },
      { errorFilter: (error: Error) => error.name === 'AbortError' },
    );
    const probe = circuit.fire().catch(() => 'left');
    act.fail(1, abortError());
    await probe;
    expect(circuit.closed).toBe(true);
    circuit.shutdown();
  });

  it('cockatiel that handles other errors only: closes', async () => {
    const act = calls();
    const circuit = circuitBreaker(handleType(TypeError), {
      breaker: new ConsecutiveBreaker(1),
      halfOpenAfter: recoveryMs,
    });
    const opening = circuit.execute(act.begin).catch(() => 'failed');
    act.fail(0, new TypeError('down'));
    await opening;
    await jest.advanceTimersByTimeAsync(recoveryMs);
    const probe = circuit.execute(act.begin).catch(() => 'left');
    act.fail(1, abortError());
    await probe;
    expect(circuit.state).toBe(CircuitState.Closed);
  });

  it('here: gives its place back and moves nothing', async () => {
    const act = calls();
    const breaker = await halfOpenBreaker(act.begin, () => {
      act.fail(0);
    });
    const probe = breaker.run(act.begin).catch(() => 'left');
    act.fail(1, abortError());
    await probe;
    expect(breaker.snapshot()).toMatchObject({
      state: 'half-open',
      probesInFlight: 0,
      totals: { ignored: 1 },
    });
  });
});
