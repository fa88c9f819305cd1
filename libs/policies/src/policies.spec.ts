import { describe, expect, it } from '@jest/globals';
import CircuitBreaker from 'opossum';
import PQueue from 'p-queue';
import { adaptOpossum } from './adapters/adapt-opossum.ts';
import { adaptPQueue } from './adapters/adapt-p-queue.ts';
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

  it('may be of other libraries, under the same names and transitions', async () => {
    const policies = createPolicies({ service: 'checkout' });
    const told: string[] = [];
    policies.onTransition(({ breaker, to }) => told.push(`${breaker} ${to}`));
    const circuit = new CircuitBreaker(() => Promise.reject(new Error('down')), {
      name: 'payments',
      timeout: false,
    });
    const adopted = policies.adopt(adaptOpossum(circuit));
    policies.adopt(adaptPQueue(new PQueue({ concurrency: 3 }), { name: 'mails' }));
    expect(() => policies.breaker('payments')).toThrow('duplicate-name');
    await circuit.fire().catch(() => 'failed');
    expect(policies.snapshots()).toMatchObject([
      { kind: 'breaker', name: 'payments', state: 'open', limited: { library: 'opossum' } },
      { kind: 'queue', name: 'mails', maxWorkers: 3, limited: { library: 'p-queue' } },
    ]);
    expect(told).toEqual(['payments open']);
    // the doctor's reset is for our own
    expect(policies.findBreaker('payments')).toBeUndefined();
    adopted.end();
    circuit.shutdown();
  });
});
