import { describe, expect, it } from '@jest/globals';
import { Breaker } from './breaker.ts';
import type { BreakerOptions, Outcome } from './breaker-options.ts';
import type { OverrideEvent, OverrideKind, OverrideRequest } from './override.ts';
import { createFakeClock } from './test/fake-clock.ts';

function setUp(options: BreakerOptions = {}) {
  const clock = createFakeClock();
  const breaker = new Breaker('orders', {
    clock,
    jitter: 'none',
    recoveryMs: 1000,
    opensOn: { kind: 'consecutive', failures: 2 },
    ...options,
  });
  const call = (outcome: Outcome) => {
    const permit = breaker.acquire();
    if (permit === undefined) return breaker.rejection().because;
    breaker.record(permit, outcome);
    return outcome;
  };
  const calls = (...outcomes: Outcome[]) => outcomes.map(call);
  const lay = (kind: Exclude<OverrideKind, 'shed'>, more: Partial<OverrideRequest> = {}) =>
    breaker.override({
      id: 'o-1',
      leaseMs: 5000,
      by: 'ann',
      reason: 'drill',
      ...more,
      kind,
    });
  const told: string[] = [];
  breaker.onOverride(({ what, override }: OverrideEvent) => told.push(`${what} ${override.kind}`));
  return { clock, breaker, call, calls, lay, told };
}

