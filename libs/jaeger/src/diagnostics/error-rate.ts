import {
  defineDiagnostic,
  durationText,
  type Entity,
  type Finding,
  type Limits,
  type Measurement,
  type Row,
} from '@starr/kernel';
import { percentText } from '../percent-text.ts';
import { notJudged } from '../reads/nothing-judged.ts';
import { tracesRead, type TraceSample } from '../reads/trace-sample.ts';
import { failingBeneath, treeOf, type SpanTree } from '../spans/failing-beneath.ts';
import { onsetOf } from '../spans/onset.ts';
import { entriesByService, groupedBy, requestsOf, type Requests } from '../spans/requests.ts';
import type { SpanRecord } from '../spans/span-record.ts';
import { operationEntity, serviceEntity } from '../trace-entities.ts';

const MOST_ROWS = 5;

const thresholds = {
  errorRatio: {
    value: 0.05,
    unit: 'ratio',
    says: 'failed requests of all, above which it is a finding',
    source: 'the guide, High Error Rates: error rate > 5 %',
  },
  criticalRatio: {
    value: 0.1,
    unit: 'ratio',
    says: 'failed requests of all, above which it is critical',
    source: 'ours: twice the bound of the guide',
  },
  minSpans: {
    value: 20,
    unit: 'count',
    says: 'requests, below which no ratio is judged',
    source: 'ours: one failed request must not be 5 %',
  },
} as const;

/** Do requests fail, since when, and where? */
export const tracesErrorRate = defineDiagnostic({
  id: 'traces.error-rate',
  title: 'Failed requests by service and operation',
  replaces: ["curl 'http://jaeger:16686/api/traces?service=api-server&limit=20'"],
  explains:
    'Share of failed server spans of each service in the newest minute that holds enough of them, beside the rest of ' +
    'the window, from at most 100 traces a service and slice of time; probes are left out. Since when is the point ' +
    'that best divides the window into well and ill. By hand: search the service in Jaeger for error=true, and follow ' +
    'the failed spans down to the last.',
  reads: { traces: tracesRead },
  thresholds,
  measures: {
    errorRatio: { unit: 'ratio', says: 'failed requests of all, now' },
    earlierErrorRatio: { unit: 'ratio', says: 'the same in the earlier part of the window' },
    requests: { unit: 'count', says: 'requests that the ratio is taken from' },
  },
  judge: ({ traces }, limits) => {
    const tree = treeOf(traces.spans);
    const services = entriesByService(traces.spans);
    const parts = [...services].map(([service, entries]) =>
      judgeService(service, entries, traces, tree, limits),
    );
    const judged = new Set(
      parts.filter(({ measured }) => measured.length > 0).map(({ service }) => service),
    );
    return {
      measured: parts.flatMap(({ measured }) => measured),
      findings: parts.flatMap(({ finding }) => finding ?? []).sort(worstFirst),
      blind: [
        ...traces.blind,
        ...notJudged(traces, judged, new Set(services.keys()), limits.minSpans),
      ],
    };
  },
});

type ErrorLimits = Limits<typeof thresholds>;

interface Judged {
  readonly service: string;
  readonly measured: readonly Measurement[];
  readonly finding?: Finding;
}

/** An operation that fails is not excused by others of its service that do not. */
function judgeService(
  service: string,
  entries: readonly SpanRecord[],
  { slices }: TraceSample,
  tree: SpanTree,
  limits: ErrorLimits,
): Judged {
  const all = requestsOf(entries, slices, limits.minSpans);
  if (all === undefined) return { service, measured: [] };
  const operations = [...groupedBy(entries, ({ name }) => name)].flatMap(([name, spans]) => {
    const requests = requestsOf(spans, slices, limits.minSpans);
    return requests === undefined ? [] : [{ name, requests }];
  });
  // Also those that are well: whether one that was ill has recovered must be seen.
  const measured = [
    ...measurementsOf(serviceEntity(service), all, limits),
    ...operations.flatMap(({ name, requests }) =>
      measurementsOf(operationEntity(service, name), requests, limits),
    ),
  ];
  const ill = operations
    .filter(({ requests }) => ratioOf(requests.recent) > limits.errorRatio)
    .sort((a, b) => ratioOf(b.requests.recent) - ratioOf(a.requests.recent));
  const [worst] = ill;
  if (worst === undefined && ratioOf(all.recent) <= limits.errorRatio) return { service, measured };
  const isNamed = ({ about }: Measurement): boolean =>
    about.kind === 'service' || ill.some(({ name }) => about.name === `${service}/${name}`);
  const found = findingOf(service, worst?.name, worst?.requests ?? all, tree, limits);
  return {
    service,
    measured,
    finding: {
      ...found,
      measured: measured.filter(isNamed),
      involves: [...ill.map(({ name }) => operationEntity(service, name)), ...found.involves],
    },
  };
}

