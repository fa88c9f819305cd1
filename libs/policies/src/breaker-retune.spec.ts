import { describe, expect, it } from '@jest/globals';
import { Breaker } from './breaker.ts';
import type { BreakerOptions, OpensOn, Outcome } from './breaker-options.ts';
import { createFakeClock } from './test/fake-clock.ts';

const count = (size: number, more: Partial<Extract<OpensOn, { kind: 'count' }>> = {}): OpensOn => ({
  kind: 'count',
  size,
  minimumCalls: 4,
  failureRatio: 0.9,
  ...more,
});
const timed = (
  windowMs: number,
  buckets: number,
  more: Partial<Extract<OpensOn, { kind: 'time' }>> = {},
): OpensOn => ({ kind: 'time', minimumCalls: 4, failureRatio: 0.9, windowMs, buckets, ...more });
const consecutive = (failures: number): OpensOn => ({ kind: 'consecutive', failures });

function setUp(options: BreakerOptions = {}) {
  const clock = createFakeClock();
  const breaker = new Breaker('orders', { clock, jitter: 'none', recoveryMs: 1000, ...options });
  const call = (outcome: Outcome, tookMs?: number) => {
    const permit = breaker.acquire();
    if (permit === undefined) return 'rejected';
    breaker.record(permit, outcome, undefined, tookMs);
    return outcome;
  };
  const calls = (...outcomes: Outcome[]) => outcomes.map((outcome) => call(outcome));
  const shown = () => {
    const { state, windowCalls, windowFailures } = breaker.snapshot();
    return [state, windowCalls, windowFailures];
  };
  return { clock, breaker, call, calls, shown };
}

describe('a retune', () => {
  it('opens nothing by itself: a lowered threshold is judged with the next result', () => {
    const { breaker, calls, call, shown } = setUp({ opensOn: count(10) });
    calls('failure', 'failure', 'failure', 'success', 'success', 'success');
    expect(breaker.retune({ opensOn: count(10, { failureRatio: 0.5 }) })).toMatchObject({
      kind: 'applied',
      window: 'kept',
    });
    expect(shown()).toEqual(['closed', 6, 3]);
    call('failure');
    expect(shown()).toEqual(['open', 7, 4]);
  });

  it('closes nothing by itself either', () => {
    const { breaker, calls, shown } = setUp({ opensOn: consecutive(2) });
    calls('failure', 'failure');
    breaker.retune({ opensOn: consecutive(5) });
    expect(shown()[0]).toBe('open');
  });

  it('keeps what is not named', () => {
    const { breaker } = setUp({ recoveryMs: 1000, halfOpenMaxCalls: 3 });
    const result = breaker.retune({ halfOpenSuccesses: 2 });
    expect(result).toMatchObject({
      before: { halfOpenMaxCalls: 3, halfOpenSuccesses: 1, recoveryMs: 1000 },
      after: { halfOpenMaxCalls: 3, halfOpenSuccesses: 2, recoveryMs: 1000 },
    });
  });

  it('changes nothing when any of it is out of range, and says what', () => {
    const { breaker, calls, shown } = setUp({ opensOn: consecutive(2) });
    const before = breaker.snapshot();
    const result = breaker.retune({ halfOpenSuccesses: 3, opensOn: timed(0, 1) }, { by: 'ann' });
    expect(result).toMatchObject({ kind: 'refused', now: { halfOpenSuccesses: 1 } });
    expect(JSON.stringify(result)).toContain('opensOn.windowMs is 0');
    expect(breaker.snapshot()).toEqual(before);
    calls('failure', 'failure');
    expect(shown()[0]).toBe('open');
  });

  it('moves the end of the wait, counted from the opening and with the same draw', () => {
    const { breaker, calls, clock } = setUp({
      opensOn: consecutive(1),
      jitter: 'full',
      random: () => 0.5,
      recoveryMs: 1000,
    });
    calls('failure');
    expect(breaker.snapshot().timeUntilRetryMs).toBe(500);
    clock.advance(300);
    breaker.retune({ recoveryMs: 4000 });
    expect(breaker.snapshot().timeUntilRetryMs).toBe(1700);
    breaker.retune({ recoveryMs: 500 });
    expect(breaker.snapshot()).toMatchObject({ state: 'open', timeUntilRetryMs: 0 });
  });

  it('lets probes beyond a lowered number drain, and takes none before', () => {
    const { breaker, calls, clock } = setUp({
      opensOn: consecutive(1),
      halfOpenMaxCalls: 3,
      halfOpenSuccesses: 10,
    });
    calls('failure');
    clock.advance(1000);
    const probes = [breaker.acquire()!, breaker.acquire()!, breaker.acquire()!];
    breaker.retune({ halfOpenMaxCalls: 1 });
    expect(breaker.snapshot()).toMatchObject({ probesInFlight: 3, overLimit: 2 });
    breaker.record(probes[0]!, 'success');
    breaker.record(probes[1]!, 'success');
    expect(breaker.acquire()).toBeUndefined();
    expect(breaker.snapshot()).toMatchObject({ probesInFlight: 1, overLimit: 0 });
    breaker.record(probes[2]!, 'success');
    expect(breaker.acquire()).toBeDefined();
    breaker.retune({ halfOpenMaxCalls: 5 });
    expect(breaker.acquire()).toBeDefined();
  });

  it('is of the same epoch: results of calls that are out go into the new window', () => {
    const { breaker, shown } = setUp({ opensOn: count(10) });
    const out = breaker.acquire()!;
    breaker.retune({ opensOn: timed(10_000, 10) });
    breaker.record(out, 'failure');
    expect(shown()).toEqual(['closed', 1, 1]);
    expect(breaker.snapshot().totals.late).toBe(0);
  });

  it('notes who did it, and the version of the policy', () => {
    const { breaker } = setUp({ version: 'v1' });
    breaker.retune({ recoveryMs: 5000 }, { by: 'ann', reason: 'deploy', version: 'v2' });
    expect(breaker.snapshot().policyVersion).toBe('v2');
    breaker.retune({ recoveryMs: 6000 }, { by: 'bob' });
    expect(breaker.snapshot().policyVersion).toBe('v2');
  });
});