describe('an override', () => {
  it('forces open without moving the automaton, and gives the calls back on release', () => {
    const { breaker, call, calls, lay, told } = setUp();
    calls('failure');
    expect(lay('force-open')).toEqual({ kind: 'begun' });
    expect(call('success')).toBe('forced-open');
    expect(breaker.snapshot()).toMatchObject({
      state: 'closed',
      windowFailures: 1,
      override: { id: 'o-1', kind: 'force-open', by: 'ann', reason: 'drill', leaseLeftMs: 5000 },
      totals: { rejected: 1, overridden: 1 },
    });
    expect(breaker.release('o-1', { by: 'bob' })).toEqual({ kind: 'released' });
    expect(breaker.snapshot().override).toBeUndefined();
    expect(calls('failure', 'success')).toEqual(['failure', 'open']);
    expect(told).toEqual(['begun force-open', 'released force-open']);
  });

  it('does not release a dead dependency to full load: open it was, open it is', () => {
    const { breaker, call, calls, lay, clock } = setUp();
    calls('failure', 'failure');
    lay('force-open');
    clock.advance(900);
    breaker.release('o-1');
    expect(call('success')).toBe('open');
    clock.advance(100);
    expect(breaker.acquire()).toBeDefined();
    expect(call('success')).toBe('half-open-full');
  });

  it('lets results of calls that were out count as ever', () => {
    const { breaker, lay } = setUp();
    const out = [breaker.acquire()!, breaker.acquire()!];
    lay('force-open');
    for (const permit of out) breaker.record(permit, 'failure');
    expect(breaker.snapshot()).toMatchObject({ state: 'open', totals: { late: 0 } });
  });

  it.each([
    [4999, 'forced-open'],
    [5000, 'success'],
  ])('ends by itself with its lease: after %p ms a call is %p', (afterMs, expected) => {
    const { clock, call, lay, told } = setUp();
    lay('force-open');
    clock.advance(afterMs);
    expect(call('success')).toBe(expected);
    expect(told.at(-1)).toBe(expected === 'success' ? 'expired force-open' : 'begun force-open');
  });

  it('tells of its end though nobody calls', () => {
    const { clock, lay, told } = setUp();
    lay('shed' as 'force-open', { share: 0.5 });
    clock.advance(5000);
    expect(told).toEqual(['begun shed', 'expired shed']);
  });

  it('lives on while it is renewed, and counts its beginning from the first time', () => {
    const { clock, breaker, call, lay } = setUp();
    lay('force-open');
    const since = breaker.snapshot().override?.since;
    clock.advance(4000);
    expect(lay('force-open')).toEqual({ kind: 'renewed' });
    clock.advance(4999);
    expect(call('success')).toBe('forced-open');
    expect(breaker.snapshot().override).toMatchObject({ since, leaseLeftMs: 1 });
    clock.advance(1);
    expect(call('success')).toBe('success');
  });

  it('is replaced by one of another id, which alone can be released then', () => {
    const { breaker, call, lay, told } = setUp();
    lay('force-open');
    expect(lay('hold-closed', { id: 'o-2' })).toMatchObject({
      kind: 'begun',
      replaced: { id: 'o-1', kind: 'force-open' },
    });
    expect(breaker.release('o-1')).toMatchObject({ kind: 'refused' });
    expect(call('success')).toBe('success');
    expect(told).toEqual(['begun force-open', 'replaced force-open', 'begun hold-closed']);
  });

  it('holds closed what the automaton has opened, without hiding that from it', () => {
    const { breaker, call, calls, lay, clock } = setUp();
    lay('hold-closed');
    expect(calls('failure', 'failure', 'failure', 'success')).toEqual([
      'failure',
      'failure',
      'failure',
      'success',
    ]);
    expect(breaker.snapshot()).toMatchObject({
      state: 'open',
      totals: { failed: 3, succeeded: 1, heldThrough: 2, rejected: 0 },
      inFlight: 0,
    });
    clock.advance(1000);
    expect(call('success')).toBe('success');
    expect(breaker.snapshot().state).toBe('closed');
  });

  it('returns to open when holding closed ends before the recovery is due', () => {
    const { breaker, call, calls, lay } = setUp();
    lay('hold-closed');
    calls('failure', 'failure', 'failure');
    breaker.release('o-1');
    expect(call('success')).toBe('open');
  });

  it('probes now instead of waiting, once', () => {
    const { breaker, call, calls, lay, told } = setUp();
    calls('failure', 'failure');
    lay('half-open-now');
    expect(call('failure')).toBe('failure');
    expect(told).toEqual(['begun half-open-now', 'spent half-open-now']);
    expect(breaker.snapshot()).toMatchObject({ state: 'open', openingsInARow: 2 });
    expect(call('success')).toBe('open');
    lay('half-open-now');
    expect(call('success')).toBe('success');
    expect(breaker.snapshot().state).toBe('closed');
  });

  it('has nothing to hurry in a breaker that is closed', () => {
    const { breaker, lay, call, told } = setUp();
    lay('half-open-now');
    expect(told).toEqual(['begun half-open-now', 'spent half-open-now']);
    expect(call('success')).toBe('success');
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', epoch: 1 });
  });

  it.each([
    [0.29, 'shed'],
    [0.3, 'success'],
  ])('sheds a share of the calls, drawn call by call: %p of 0.3', (drawn, expected) => {
    const { breaker, call } = setUp({ random: () => drawn });
    breaker.override({ id: 'o', kind: 'shed', share: 0.3, leaseMs: 1000, by: 'ann', reason: 'r' });
    expect(call('success')).toBe(expected);
  });

  it('rejects for the sake of stale answers', async () => {
    const { breaker, lay } = setUp();
    lay('serve-stale');
    await expect(breaker.run(() => 1)).rejects.toMatchObject({
      code: 'open',
      because: 'serve-stale',
      timeUntilRetryMs: 0,
    });
  });

  it.each<[string, Partial<OverrideRequest>]>([
    ['leaseMs is 0', { leaseMs: 0 }],
    ['leaseMs is NaN', { leaseMs: Number.NaN }],
    ['share is 0', { kind: 'shed', share: 0 }],
    ['share is 1.1', { kind: 'shed', share: 1.1 }],
  ])('is refused when %s', (says, request) => {
    const { breaker, told } = setUp();
    const whole = { id: 'o', kind: 'force-open', leaseMs: 1, by: 'a', reason: 'r', ...request };
    const result = breaker.override(whole as OverrideRequest);
    expect(result).toMatchObject({ kind: 'refused' });
    expect(JSON.stringify(result)).toContain(says);
    expect(told).toEqual([]);
  });

  it('outlives a reset, which is of the automaton', () => {
    const { breaker, calls, call, lay } = setUp();
    calls('failure', 'failure');
    lay('force-open');
    breaker.reset();
    expect(breaker.snapshot()).toMatchObject({ state: 'closed', override: { kind: 'force-open' } });
    expect(call('success')).toBe('forced-open');
  });
});
