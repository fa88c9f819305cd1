import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  ConsecutiveBreaker,
  CountBreaker,
  SamplingBreaker,
  circuitBreaker,
  handleAll,
  handleType,
  retry,
  wrap,
  type IBreaker,
} from 'cockatiel';
import type { Transition } from '../transitions.ts';
import { adaptCockatiel } from './adapt-cockatiel.ts';

const recoveryMs = 1000;
const override = { id: 'o-1', leaseMs: 5000, by: 'anna', reason: 'it drowns' } as const;
const up = () => Promise.resolve('up');
const down = () => Promise.reject(new TypeError('secret'));

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function setUp(breaker: IBreaker = new ConsecutiveBreaker(2), handled = handleAll) {
  const circuit = circuitBreaker(handled, { breaker, halfOpenAfter: recoveryMs });
  const adapted = adaptCockatiel(circuit, { name: 'payments', recoveryMs });
  const transitions: Transition[] = [];
  adapted.onTransition((transition) => transitions.push(transition));
  const call = (act: () => Promise<string>) =>
    circuit.execute(act).catch((error: unknown) => error);
  return { circuit, adapted, transitions, call };
}

describe('a cockatiel breaker under our view', () => {
  it.each<[string, IBreaker, number, number]>([
    ['failures in a row', new ConsecutiveBreaker(5), 1, 1],
    ['a window of calls', new CountBreaker({ threshold: 0.9, size: 10 }), 3, 2],
    ['a window of time', new SamplingBreaker({ threshold: 0.9, duration: 10_000 }), 3, 2],
  ])('shows the window of %s', async (_says, breaker, windowCalls, windowFailures) => {
    const { adapted, call } = setUp(breaker);
    await call(down);
    await call(up);
    await call(down);
    expect(adapted.snapshot()).toMatchObject({
      kind: 'breaker',
      name: 'payments',
      limited: { library: 'cockatiel' },
      state: 'closed',
      windowCalls,
      windowFailures,
      lastFailure: { name: 'TypeError' },
      totals: { succeeded: 1, failed: 2 },
    });
  });

  it('follows it through opening, refusals, a failed and a good probe', async () => {
    const { adapted, transitions, call } = setUp();
    await call(down);
    await call(down);
    await jest.advanceTimersByTimeAsync(400);
    await call(up);
    expect(adapted.snapshot()).toMatchObject({
      state: 'open',
      stateAgeMs: 400,
      timeUntilRetryMs: 600,
      rejectedInState: 1,
      totals: { failed: 2, rejected: 1 },
    });
    await jest.advanceTimersByTimeAsync(600);
    await call(down);
    await jest.advanceTimersByTimeAsync(recoveryMs);
    await call(up);
    expect(adapted.snapshot()).toMatchObject({ state: 'closed', openingsInARow: 0 });
    expect(transitions.map(({ from, to, why }) => `${from} ${to} ${why}`)).toEqual([
      'closed open threshold',
      'open half-open recovery-due',
      'half-open open probe-failed',
      'open half-open recovery-due',
      'half-open closed probes-succeeded',
    ]);
  });

  it('counts errors that it does not handle as ignored', async () => {
    const { adapted, call } = setUp(new ConsecutiveBreaker(1), handleType(RangeError));
    await call(down);
    expect(adapted.snapshot()).toMatchObject({
      state: 'closed',
      totals: { ignored: 1, failed: 0 },
    });
  });

  it('counts refusals also of a breaker that is part of a wrap', async () => {
    const { circuit, adapted, call } = setUp();
    await call(down);
    await call(down);
    const wrapped = wrap(retry(handleAll, { maxAttempts: 0 }), circuit);
    await wrapped.execute(up).catch(() => 'refused');
    expect(adapted.snapshot().rejectedInState).toBe(1);
  });
});

describe('a cockatiel breaker that is forced open', () => {
  it('refuses everything until it is released, and then is closed', async () => {
    const { adapted, call } = setUp();
    expect(adapted.override({ kind: 'force-open', ...override })).toEqual({ kind: 'begun' });
    await jest.advanceTimersByTimeAsync(3 * recoveryMs);
    await expect(call(up)).resolves.toMatchObject({ isBrokenCircuitError: true });
    expect(adapted.snapshot()).toMatchObject({
      state: 'open',
      rejectedInState: 1,
      override: { kind: 'force-open' },
    });
    adapted.release('o-1');
    await expect(call(up)).resolves.toBe('up');
    expect(adapted.snapshot().state).toBe('closed');
  });

  it('is released when nobody renews the lease', async () => {
    const { adapted, call } = setUp();
    adapted.override({ kind: 'force-open', ...override });
    await jest.advanceTimersByTimeAsync(override.leaseMs);
    await expect(call(up)).resolves.toBe('up');
  });

  it.each(['hold-closed', 'half-open-now', 'serve-stale'] as const)(
    'cannot be told to %s',
    (kind) => {
      expect(setUp().adapted.override({ kind, ...override })).toEqual({
        kind: 'refused',
        says: `cockatiel cannot be told to ${kind}; it can: force-open`,
      });
    },
  );
});

it('leaves the breaker as it found it when the watch ends', async () => {
  const { circuit, adapted, call } = setUp();
  adapted.override({ kind: 'force-open', ...override });
  adapted.end();
  await expect(call(up)).resolves.toBe('up');
  expect(Object.getOwnPropertyDescriptor(circuit, 'execute')).toBeUndefined();
  expect(adapted.snapshot().totals.succeeded).toBe(0);
});
