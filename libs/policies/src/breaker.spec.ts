import { describe, expect, it } from '@jest/globals';
import { Breaker, type Permit } from './breaker.ts';
import type { BreakerOptions, OpensOn, Outcome } from './breaker-options.ts';
import { BreakerOpenError, PolicyError } from './policy-error.ts';
import { createFakeClock } from './test/fake-clock.ts';
import type { Transition } from './transitions.ts';

const consecutive = (failures: number): OpensOn => ({ kind: 'consecutive', failures });
const timed = (minimumCalls: number, failureRatio: number): OpensOn => ({
  kind: 'time',
  minimumCalls,
  failureRatio,
  windowMs: 10_000,
  buckets: 10,
});

function setUp(options: BreakerOptions = {}) {
  const clock = createFakeClock();
  const breaker = new Breaker('orders', { clock, jitter: 'none', ...options });
  const call = (outcome: Outcome) => {
    const permit = breaker.acquire();
    if (permit === undefined) return 'rejected';
    breaker.record(permit, outcome);
    return outcome;
  };
  const calls = (...outcomes: Outcome[]) => outcomes.map(call);
  const state = () => breaker.snapshot().state;
  return { clock, breaker, call, calls, state };
}

const times = (count: number, outcome: Outcome): Outcome[] =>
  Array.from({ length: count }, () => outcome);

describe('a closed breaker', () => {
  it.each<[string, OpensOn, Outcome[], string]>([
    ['2 of 3 failures in a row', consecutive(3), times(2, 'failure'), 'closed'],
    ['the third failure in a row', consecutive(3), times(3, 'failure'), 'open'],
    [
      'a success between them',
      consecutive(3),
      ['failure', 'failure', 'success', 'failure'],
      'closed',
    ],
    [
      '4 of 9 calls, 1 too few',
      timed(10, 0.5),
      [...times(5, 'failure'), ...times(4, 'success')],
      'closed',
    ],
    [
      '5 of 10 calls: at the ratio',
      timed(10, 0.5),
      [...times(5, 'failure'), ...times(5, 'success')],
      'open',
    ],
    [
      '4 of 10 calls: under it',
      timed(10, 0.5),
      [...times(4, 'failure'), ...times(6, 'success')],
      'closed',
    ],
    ['all of 9 calls', timed(10, 0.5), times(9, 'failure'), 'closed'],
    [
      'ignored calls count for nothing',
      timed(10, 0.5),
      [...times(9, 'failure'), ...times(50, 'ignored')],
      'closed',
    ],
    [
      'a count window forgets what left it',
      { kind: 'count', size: 4, minimumCalls: 4, failureRatio: 0.75 },
      ['failure', 'failure', 'success', 'success', 'success', 'failure', 'failure'],
      'closed',
    ],
    [
      'a count window at its ratio',
      { kind: 'count', size: 4, minimumCalls: 4, failureRatio: 0.75 },
      ['success', 'failure', 'failure', 'failure'],
      'open',
    ],
    [
      'minimum calls beyond the size are capped',
      { kind: 'count', size: 2, minimumCalls: 100, failureRatio: 1 },
      ['failure', 'failure'],
      'open',
    ],
  ])('decides on %s', (_says, opensOn, outcomes, expected) => {
    const { calls, state } = setUp({ opensOn });
    calls(...outcomes);
    expect(state()).toBe(expected);
  });

  it('lets old failures fall out of a time window, however long it was idle', () => {
    const { clock, calls, breaker } = setUp({ opensOn: timed(5, 0.5) });
    calls(...times(4, 'failure'));
    clock.advance(3_600_000);
    calls('failure');
    expect(breaker.snapshot()).toMatchObject({
      state: 'closed',
      windowCalls: 1,
      windowFailures: 1,
    });
  });

  it('keeps a failure for the whole window and not longer than it', () => {
    const { clock, calls, breaker } = setUp({ opensOn: timed(5, 0.5) });
    calls('failure');
    clock.advance(9_000);
    expect(breaker.snapshot().windowFailures).toBe(1);
    clock.advance(1_000);
    expect(breaker.snapshot().windowFailures).toBe(0);
    expect(breaker.snapshot().failureRatio).toBeUndefined();
  });
});

