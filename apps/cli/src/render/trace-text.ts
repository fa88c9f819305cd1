import { durationText } from '@starr/kernel';
import type { TraceSpanView } from '@starr/wire';

const SHOWN_ATTRIBUTES = [
  'starr.check.status',
  'starr.target',
  'starr.finding.severity',
  'starr.operation.outcome',
  'db.query.text',
  'http.response.status_code',
];
const NAME_WIDTH = 56;

/** Spans as a tree: name, start against the root, duration, service, what matters of the attributes, events below. */
export function traceText(spans: readonly TraceSpanView[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const roots = spans.filter(
    ({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId),
  );
  const begin = Math.min(...spans.map(({ startedAt }) => startedAt.getTime()));
  return byStart(roots)
    .flatMap((root) => lines(root, spans, begin, 0))
    .join('\n');
}

function lines(
  span: TraceSpanView,
  spans: readonly TraceSpanView[],
  begin: number,
  depth: number,
): string[] {
  const indent = '  '.repeat(depth);
  const name = `${indent}${span.isFailed ? '! ' : ''}${span.name}`
    .slice(0, NAME_WIDTH)
    .padEnd(NAME_WIDTH);
  const at = `+${span.startedAt.getTime() - begin} ms`.padStart(9);
  const took = durationText(span.tookMs).padStart(8);
  const facts = SHOWN_ATTRIBUTES.flatMap((key) => span.attributes[key] ?? []).map((value) =>
    value.replace(/\s+/g, ' ').slice(0, 60),
  );
  const own = `${name} ${at} ${took}  ${[span.service, ...facts].join(' · ')}`;
  const events = span.events.map((event) => `${indent}    • ${event}`);
  const children = byStart(spans.filter(({ parentSpanId }) => parentSpanId === span.spanId));
  return [own, ...events, ...children.flatMap((child) => lines(child, spans, begin, depth + 1))];
}

function byStart(spans: readonly TraceSpanView[]): TraceSpanView[] {
  return spans.toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
}
