import { isEntry, type SpanRecord } from './span-record.ts';

/** Where a failed request really failed. */
export interface FailingBeneath {
  /** The deepest failed span below it; the request itself when nothing below it failed. */
  readonly deepest: SpanRecord;
  /** The first other service below it that failed as well. Absent: it failed by itself. */
  readonly callee?: string;
}

/** Children by parent, over one or many traces. */
export type SpanTree = ReadonlyMap<string, readonly SpanRecord[]>;

export function treeOf(spans: readonly SpanRecord[]): SpanTree {
  const tree = new Map<string, SpanRecord[]>();
  for (const span of spans) {
    if (span.parentSpanId === undefined) continue;
    const key = keyOf(span.traceId, span.parentSpanId);
    const siblings = tree.get(key);
    if (siblings === undefined) tree.set(key, [span]);
    else siblings.push(span);
  }
  return tree;
}

/** Walks down failed spans only, the last one to end first: that is the one that was waited for. */
export function failingBeneath(request: SpanRecord, tree: SpanTree): FailingBeneath {
  const met = new Set<string>();
  let deepest = request;
  let callee: string | undefined;
  for (;;) {
    met.add(deepest.spanId);
    const next = (tree.get(keyOf(deepest.traceId, deepest.spanId)) ?? [])
      .filter((child) => child.isFailed && !met.has(child.spanId)) // ids may be forged into a ring
      .sort((a, b) => b.startMs + b.durationMs - (a.startMs + a.durationMs))[0];
    if (next === undefined) break;
    if (isEntry(next) && next.service !== request.service) callee ??= next.service;
    deepest = next;
  }
  return callee === undefined ? { deepest } : { deepest, callee };
}

function keyOf(traceId: string, spanId: string): string {
  return `${traceId}/${spanId}`;
}