describe('an open breaker', () => {
  it('rejects without calling and books the rejection in no window', async () => {
    const { breaker, calls } = setUp({ opensOn: consecutive(2), recoveryMs: 1000 });
    calls('failure', 'failure');
    let called = 0;
    await expect(breaker.run(() => Promise.resolve(called++))).rejects.toMatchObject({
      code: 'open',
      policy: 'orders',
      epoch: 2,
      timeUntilRetryMs: 1000,
    });
    expect(called).toBe(0);
    expect(breaker.snapshot()).toMatchObject({
      state: 'open',
      windowCalls: 2,
      rejectedInState: 1,
      totals: { failed: 2, rejected: 1 },
    });
  });

  it('tries again at the end of its delay and not before', () => {
    const { clock, calls, call, state } = setUp({ opensOn: consecutive(1), recoveryMs: 1000 });
    calls('failure');
    clock.advance(999);
    expect(call('success')).toBe('rejected');
    clock.advance(1);
    expect(call('success')).toBe('success');
    expect(state()).toBe('closed');
  });

  it('doubles the delay with each opening in a row up to its cap, and forgets them on closing', () => {
    const { clock, calls, breaker } = setUp({
      opensOn: consecutive(1),
      recoveryMs: 1000,
      recoveryMaxMs: 3000,
    });
    const delays = [1, 2, 3, 4].map(() => {
      calls('failure');
      const { timeUntilRetryMs = 0 } = breaker.snapshot();
      clock.advance(timeUntilRetryMs);
      return timeUntilRetryMs;
    });
    expect(delays).toEqual([1000, 2000, 3000, 3000]);
    calls('success', 'failure');
    expect(breaker.snapshot()).toMatchObject({ timeUntilRetryMs: 1000, openingsInARow: 1 });
  });

  it.each([
    [0, 0],
    [0.5, 500],
    [0.999, 999],
  ])('draws its delay with full jitter: %p of a second', (drawn, expectedMs) => {
    const { calls, breaker } = setUp({
      opensOn: consecutive(1),
      recoveryMs: 1000,
      jitter: 'full',
      random: () => drawn,
    });
    calls('failure');
    expect(breaker.snapshot().timeUntilRetryMs).toBeCloseTo(expectedMs);
  });

  it('tells how long it has not been closed over all openings in a row', () => {
    const { clock, calls, breaker } = setUp({ opensOn: consecutive(1), recoveryMs: 1000 });
    expect(breaker.snapshot().notClosedForMs).toBeUndefined();
    calls('failure');
    clock.advance(1000);
    calls('failure');
    clock.advance(500);
    expect(breaker.snapshot()).toMatchObject({ stateAgeMs: 500, notClosedForMs: 1500 });
    clock.advance(1500);
    calls('success');
    expect(breaker.snapshot().notClosedForMs).toBeUndefined();
  });

  it('stays open, with 0 ms until its retry, while nobody calls', () => {
    const { clock, calls, breaker } = setUp({ opensOn: consecutive(1), recoveryMs: 1000 });
    calls('failure');
    clock.advance(3_600_000);
    expect(breaker.snapshot()).toMatchObject({
      state: 'open',
      timeUntilRetryMs: 0,
      rejectedInState: 0,
      stateAgeMs: 3_600_000,
    });
  });
});

