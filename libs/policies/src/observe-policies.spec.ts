import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import {
  createNoopMeter,
  type Attributes,
  type BatchObservableCallback,
  type Observable,
} from '@opentelemetry/api';
import { observePolicies } from './observe-policies.ts';
import { createPolicies } from './policies.ts';
import { policyMetrics } from './policy-metrics.ts';
import { createFakeClock } from './test/fake-clock.ts';

/** A meter that collects when the spec says so. */
function createCollectingMeter() {
  const names = new Map<Observable, string>();
  const callbacks = new Set<BatchObservableCallback>();
  const meter = createNoopMeter();
  const make = (name: string) => {
    const instrument: Observable = {
      addCallback: () => undefined,
      removeCallback: () => undefined,
    };
    names.set(instrument, name);
    return instrument;
  };
  meter.createObservableCounter = make;
  meter.createObservableGauge = make;
  meter.addBatchObservableCallback = (callback) => callbacks.add(callback);
  meter.removeBatchObservableCallback = (callback) => callbacks.delete(callback);
  const collect = async () => {
    const seen: Record<string, number> = {};
    for (const callback of callbacks) {
      await callback({
        observe: (metric: Observable, value: number, attributes: Attributes = {}) => {
          const { 'starr.policy': policy, ...more } = attributes;
          const name = [names.get(metric), policy, ...Object.values(more)].join(' ');
          expect(seen[name]).toBeUndefined();
          seen[name] = value;
        },
      });
    }
    return seen;
  };
  return { meter, collect, made: () => [...names.values()] };
}

function setUp() {
  const clock = createFakeClock();
  const policies = createPolicies({ service: 'checkout', clock });
  const { meter, collect, made } = createCollectingMeter();
  const stop = observePolicies(policies, meter);
  return { policies, clock, collect, made, stop };
}

function poolOf({ totalCount, max }: { readonly totalCount: number; readonly max: number }) {
  const connect = () => Promise.resolve({});
  const counts = { totalCount, idleCount: 0, waitingCount: 0 };
  return Object.assign(new EventEmitter(), { ...counts, options: { max }, connect });
}

describe('metrics', () => {
  it('are read when they are collected, also of policies made later', async () => {
    const { policies, collect, stop } = setUp();
    expect(await collect()).toEqual({});
    const breaker = policies.breaker('stock', { opensOn: { kind: 'consecutive', failures: 1 } });
    expect(await collect()).toMatchObject({
      'starr.breaker.state stock': 0,
      'starr.breaker.calls stock failed': 0,
    });
    await breaker.run(() => Promise.reject(new Error('down'))).catch(() => 0);
    const seen = await collect();
    expect(seen).toMatchObject({
      'starr.breaker.state stock': 2,
      'starr.breaker.calls stock failed': 1,
      'starr.breaker.window.failures stock': 1,
      'starr.breaker.window.failure_ratio stock': 1,
    });
    expect(seen['starr.breaker.time_until_retry stock']).toBeGreaterThanOrEqual(0);
    stop();
    expect(await collect()).toEqual({});
  });

  it('leave out what there is no figure for, rather than to say 0', async () => {
    const { policies, collect } = setUp();
    policies.breaker('stock');
    const seen = await collect();
    expect(Object.keys(seen)).not.toContain('starr.breaker.time_until_retry stock');
    expect(Object.keys(seen)).not.toContain('starr.breaker.window.failure_ratio stock');
  });

  it('have all figures of queues, bulkheads, timeouts and retries', async () => {
    const { policies, collect } = setUp();
    const queue = policies.queue('mails', { maxWorkers: 2, maxSize: 10 });
    const bulkhead = policies.bulkhead('stock', { maxConcurrent: 4 });
    const timeout = policies.timeout('stock', { timeoutMs: 100 });
    const retry = policies.retry('stock');
    await queue.submit(() => 1);
    void bulkhead.run(() => new Promise(() => undefined));
    await timeout.run(() => 1);
    await retry.run(() => 1);
    expect(await collect()).toMatchObject({
      'starr.queue.size mails': 0,
      'starr.queue.utilisation mails': 0,
      'starr.queue.active_workers mails': 0,
      'starr.queue.max_workers mails': 2,
      'starr.queue.works mails processed': 1,
      'starr.queue.works mails timed_out': 0,
      'starr.bulkhead.active stock': 1,
      'starr.bulkhead.utilisation stock': 0.25,
      'starr.timeout.calls stock': 1,
      'starr.timeout.timed_out stock': 0,
      'starr.retry.retries stock': 0,
      'starr.retry.budget.limit stock': 3,
    });
  });

  it('show what a shrink has still to give back, and works that nobody waits for any more', async () => {
    const { policies, collect } = setUp();
    const queue = policies.queue('mails', { maxWorkers: 2, maxSize: 2 });
    const never = () => new Promise(() => undefined);
    for (let work = 0; work < 4; work++) void queue.submit(never).catch(() => 'rejected');
    policies.watchPool('orders', poolOf({ totalCount: 3, max: 3 })).retune({ max: 1 });
    policies.breaker('stock');
    expect(await collect()).toMatchObject({
      'starr.queue.over_limit.workers mails': 0,
      'starr.queue.over_limit.places mails': 0,
      'starr.queue.abandoned mails': 0,
      'starr.queue.expired mails': 0,
      'starr.pool.over_limit orders': 2,
      'starr.breaker.over_limit stock': 0,
    });
    queue.retune({ maxWorkers: 1, maxSize: 0 });
    expect(await collect()).toMatchObject({
      'starr.queue.over_limit.workers mails': 1,
      'starr.queue.over_limit.places mails': 2,
    });
  });

  it('count the works that were evicted, and those that go on without their caller', async () => {
    const { policies, clock, collect } = setUp();
    const limits = { maxWorkers: 1, maxSize: 2, waitTimeoutMs: 50, runTimeoutMs: 100 };
    const queue = policies.queue('mails', limits);
    const never = () => new Promise(() => undefined);
    const ends = Promise.allSettled([queue.submit(never), queue.submit(never)]);
    clock.advance(200);
    await ends;
    expect(await collect()).toMatchObject({
      'starr.queue.expired mails': 1,
      'starr.queue.abandoned mails': 1,
      'starr.queue.works mails timed_out': 2,
    });
  });

  it('leave out what a policy of another library does not tell', async () => {
    const { policies, collect } = setUp();
    const queue = {
      kind: 'queue' as const,
      name: 'foreign',
      limited: { library: 'p-queue', lacks: [] },
    };
    const empty = { size: 0, maxSize: 1, activeWorkers: 0, maxWorkers: 1, oldestWaitMs: 0 };
    const nothing = { processed: 0, failed: 0, timedOut: 0, rejected: 0 };
    const snapshot = () => ({ ...queue, ...empty, ...nothing });
    policies.adopt({ ...queue, snapshot, end: () => undefined });
    const names = Object.keys(await collect());
    expect(names).toContain('starr.queue.size foreign');
    expect(names.filter((name) => /over_limit|expired|abandoned/.test(name))).toEqual([]);
  });

  it('are made once each, under the names of the table', () => {
    const { made } = setUp();
    expect(made().sort()).toEqual(Object.keys(policyMetrics).sort());
  });
});