describe('a new shape of the window is seeded with the old results:', () => {
  it.each<[string, OpensOn, Outcome[], OpensOn, number, number]>([
    [
      'a longer count window has them all',
      count(4),
      ['success', 'failure', 'failure', 'success', 'failure'],
      count(8),
      4,
      3,
    ],
    [
      'a shorter one the newest',
      count(8),
      ['failure', 'failure', 'failure', 'success', 'success', 'failure'],
      count(2),
      2,
      1,
    ],
    ['time from count', count(8), ['failure', 'success', 'success'], timed(10_000, 10), 3, 1],
    ['count from time', timed(10_000, 10), ['failure', 'success', 'success'], count(8), 3, 1],
    [
      'a shorter count from time in proportion',
      timed(10_000, 10),
      ['failure', 'success', 'success', 'failure', 'success', 'success', 'success', 'success'],
      count(4),
      4,
      1,
    ],
    [
      'failures in a row from count',
      count(8),
      ['failure', 'success', 'failure', 'failure'],
      consecutive(9),
      2,
      2,
    ],
    ['no failures in a row', count(8), ['failure', 'success'], consecutive(9), 0, 0],
    ['count from failures in a row', consecutive(9), ['failure', 'failure'], count(8), 2, 2],
    ['time from failures in a row', consecutive(9), ['failure'], timed(1000, 2), 1, 1],
  ])('%s', (_says, from, outcomes, to, windowCalls, windowFailures) => {
    const { breaker, calls, shown } = setUp({ opensOn: from });
    calls(...outcomes);
    const { epoch } = breaker.snapshot();
    expect(breaker.retune({ opensOn: to })).toMatchObject({ kind: 'applied', window: 'seeded' });
    expect(shown()).toEqual(['closed', windowCalls, windowFailures]);
    expect(breaker.snapshot().epoch).toBe(epoch);
  });

  it('by age, from a time window to another: what is too old for the shorter one is left out', () => {
    const { breaker, calls, shown, clock } = setUp({ opensOn: timed(10_000, 10) });
    calls('failure', 'failure');
    clock.advance(6000);
    calls('success');
    breaker.retune({ opensOn: timed(20_000, 20) });
    expect(shown()).toEqual(['closed', 3, 2]);
    breaker.retune({ opensOn: timed(4000, 8) });
    expect(shown()).toEqual(['closed', 1, 0]);
  });

  it('so that they age on where they were', () => {
    const { breaker, calls, shown, clock } = setUp({ opensOn: timed(10_000, 10) });
    calls('failure');
    clock.advance(6000);
    breaker.retune({ opensOn: timed(8000, 8) });
    clock.advance(1000);
    expect(shown()).toEqual(['closed', 1, 1]);
    clock.advance(1500);
    expect(shown()).toEqual(['closed', 0, 0]);
  });

  it('or it says that it could not, starts empty, and takes no result of a call that was out', () => {
    const { breaker, calls, shown } = setUp({ opensOn: timed(10_000, 10) });
    calls('failure', 'success', 'failure');
    const out = breaker.acquire()!;
    const { epoch } = breaker.snapshot();
    expect(breaker.retune({ opensOn: consecutive(3) })).toMatchObject({
      kind: 'applied',
      window: 'emptied',
      says: 'the old window does not know the order of its newest results',
    });
    breaker.record(out, 'failure');
    expect(shown()).toEqual(['closed', 0, 0]);
    expect(breaker.snapshot()).toMatchObject({ epoch: epoch + 1, totals: { late: 1 } });
    calls('failure', 'failure', 'failure');
    expect(shown()[0]).toBe('open');
  });
});

