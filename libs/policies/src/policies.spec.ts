import { describe, expect, it } from '@jest/globals';
import { createPolicies } from './policies.ts';
import { createFakeClock } from './test/fake-clock.ts';

describe('the policies of a process', () => {
  it('are listed in the order of their making, each with its snapshot', () => {
    const policies = createPolicies({ service: 'checkout', clock: createFakeClock() });
    policies.breaker('payments', { guards: 'payments-api' });
    policies.queue('mails', { maxWorkers: 1, maxSize: 10 });
    expect(policies.list().map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'breaker payments',
      'queue mails',
    ]);
    expect(policies.snapshots()).toMatchObject([
      { kind: 'breaker', guards: 'payments-api', state: 'closed' },
      { kind: 'queue', maxSize: 10 },
    ]);
  });

  it('have one name each within their kind', () => {
    const policies = createPolicies({ service: 'checkout' });
    const breaker = policies.breaker('payments');
    expect(() => policies.breaker('payments')).toThrow('duplicate-name');
    expect(() => policies.queue('payments', { maxWorkers: 1, maxSize: 1 })).not.toThrow();
    expect(policies.findBreaker('payments')).toBe(breaker);
    expect(policies.findBreaker('mails')).toBeUndefined();
  });

  it('tell the transitions of all breakers, also of those made later', () => {
    const policies = createPolicies({ service: 'checkout' });
    const told: string[] = [];
    const stop = policies.onTransition(({ breaker, why }) => told.push(`${breaker} ${why}`));
    policies.breaker('payments').reset();
    policies.breaker('stock').reset();
    stop();
    policies.findBreaker('stock')?.reset();
    expect(told).toEqual(['payments reset', 'stock reset']);
  });
});
