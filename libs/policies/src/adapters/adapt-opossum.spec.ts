import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import CircuitBreaker from 'opossum';
import type { Transition } from '../transitions.ts';
import { calls } from '../test/held-calls.ts';
import { adaptOpossum } from './adapt-opossum.ts';

const resetTimeout = 1000;
const override = { id: 'o-1', leaseMs: 5000, by: 'anna', reason: 'it drowns' } as const;
const up = () => Promise.resolve('up');
const down = () => Promise.reject(Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }));

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function setUp(options: CircuitBreaker.Options = {}) {
  const circuit = new CircuitBreaker((act: () => Promise<string>) => act(), {
    name: 'payments',
    timeout: false,
    resetTimeout,
    ...options,
  });
  const adapted = adaptOpossum(circuit, { guards: 'payments-api' });
  const transitions: Transition[] = [];
  adapted.onTransition((transition) => transitions.push(transition));
  const fire = (act: () => Promise<string>) => circuit.fire(act).catch((error: unknown) => error);
  return { circuit, adapted, transitions, fire };
}

describe('an opossum breaker under our view', () => {
  it('shows its state, window, totals and last failure, without the message', async () => {
    const { adapted, fire } = setUp({ volumeThreshold: 10 });
    await fire(up);
    await fire(down);
    expect(adapted.snapshot()).toMatchObject({
      kind: 'breaker',
      name: 'payments',
      guards: 'payments-api',
      limited: { library: 'opossum' },
      state: 'closed',
      epoch: 1,
      windowCalls: 2,
      windowFailures: 1,
      failureRatio: 0.5,
      lastFailure: { name: 'ECONNREFUSED' },
      totals: { succeeded: 1, failed: 1, rejected: 0 },
    });
    expect(JSON.stringify(adapted.snapshot())).not.toContain('secret');
  });

  it('follows it through opening, a failed and a good probe', async () => {
    const { adapted, transitions, fire } = setUp();
    await fire(down);
    await jest.advanceTimersByTimeAsync(400);
    await fire(up);
    expect(adapted.snapshot()).toMatchObject({
      state: 'open',
      stateAgeMs: 400,
      notClosedForMs: 400,
      timeUntilRetryMs: 600,
      rejectedInState: 1,
      openingsInARow: 1,
    });
    await jest.advanceTimersByTimeAsync(600);
    const act = calls();
    const probe = fire(act.begin);
    expect(adapted.snapshot()).toMatchObject({ state: 'half-open', probesInFlight: 1 });
    act.fail(0);
    await probe;
    expect(adapted.snapshot()).toMatchObject({ state: 'open', openingsInARow: 2 });
    await jest.advanceTimersByTimeAsync(resetTimeout);
    await fire(up);
    expect(adapted.snapshot()).toMatchObject({ state: 'closed', openingsInARow: 0, epoch: 6 });
    expect(transitions.map(({ from, to, why }) => `${from} ${to} ${why}`)).toEqual([
      'closed open threshold',
      'open half-open recovery-due',
      'half-open open probe-failed',
      'open half-open recovery-due',
      'half-open closed probes-succeeded',
    ]);
    expect(transitions[0]?.evidence.failuresByError).toEqual([{ error: 'ECONNREFUSED', count: 1 }]);
  });

  it('counts what its own capacity refused as rejected, in no window', async () => {
    const { adapted, fire } = setUp({ capacity: 1, errorThresholdPercentage: 90 });
    const act = calls();
    const working = fire(act.begin);
    await fire(up);
    act.succeed(0);
    await working;
    expect(adapted.snapshot()).toMatchObject({
      windowCalls: 1,
      windowFailures: 0,
      totals: { succeeded: 1, failed: 0, rejected: 1 },
    });
  });

  it('says what it lacks', () => {
    expect(setUp().adapted.limited.lacks.join()).toContain('no guard against late results');
  });
});

describe('an opossum breaker that is forced open', () => {
  it('stays open beyond its own timer, and is closed again when it is released', async () => {
    const { adapted, fire } = setUp();
    expect(adapted.override({ kind: 'force-open', ...override })).toEqual({ kind: 'begun' });
    await jest.advanceTimersByTimeAsync(3.5 * resetTimeout);
    await expect(fire(up)).resolves.toMatchObject({ code: 'EOPENBREAKER' });
    expect(adapted.snapshot()).toMatchObject({
      state: 'open',
      override: { kind: 'force-open', by: 'anna', leaseLeftMs: 1500 },
    });
    expect(adapted.release('o-1')).toEqual({ kind: 'released' });
    await expect(fire(up)).resolves.toBe('up');
    expect(adapted.snapshot().state).toBe('closed');
  });

  it('is released when nobody renews the lease', async () => {
    const { adapted, fire } = setUp();
    adapted.override({ kind: 'force-open', ...override });
    await jest.advanceTimersByTimeAsync(override.leaseMs - 1);
    await expect(fire(up)).resolves.toMatchObject({ code: 'EOPENBREAKER' });
    await jest.advanceTimersByTimeAsync(1);
    await expect(fire(up)).resolves.toBe('up');
  });

  it('recovers by itself when it was open before', async () => {
    const { adapted, fire } = setUp();
    await fire(down);
    adapted.override({ kind: 'force-open', ...override });
    await jest.advanceTimersByTimeAsync(1500);
    adapted.release('o-1');
    expect(adapted.snapshot().state).toBe('open');
    await jest.advanceTimersByTimeAsync(500);
    expect(adapted.snapshot().state).toBe('half-open');
    await fire(up);
    expect(adapted.snapshot().state).toBe('closed');
  });

  it('lets everything through while it is held closed', async () => {
    const { adapted, fire } = setUp();
    await fire(down);
    adapted.override({ kind: 'hold-closed', ...override });
    await expect(fire(up)).resolves.toBe('up');
    adapted.release('o-1');
    await expect(fire(up)).resolves.toMatchObject({ code: 'EOPENBREAKER' });
  });

  it('changes over from one override to another', async () => {
    const { adapted, fire } = setUp();
    adapted.override({ kind: 'force-open', ...override });
    expect(adapted.override({ kind: 'hold-closed', ...override, id: 'o-2' })).toMatchObject({
      kind: 'begun',
      replaced: { id: 'o-1' },
    });
    await expect(fire(up)).resolves.toBe('up');
    adapted.release('o-2');
    expect(adapted.snapshot()).toMatchObject({ state: 'closed' });
    expect(adapted.snapshot().override).toBeUndefined();
  });

  it.each(['half-open-now', 'serve-stale'] as const)('cannot be told to %s', (kind) => {
    expect(setUp().adapted.override({ kind, ...override })).toEqual({
      kind: 'refused',
      says: `opossum cannot be told to ${kind}; it can: force-open, hold-closed`,
    });
  });
});

it('leaves the breaker as it would be without it, when the watch ends', async () => {
  const { circuit, adapted, fire } = setUp();
  const before = circuit.listenerCount('failure');
  adapted.override({ kind: 'force-open', ...override });
  adapted.end();
  expect(circuit.listenerCount('failure')).toBe(before - 1);
  await expect(fire(up)).resolves.toBe('up');
  expect(adapted.snapshot()).toMatchObject({ totals: { succeeded: 0 }, windowCalls: 0 });
  expect(adapted.override({ kind: 'force-open', ...override }).kind).toBe('refused');
});
