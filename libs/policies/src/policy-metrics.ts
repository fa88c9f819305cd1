import type { AnyPolicySnapshot } from './any-policy-snapshot.ts';
import type { BreakerState } from './snapshots.ts';

interface Metric {
  /** Counters only grow; a gauge is as of now. */
  readonly is: 'counter' | 'gauge';
  /** UCUM: `1` for ratios and states, `ms`, `{call}`. */
  readonly unit: string;
}

/** All that is exported. */
export const policyMetrics = {
  'starr.backpressure.engaged': { is: 'gauge', unit: '1' },
  'starr.backpressure.utilisation': { is: 'gauge', unit: '1' },
  'starr.breaker.calls': { is: 'counter', unit: '{call}' },
  'starr.breaker.in_flight': { is: 'gauge', unit: '{call}' },
  'starr.breaker.latency': { is: 'gauge', unit: 'ms' },
  'starr.breaker.over_limit': { is: 'gauge', unit: '{call}' },
  'starr.breaker.overridden': { is: 'gauge', unit: '1' },
  'starr.breaker.state': { is: 'gauge', unit: '1' },
  'starr.breaker.time_until_retry': { is: 'gauge', unit: 'ms' },
  'starr.breaker.window.failure_ratio': { is: 'gauge', unit: '1' },
  'starr.breaker.window.failures': { is: 'gauge', unit: '{call}' },
  'starr.bulkhead.active': { is: 'gauge', unit: '{call}' },
  'starr.bulkhead.calls': { is: 'counter', unit: '{call}' },
  'starr.bulkhead.max': { is: 'gauge', unit: '{call}' },
  'starr.bulkhead.over_limit': { is: 'gauge', unit: '{call}' },
  'starr.bulkhead.utilisation': { is: 'gauge', unit: '1' },
  'starr.concurrency.calls': { is: 'counter', unit: '{call}' },
  'starr.concurrency.in_flight': { is: 'gauge', unit: '{call}' },
  'starr.concurrency.limit': { is: 'gauge', unit: '{call}' },
  'starr.concurrency.over_limit': { is: 'gauge', unit: '{call}' },
  'starr.fallback.calls': { is: 'counter', unit: '{call}' },
  'starr.fallback.hit_ratio': { is: 'gauge', unit: '1' },
  'starr.fallback.stale_ratio': { is: 'gauge', unit: '1' },
  'starr.pool.idle': { is: 'gauge', unit: '{connection}' },
  'starr.pool.max': { is: 'gauge', unit: '{connection}' },
  'starr.pool.oldest_wait': { is: 'gauge', unit: 'ms' },
  'starr.pool.over_limit': { is: 'gauge', unit: '{connection}' },
  'starr.pool.size': { is: 'gauge', unit: '{connection}' },
  'starr.pool.waiting': { is: 'gauge', unit: '{call}' },
  'starr.queue.abandoned': { is: 'gauge', unit: '{work}' },
  'starr.queue.active_workers': { is: 'gauge', unit: '{worker}' },
  'starr.queue.expired': { is: 'counter', unit: '{work}' },
  'starr.queue.max_size': { is: 'gauge', unit: '{work}' },
  'starr.queue.max_workers': { is: 'gauge', unit: '{worker}' },
  'starr.queue.oldest_wait': { is: 'gauge', unit: 'ms' },
  'starr.queue.over_limit.places': { is: 'gauge', unit: '{work}' },
  'starr.queue.over_limit.workers': { is: 'gauge', unit: '{worker}' },
  'starr.queue.size': { is: 'gauge', unit: '{work}' },
  'starr.queue.utilisation': { is: 'gauge', unit: '1' },
  'starr.queue.works': { is: 'counter', unit: '{work}' },
  'starr.rate_limit.available': { is: 'gauge', unit: '{call}' },
  'starr.rate_limit.calls': { is: 'counter', unit: '{call}' },
  'starr.retry.budget.limit': { is: 'gauge', unit: '{call}' },
  'starr.retry.budget.retrying': { is: 'gauge', unit: '{call}' },
  'starr.retry.calls': { is: 'counter', unit: '{call}' },
  'starr.retry.retries': { is: 'counter', unit: '{call}' },
  'starr.retry.waiting': { is: 'gauge', unit: '{call}' },
  'starr.timeout.abandoned': { is: 'gauge', unit: '{call}' },
  'starr.timeout.calls': { is: 'counter', unit: '{call}' },
  'starr.timeout.timed_out': { is: 'counter', unit: '{call}' },
} as const satisfies Readonly<Record<string, Metric>>;