describe('a half-open breaker', () => {
  function halfOpen(options: BreakerOptions = {}) {
    const all = setUp({ opensOn: consecutive(1), recoveryMs: 1000, ...options });
    all.calls('failure');
    all.clock.advance(1000);
    return all;
  }

  it('takes as many probes as it has places and rejects the others at once', () => {
    const { breaker } = halfOpen({ halfOpenMaxCalls: 3 });
    const permits = [1, 2, 3, 4].map(() => breaker.acquire());
    expect(permits.map((permit) => permit !== undefined)).toEqual([true, true, true, false]);
    expect(breaker.snapshot()).toMatchObject({ state: 'half-open', probesInFlight: 3 });
  });

  it('closes at the wanted number of successes, with an empty window', () => {
    const { calls, breaker, state } = halfOpen({ halfOpenMaxCalls: 2, halfOpenSuccesses: 2 });
    calls('success');
    expect(state()).toBe('half-open');
    calls('success');
    expect(breaker.snapshot()).toMatchObject({
      state: 'closed',
      windowCalls: 0,
      openingsInARow: 0,
    });
  });

  it('does not open again on one failure after its recovery', () => {
    const { calls, clock, state } = setUp({ opensOn: timed(5, 0.5), recoveryMs: 1000 });
    calls(...times(5, 'failure'));
    clock.advance(1000);
    calls('success', 'failure');
    expect(state()).toBe('closed');
  });

  it('gives the place of an ignored probe back and decides nothing', () => {
    const { breaker, call, state } = halfOpen();
    expect(call('ignored')).toBe('ignored');
    expect(state()).toBe('half-open');
    expect(breaker.snapshot().probesInFlight).toBe(0);
    expect(call('success')).toBe('success');
    expect(state()).toBe('closed');
  });

  it('counts a hung probe as failed at the end of its lease and opens', () => {
    const { breaker, clock } = halfOpen({ probeLeaseMs: 500 });
    breaker.acquire();
    clock.advance(499);
    expect(breaker.snapshot().state).toBe('half-open');
    clock.advance(1);
    expect(breaker.snapshot()).toMatchObject({
      state: 'open',
      probesInFlight: 0,
      openingsInARow: 2,
      lastFailure: { name: 'ProbeLeaseExpired' },
    });
  });

  it('does not let a probe that outlived its lease close it, even when nobody looked', () => {
    const { breaker, clock } = halfOpen({ probeLeaseMs: 500 });
    const probe = breaker.acquire()!;
    clock.advance(5000);
    breaker.record(probe, 'success');
    expect(breaker.snapshot()).toMatchObject({ state: 'open', totals: { late: 1 } });
  });
});

describe('a late result', () => {
  it('of a call begun before the opening neither closes nor re-opens', () => {
    const { breaker, clock, call, state } = setUp({ opensOn: consecutive(1), recoveryMs: 1000 });
    const [late1, late2] = [breaker.acquire()!, breaker.acquire()!];
    call('failure');
    clock.advance(1000);
    const probe = breaker.acquire()!;
    breaker.record(late1, 'success');
    expect(state()).toBe('half-open');
    breaker.record(probe, 'success');
    breaker.record(late2, 'failure');
    expect(breaker.snapshot()).toMatchObject({
      state: 'closed',
      windowFailures: 0,
      totals: { late: 2 },
    });
  });

  it('counts for nothing after a reset, and a second result of one probe neither', () => {
    const { breaker, call, clock } = setUp({ opensOn: consecutive(1), halfOpenSuccesses: 2 });
    const old: Permit = breaker.acquire()!;
    breaker.reset();
    breaker.record(old, 'failure');
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', totals: { late: 1 } });
    call('failure');
    clock.advance(1000);
    const probe = breaker.acquire()!;
    breaker.record(probe, 'success');
    breaker.record(probe, 'success');
    expect(breaker.snapshot()).toMatchObject({ state: 'half-open', totals: { late: 2 } });
  });
});

describe('reset', () => {
  it('closes, empties the window and restarts the delays', () => {
    const { breaker, calls } = setUp({ opensOn: consecutive(1) });
    calls('failure');
    const result = breaker.reset();
    expect(result).toMatchObject({
      kind: 'reset',
      before: { state: 'open', epoch: 2, windowFailures: 1 },
      after: { state: 'closed', epoch: 3, windowCalls: 0, openingsInARow: 0 },
    });
  });

  it('does nothing when the breaker is no longer in the state or epoch that was seen', () => {
    const { breaker, calls, clock, call } = setUp({ opensOn: consecutive(1), recoveryMs: 1000 });
    calls('failure');
    const { epoch } = breaker.snapshot();
    clock.advance(1000);
    call('failure');
    expect(breaker.reset({ epoch, state: 'open' })).toMatchObject({
      kind: 'refused',
      now: { state: 'open', epoch: epoch + 2 },
    });
    expect(breaker.reset({ epoch: epoch + 2, state: 'half-open' }).kind).toBe('refused');
    expect(breaker.reset({ epoch: epoch + 2, state: 'open' }).kind).toBe('reset');
  });
});