function measurementsOf(
  about: Entity,
  { recent, earlier }: Requests,
  limits: ErrorLimits,
): readonly Measurement[] {
  return [
    { name: 'errorRatio', about, value: ratioOf(recent), limit: limits.errorRatio },
    ...(earlier.length >= limits.minSpans
      ? [{ name: 'earlierErrorRatio', about, value: ratioOf(earlier) }]
      : []),
    { name: 'requests', about, value: recent.length, limit: limits.minSpans },
  ];
}

function ratioOf(requests: readonly SpanRecord[]): number {
  return requests.filter(({ isFailed }) => isFailed).length / requests.length;
}

function findingOf(
  service: string,
  operation: string | undefined,
  requests: Requests,
  tree: SpanTree,
  limits: ErrorLimits,
): Omit<Finding, 'measured'> & { readonly involves: readonly Entity[] } {
  const { recent, earlier, recentMs } = requests;
  const ratio = ratioOf(recent);
  const since = onsetOf(
    [...earlier, ...recent].map(({ startMs, isFailed }) => ({ atMs: startMs, isBad: isFailed })),
    limits.errorRatio,
  );
  const before =
    earlier.length >= limits.minSpans ? `, ${percentText(ratioOf(earlier))} before` : '';
  const failed = recent.filter(({ isFailed }) => isFailed);
  const callee = calleeOf(failed, tree);
  return {
    severity: ratio > limits.criticalRatio ? 'critical' : 'warning',
    about: serviceEntity(service),
    says:
      `${service}: ${percentText(ratio)} of requests${operation === undefined ? '' : ` to ${operation}`} ` +
      `failed in the last ${durationText(recentMs)}${before}` +
      (callee === undefined
        ? ''
        : `; ${percentText(callee.share)} of these failed in ${callee.name}`),
    ...(since === undefined ? {} : { since: new Date(since) }),
    involves: callee === undefined ? [] : [serviceEntity(callee.name)],
    rows: rowsOf(failed, tree),
  };
}

/** The other service in which at least half of the failed requests failed really. */
function calleeOf(
  failed: readonly SpanRecord[],
  tree: SpanTree,
): { readonly name: string; readonly share: number } | undefined {
  const counts = new Map<string, number>();
  for (const request of failed) {
    const { callee } = failingBeneath(request, tree);
    if (callee !== undefined) counts.set(callee, (counts.get(callee) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  if (most === undefined || most[1] * 2 < failed.length) return undefined;
  return { name: most[0], share: most[1] / failed.length };
}

/** One row a way of failing, the most common first, with a trace to look at. */
function rowsOf(failed: readonly SpanRecord[], tree: SpanTree): readonly Row[] {
  const ways = groupedBy(failed, (request) => {
    const { deepest } = failingBeneath(request, tree);
    return JSON.stringify([request.name, deepest.service, deepest.name, deepest.message]);
  });
  return [...ways.values()]
    .sort((a, b) => b.length - a.length)
    .slice(0, MOST_ROWS)
    .flatMap((requests) => {
      const request = requests.at(-1);
      if (request === undefined) return [];
      const { deepest } = failingBeneath(request, tree);
      return [
        {
          operation: request.name,
          failed: requests.length,
          failed_in: `${deepest.service}/${deepest.name}`,
          ...(deepest.message === undefined ? {} : { message: deepest.message }),
          trace: request.traceId,
        },
      ];
    });
}

function worstFirst(a: Finding, b: Finding): number {
  const ratio = ({ measured }: Finding): number =>
    Math.max(...measured.filter(({ name }) => name === 'errorRatio').map(({ value }) => value));
  return ratio(b) - ratio(a);
}
