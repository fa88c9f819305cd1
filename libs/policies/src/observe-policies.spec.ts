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
  const policies = createPolicies({ service: 'checkout', clock: createFakeClock() });
  const { meter, collect, made } = createCollectingMeter();
  const stop = observePolicies(policies, meter);
  return { policies, collect, made, stop };
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

  it('are made once each, under the names of the table', () => {
    const { made } = setUp();
    expect(made().sort()).toEqual(Object.keys(policyMetrics).sort());
  });
});
