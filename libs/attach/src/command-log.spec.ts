import { describe, expect, it } from '@jest/globals';
import { createPolicies } from '@starr/policies';
import { CommandLog } from './command-log.ts';

function setUp() {
  const policies = createPolicies({ service: 'checkout' });
  const breaker = policies.breaker('payments', {
    opensOn: { kind: 'consecutive', failures: 1 },
    recoveryMs: 3_600_000,
    jitter: 'none',
  });
  const open = () => {
    const permit = breaker.acquire();
    if (permit !== undefined) breaker.record(permit, 'failure');
    return breaker.snapshot().epoch;
  };
  return { breaker, open, log: new CommandLog(policies) };
}

const reset = (epoch: number, breaker = 'payments') =>
  ({ kind: 'reset-breaker', breaker, epoch, state: 'open' }) as const;

describe('the commands of a process', () => {
  it('are executed once for an id; a repetition gets the same answer and does nothing', () => {
    const { log, open, breaker } = setUp();
    const first = log.execute('op-1', reset(open()));
    expect(first).toMatchObject({
      kind: 'done',
      before: { state: 'open' },
      after: { state: 'closed' },
    });
    const epoch = open();
    expect(log.execute('op-1', reset(epoch))).toBe(first);
    expect(log.recall('op-1')).toBe(first);
    expect(breaker.snapshot()).toMatchObject({ state: 'open', epoch });
  });

  it('are refused when the breaker has moved on, and stay refused', () => {
    const { log, open, breaker } = setUp();
    const seen = open();
    breaker.reset();
    const now = open();
    expect(log.execute('op-1', reset(seen))).toMatchObject({
      kind: 'refused',
      now: { epoch: now },
    });
    expect(log.execute('op-1', reset(now))).toMatchObject({ kind: 'refused' });
    expect(breaker.snapshot().state).toBe('open');
  });

  it('are never executed after somebody asked for them in vain', () => {
    const { log, open, breaker } = setUp();
    const epoch = open();
    expect(log.recall('op-1')).toMatchObject({ kind: 'not-done' });
    expect(log.execute('op-1', reset(epoch))).toMatchObject({ kind: 'not-done' });
    expect(breaker.snapshot().state).toBe('open');
  });

  it('say what they cannot do', () => {
    const { log } = setUp();
    expect(log.execute('op-1', reset(1, 'stock'))).toEqual({
      kind: 'not-done',
      says: 'there is no breaker stock',
    });
    expect(log.execute('op-2', undefined)).toMatchObject({ kind: 'not-done' });
  });

  it('are remembered a thousand at a time', () => {
    const { log, open } = setUp();
    const end = log.execute('op-0', reset(open()));
    for (let index = 1; index < 1000; index++) log.recall(`op-${index}`);
    expect(log.recall('op-0')).toBe(end);
    log.recall('op-1000');
    expect(log.recall('op-0')).toMatchObject({ kind: 'not-done' });
  });
});
