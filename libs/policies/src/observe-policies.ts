import type { Meter, Observable } from '@opentelemetry/api';
import type { Policies } from './policies.ts';
import { figuresOfPolicy, policyMetrics, type PolicyMetric } from './policy-metrics.ts';

/**
 * Exports the figures of all policies, also of later ones, through OpenTelemetry; each carries the policy's name as
 * `starr.policy`. Snapshots are taken when metrics are collected and at no other time: a counter that is moved by
 * each call would cost more than the policy. Returns how to stop it.
 */
export function observePolicies(policies: Policies, meter: Meter): () => void {
  const instruments = new Map<PolicyMetric, Observable>();
  for (const metric of Object.keys(policyMetrics) as PolicyMetric[]) {
    const { is, unit } = policyMetrics[metric];
    const instrument =
      is === 'counter'
        ? meter.createObservableCounter(metric, { unit })
        : meter.createObservableGauge(metric, { unit });
    instruments.set(metric, instrument);
  }
  const all = [...instruments.values()];
  const collect: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    for (const snapshot of policies.allSnapshots()) {
      for (const { metric, value, attributes } of figuresOfPolicy(snapshot)) {
        const instrument = instruments.get(metric);
        if (!instrument) continue;
        result.observe(instrument, value, { 'starr.policy': snapshot.name, ...attributes });
      }
    }
  };
  meter.addBatchObservableCallback(collect, all);
  return () => {
    meter.removeBatchObservableCallback(collect, all);
  };
}