describe('run', () => {
  it('passes values and errors through unchanged and tells the failure by name alone', async () => {
    const { breaker } = setUp();
    const fault = Object.assign(new Error('password=hunter2'), { code: 'ECONNREFUSED' });
    await expect(breaker.run(() => 7)).resolves.toBe(7);
    await expect(breaker.run(() => Promise.reject(fault))).rejects.toBe(fault);
    const snapshot = breaker.snapshot();
    expect(snapshot.totals).toMatchObject({ succeeded: 1, failed: 1 });
    expect(snapshot.lastFailure?.name).toBe('ECONNREFUSED');
    expect(JSON.stringify(snapshot)).not.toContain('hunter2');
  });

  it('ignores a call that its caller aborted, and asks the options about other outcomes', async () => {
    const { breaker } = setUp({
      outcomeOfValue: (value) => (value === 503 ? 'failure' : 'success'),
    });
    const signal = AbortSignal.abort();
    await expect(
      breaker.run(() => {
        signal.throwIfAborted();
      }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    await breaker.run(() => 503);
    await breaker.run(() => 200);
    expect(breaker.snapshot().totals).toMatchObject({ ignored: 1, failed: 1, succeeded: 1 });
  });

  it('books what another policy turned away in no window, whatever the options judge', async () => {
    const { breaker } = setUp({ outcomeOfError: () => 'failure' });
    const full = new PolicyError('bulkhead-full', 'orders', 'full');
    await expect(breaker.run(() => Promise.reject(full))).rejects.toBe(full);
    expect(breaker.snapshot()).toMatchObject({ windowCalls: 0, totals: { ignored: 1, failed: 0 } });
  });

  it('counts a failure when the options cannot judge the outcome', async () => {
    const { breaker } = setUp({
      outcomeOfError: () => {
        throw new Error('fault of the judge');
      },
    });
    await expect(breaker.run(() => Promise.reject(new Error('fault')))).rejects.toThrow('fault');
    expect(breaker.snapshot().totals.failed).toBe(1);
  });
});

describe('transitions', () => {
  it('are told in order with what caused them, and a faulty listener harms nobody', () => {
    const { breaker, calls, clock } = setUp({ opensOn: consecutive(1), recoveryMs: 1000 });
    const told: Transition[] = [];
    breaker.onTransition(() => {
      throw new Error('faulty listener');
    });
    const stop = breaker.onTransition((transition) => told.push(transition));
    calls('failure');
    clock.advance(1000);
    calls('success');
    stop();
    breaker.reset();
    expect(told.map(({ from, to, why, epoch }) => [from, to, why, epoch])).toEqual([
      ['closed', 'open', 'threshold', 2],
      ['open', 'half-open', 'recovery-due', 3],
      ['half-open', 'closed', 'probes-succeeded', 4],
    ]);
  });
});

describe('options', () => {
  it.each<[string, BreakerOptions]>([
    ['recoveryMs', { recoveryMs: 0 }],
    ['recoveryMaxMs', { recoveryMs: 10, recoveryMaxMs: 9 }],
    ['halfOpenMaxCalls', { halfOpenMaxCalls: 64 }],
    ['halfOpenMaxCalls', { halfOpenMaxCalls: 0 }],
    ['halfOpenSuccesses', { halfOpenSuccesses: 0.5 }],
    ['probeLeaseMs', { probeLeaseMs: Number.NaN }],
    ['opensOn.failures', { opensOn: consecutive(0) }],
    ['opensOn.failureRatio', { opensOn: timed(1, 0) }],
    ['opensOn.failureRatio', { opensOn: timed(1, 1.1) }],
  ])('refuse a wrong %s by name', (option, options) => {
    const make = () => new Breaker('orders', options);
    expect(make).toThrow(PolicyError);
    expect(make).toThrow(option);
  });

  it('are accepted at the edges of their ranges', () => {
    expect(
      () =>
        new Breaker('orders', {
          recoveryMs: 10,
          recoveryMaxMs: 10,
          halfOpenMaxCalls: 63,
          opensOn: timed(1, 1),
        }),
    ).not.toThrow();
  });
});

it('recognises its errors across copies of the library by their brand', () => {
  const error = new BreakerOpenError('orders', 1, () => 5);
  expect(PolicyError.is(error)).toBe(true);
  expect(PolicyError.is(new Error('other'))).toBe(false);
  expect(PolicyError.is(null)).toBe(false);
});