export type PolicyMetric = keyof typeof policyMetrics;

/** One figure of a policy. */
export interface PolicyFigure {
  readonly metric: PolicyMetric;
  readonly value: number;
  /** Beside the policy's name. */
  readonly attributes?: Readonly<Record<string, string>>;
}

const stateValue = { closed: 0, 'half-open': 1, open: 2 } as const satisfies Record<
  BreakerState,
  number
>;

type Of<K extends AnyPolicySnapshot['kind']> = Extract<AnyPolicySnapshot, { kind: K }>;

/** The figures of a snapshot, as they are exported. A figure that is absent there is absent here, not 0. */
export function figuresOfPolicy(snapshot: AnyPolicySnapshot): PolicyFigure[] {
  switch (snapshot.kind) {
    case 'breaker':
      return breakerFigures(snapshot);
    case 'queue':
      return queueFigures(snapshot);
    case 'pool':
      return poolFigures(snapshot);
    case 'bulkhead':
      return bulkheadFigures(snapshot);
    case 'timeout':
      return [
        figure('starr.timeout.calls', snapshot.calls),
        figure('starr.timeout.timed_out', snapshot.timedOut),
        figure('starr.timeout.abandoned', snapshot.abandoned),
      ];
    case 'retry':
      return retryFigures(snapshot);
    case 'rate-limit':
      return [
        ...byOutcome('starr.rate_limit.calls', {
          allowed: snapshot.allowed,
          rejected: snapshot.rejected,
        }),
        figure('starr.rate_limit.available', snapshot.available),
      ];
    case 'concurrency':
      return concurrencyFigures(snapshot);
    case 'backpressure':
      return [
        figure('starr.backpressure.engaged', snapshot.state === 'engaged' ? 1 : 0),
        figure('starr.backpressure.utilisation', snapshot.utilisation),
      ];
    case 'fallback':
      return fallbackFigures(snapshot);
    case 'interlocks':
    case 'pipeline':
      return [];
  }
}

function breakerFigures(breaker: Of<'breaker'>): PolicyFigure[] {
  const { succeeded, failed, ignored, rejected, late } = breaker.totals;
  return [
    figure('starr.breaker.state', stateValue[breaker.state]),
    figure('starr.breaker.overridden', breaker.override ? 1 : 0),
    ...byOutcome('starr.breaker.calls', { succeeded, failed, ignored, rejected, late }),
    figure('starr.breaker.window.failures', breaker.windowFailures),
    ...optional('starr.breaker.window.failure_ratio', breaker.failureRatio),
    ...optional('starr.breaker.time_until_retry', breaker.timeUntilRetryMs),
    ...optional('starr.breaker.in_flight', breaker.inFlight),
    ...optional('starr.breaker.over_limit', breaker.overLimit),
    ...optional('starr.breaker.latency', breaker.latency?.p50Ms, { percentile: 'p50' }),
    ...optional('starr.breaker.latency', breaker.latency?.p95Ms, { percentile: 'p95' }),
    ...optional('starr.breaker.latency', breaker.latency?.p99Ms, { percentile: 'p99' }),
  ];
}

