import {
  defineDiagnostic,
  durationText,
  type Entity,
  type Finding,
  type Limits,
  type Measurement,
} from '@starr/kernel';
import { notJudged } from '../reads/nothing-judged.ts';
import { tracesRead, type TraceSample } from '../reads/trace-sample.ts';
import { onsetOf } from '../spans/onset.ts';
import { percentile } from '../spans/percentile.ts';
import { entriesByService, groupedBy, requestsOf, type Requests } from '../spans/requests.ts';
import type { SpanRecord } from '../spans/span-record.ts';
import { operationEntity, serviceEntity } from '../trace-entities.ts';

const MOST_ROWS = 3;
/** What a p95 leaves out. */
const SLOW_RATIO = 0.05;

const thresholds = {
  p95Ms: {
    value: 2000,
    unit: 'ms',
    says: 'the p95 of an operation, above which it is a finding; critical when the median lies above it too',
    source: 'the guide, Slow Response Times: p95 latency > 2000 ms',
  },
  minSpans: {
    value: 20,
    unit: 'count',
    says: 'requests, below which no percentile is judged',
    source: 'ours: a p95 of fewer is their maximum',
  },
} as const;

/** How long do requests take, and since when? */
export const tracesLatency = defineDiagnostic({
  id: 'traces.latency',
  title: 'Response times by operation',
  replaces: [
    'python scripts/monitoring/analyze_latency.py --period=30m',
    'python scripts/tracing/analyze_slow_traces.py --threshold=2000ms',
  ],
  explains:
    'Percentiles of the server spans of each operation in the newest minute that holds enough of them, beside the rest ' +
    'of the window, from at most 100 traces a service and slice of time; probes are left out. By hand: search the ' +
    'service in Jaeger with a minimum duration, and follow the span that ends last, down to where the time goes.',
  reads: { traces: tracesRead },
  thresholds,
  measures: {
    p50Ms: { unit: 'ms', says: 'half of the requests take longer' },
    p95Ms: { unit: 'ms', says: 'one in twenty takes longer' },
    p99Ms: { unit: 'ms', says: 'one in a hundred takes longer' },
    earlierP95Ms: { unit: 'ms', says: 'the p95 in the earlier part of the window' },
  },
  judge: ({ traces }, limits) => {
    const services = entriesByService(traces.spans);
    const parts = [...services].map(([service, entries]) =>
      judgeService(service, entries, traces, limits),
    );
    const judged = new Set(
      parts.filter(({ measured }) => measured.length > 0).map(({ service }) => service),
    );
    return {
      measured: parts.flatMap(({ measured }) => measured),
      findings: parts.flatMap(({ findings }) => findings),
      blind: [
        ...traces.blind,
        ...notJudged(traces, judged, new Set(services.keys()), limits.minSpans),
      ],
    };
  },
});

type LatencyLimits = Limits<typeof thresholds>;

interface Judged {
  readonly service: string;
  readonly measured: readonly Measurement[];
  readonly findings: readonly Finding[];
}

function judgeService(
  service: string,
  entries: readonly SpanRecord[],
  { slices }: TraceSample,
  limits: LatencyLimits,
): Judged {
  const all = requestsOf(entries, slices, limits.minSpans);
  if (all === undefined) return { service, measured: [], findings: [] };
  const operations = [...groupedBy(entries, ({ name }) => name)].flatMap(([name, spans]) => {
    const requests = requestsOf(spans, slices, limits.minSpans);
    if (requests === undefined) return [];
    const about = operationEntity(service, name);
    return [{ name, requests, measured: measurementsOf(about, requests, limits) }];
  });
  return {
    service,
    measured: [
      ...measurementsOf(serviceEntity(service), all, limits),
      ...operations.flatMap(({ measured }) => measured),
    ],
    findings: operations.flatMap(
      ({ name, requests, measured }) => findingOf(service, name, requests, measured, limits) ?? [],
    ),
  };
}

function measurementsOf(
  about: Entity,
  { recent, earlier }: Requests,
  limits: LatencyLimits,
): readonly Measurement[] {
  const [now, before] = [durationsOf(recent), durationsOf(earlier)];
  const at = (name: string, value: number | undefined, limit?: number): readonly Measurement[] =>
    value === undefined
      ? []
      : [limit === undefined ? { name, about, value } : { name, about, value, limit }];
  return [
    ...at('p50Ms', percentile(now, 0.5)),
    ...at('p95Ms', percentile(now, 0.95), limits.p95Ms),
    ...at('p99Ms', percentile(now, 0.99)),
    ...(before.length >= limits.minSpans ? at('earlierP95Ms', percentile(before, 0.95)) : []),
  ];
}

function findingOf(
  service: string,
  operation: string,
  { recent, earlier, recentMs }: Requests,
  measured: readonly Measurement[],
  limits: LatencyLimits,
): Finding | undefined {
  const valueOf = (name: string): number | undefined =>
    measured.find((one) => one.name === name)?.value;
  const [p50 = 0, p95 = 0] = [valueOf('p50Ms'), valueOf('p95Ms')];
  if (p95 <= limits.p95Ms) return undefined;
  const before = valueOf('earlierP95Ms');
  const since = onsetOf(
    [...earlier, ...recent].map(({ startMs, durationMs }) => ({
      atMs: startMs,
      isBad: durationMs > limits.p95Ms,
    })),
    SLOW_RATIO,
  );
  return {
    severity: p50 > limits.p95Ms ? 'critical' : 'warning',
    about: operationEntity(service, operation),
    says:
      `${service} ${operation}: p95 ${durationText(p95)} in the last ${durationText(recentMs)}` +
      `${before === undefined ? '' : `, ${durationText(before)} before`}; median ${durationText(p50)}`,
    ...(since === undefined ? {} : { since: new Date(since) }),
    measured,
    involves: [serviceEntity(service)],
    rows: [...recent]
      .sort((a, b) => b.durationMs - a.durationMs)
      .slice(0, MOST_ROWS)
      .map(({ durationMs, traceId, isFailed }) => ({
        took: { durationMs },
        failed: isFailed,
        trace: traceId,
      })),
  };
}

/** In ascending order. */
function durationsOf(requests: readonly SpanRecord[]): readonly number[] {
  return requests.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
}