describe('slow calls', () => {
  const slow = { slowCalls: { afterMs: 200, ratio: 0.5 } };
  it.each<[string, number[], string]>([
    ['at the time are slow', [200, 200, 10, 10], 'open'],
    ['under it are not', [199.9, 200, 10, 10], 'closed'],
    ['above it are', [5000, 5000, 10, 10], 'open'],
    ['of too few calls say nothing', [200, 200, 200], 'closed'],
  ])('%s', (_says, took, state) => {
    for (const opensOn of [count(10, slow), timed(10_000, 10, slow)]) {
      const { call, breaker } = setUp({ opensOn });
      const why: string[] = [];
      breaker.onTransition((transition) => why.push(transition.why));
      for (const tookMs of took) call('success', tookMs);
      expect(breaker.snapshot().state).toBe(state);
      expect(why).toEqual(state === 'open' ? ['slow-calls'] : []);
    }
  });

  it('are measured by run, and leave a count window with the results that they belong to', async () => {
    const { breaker, clock } = setUp({ opensOn: count(4, { ...slow, minimumCalls: 4 }) });
    const takes = (tookMs: number) =>
      breaker.run(() => {
        clock.advance(tookMs);
      });
    await takes(300);
    for (let nth = 0; nth < 4; nth++) await takes(1);
    expect(breaker.snapshot()).toMatchObject({ windowCalls: 4, windowSlow: 0, state: 'closed' });
    await takes(300);
    expect(breaker.snapshot()).toMatchObject({ windowSlow: 1, state: 'closed' });
    await takes(300);
    expect(breaker.snapshot()).toMatchObject({ windowSlow: 2, state: 'open' });
  });

  it('that are probes do not close: the dependency answers, but too late', () => {
    const { breaker, call, calls, clock } = setUp({ opensOn: count(4, slow) });
    calls('failure', 'failure', 'failure', 'failure');
    clock.advance(1000);
    call('success', 200);
    expect(breaker.snapshot()).toMatchObject({ state: 'open', openingsInARow: 2 });
    clock.advance(2000);
    call('success', 199);
    expect(breaker.snapshot().state).toBe('closed');
  });

  it('get a rule on a live window, which is seeded and knows nothing of the past slowness', () => {
    const { breaker, call } = setUp({ opensOn: timed(10_000, 10) });
    for (const tookMs of [500, 500, 500, 500]) call('success', tookMs);
    expect(breaker.snapshot().windowSlow).toBeUndefined();
    breaker.retune({ opensOn: timed(10_000, 10, slow) });
    expect(breaker.snapshot()).toMatchObject({ windowCalls: 4, windowSlow: 0 });
    for (const tookMs of [500, 500, 500, 500]) call('success', tookMs);
    expect(breaker.snapshot()).toMatchObject({ state: 'open', windowSlow: 4 });
  });
});
