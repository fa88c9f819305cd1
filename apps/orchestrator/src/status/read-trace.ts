import { DoctorError } from '@starr/kernel';
import type { TraceSpanView } from '@starr/wire';
import { invalidField } from '../sweep/sweep-request.ts';

/** One trace of the configured Jaeger; empty: it does not have it (yet). */
export type TraceReader = (
  traceId: string,
  signal: AbortSignal,
) => Promise<readonly TraceSpanView[]>;

/** Parents before children, siblings by start. */
export async function readTrace(
  reader: TraceReader | undefined,
  traceId: string,
  signal: AbortSignal,
): Promise<readonly TraceSpanView[]> {
  if (!/^[0-9a-f]{32}$/.test(traceId)) throw invalidField('trace_id', traceId, '32 hex digits');
  if (reader === undefined)
    throw new DoctorError('TARGET_UNKNOWN', {
      message: 'no Jaeger is configured, so no trace can be read',
      details: { field: 'targets.jaeger' },
    });
  return inTreeOrder(await reader(traceId, signal));
}

function inTreeOrder(spans: readonly TraceSpanView[]): readonly TraceSpanView[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const children = new Map<string, TraceSpanView[]>();
  for (const span of spans) {
    const { parentSpanId = '' } = span;
    const parent = known.has(parentSpanId) ? parentSpanId : '';
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const ordered: TraceSpanView[] = [];
  const add = (parent: string): void => {
    const own = children.get(parent) ?? [];
    children.delete(parent); // a span that is its own ancestor is met once
    for (const span of own.sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime())) {
      ordered.push(span);
      add(span.spanId);
    }
  };
  add('');
  return ordered;
}