function queueFigures(queue: Of<'queue'>): PolicyFigure[] {
  const { processed, failed, timedOut, rejected } = queue;
  return [
    figure('starr.queue.size', queue.size),
    figure('starr.queue.max_size', queue.maxSize),
    ...optional('starr.queue.utilisation', ratio(queue.size, queue.maxSize)),
    figure('starr.queue.active_workers', queue.activeWorkers),
    figure('starr.queue.max_workers', queue.maxWorkers),
    figure('starr.queue.oldest_wait', queue.oldestWaitMs),
    ...byOutcome('starr.queue.works', { processed, failed, timed_out: timedOut, rejected }),
    // a part of the timed out, so no outcome of its own: the sum of the outcomes would count it twice
    ...optional('starr.queue.expired', queue.expired),
    ...optional('starr.queue.abandoned', queue.abandoned),
    ...optional('starr.queue.over_limit.workers', queue.overLimit?.workers),
    ...optional('starr.queue.over_limit.places', queue.overLimit?.places),
  ];
}

function poolFigures(pool: Of<'pool'>): PolicyFigure[] {
  return [
    figure('starr.pool.size', pool.size),
    figure('starr.pool.idle', pool.idle),
    figure('starr.pool.max', pool.max),
    figure('starr.pool.waiting', pool.waiting),
    figure('starr.pool.oldest_wait', pool.oldestWaitMs),
    ...optional('starr.pool.over_limit', pool.overLimit),
  ];
}

function bulkheadFigures(bulkhead: Of<'bulkhead'>): PolicyFigure[] {
  const { processed, rejected } = bulkhead;
  return [
    figure('starr.bulkhead.active', bulkhead.active),
    figure('starr.bulkhead.max', bulkhead.maxConcurrent),
    figure('starr.bulkhead.utilisation', bulkhead.utilisation),
    figure('starr.bulkhead.over_limit', bulkhead.overLimit),
    ...byOutcome('starr.bulkhead.calls', { processed, rejected }),
  ];
}

function retryFigures(retry: Of<'retry'>): PolicyFigure[] {
  const { recovered, exhausted, overBudget } = retry;
  return [
    figure('starr.retry.retries', retry.retries),
    ...byOutcome('starr.retry.calls', { recovered, exhausted, over_budget: overBudget }),
    figure('starr.retry.waiting', retry.waiting),
    figure('starr.retry.budget.limit', retry.budget.limit),
    figure('starr.retry.budget.retrying', retry.budget.retrying),
  ];
}

function concurrencyFigures(concurrency: Of<'concurrency'>): PolicyFigure[] {
  const { succeeded, dropped, rejected } = concurrency;
  return [
    figure('starr.concurrency.limit', concurrency.limit),
    figure('starr.concurrency.in_flight', concurrency.inFlight),
    figure('starr.concurrency.over_limit', concurrency.overLimit),
    ...byOutcome('starr.concurrency.calls', { succeeded, dropped, rejected }),
  ];
}

function fallbackFigures(fallback: Of<'fallback'>): PolicyFigure[] {
  const { primary, fallen, unanswered } = fallback;
  return [
    ...byOutcome('starr.fallback.calls', { primary, fallen, unanswered }),
    ...optional('starr.fallback.hit_ratio', fallback.hitRatio),
    ...optional('starr.fallback.stale_ratio', fallback.staleRatio),
  ];
}

/** One metric, told apart by how the calls ended. */
function byOutcome(metric: PolicyMetric, counts: Readonly<Record<string, number>>): PolicyFigure[] {
  return Object.entries(counts).map(([outcome, value]) => ({
    metric,
    value,
    attributes: { outcome },
  }));
}

function figure(metric: PolicyMetric, value: number): PolicyFigure {
  return { metric, value };
}

function optional(
  metric: PolicyMetric,
  value: number | undefined,
  attributes?: Readonly<Record<string, string>>,
): PolicyFigure[] {
  if (value === undefined) return [];
  return [{ metric, value, ...(attributes && { attributes }) }];
}

function ratio(part: number, whole: number): number | undefined {
  return whole > 0 ? part / whole : undefined;
}
