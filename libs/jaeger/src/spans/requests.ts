import type { Slice } from '../request.ts';
import { isEntry, type SpanRecord } from './span-record.ts';

/** Probes of a platform are no users. */
const PROBE =
  /(^|[ /.])(healthz?|readyz?|readiness|livez?|liveness|ping|metrics|Health\/(Check|Watch))$/i;

/** The requests and messages of one service or operation, now and before. */
export interface Requests {
  /** Of the newest slices that hold enough of them. */
  readonly recent: readonly SpanRecord[];
  /** How far back these reach. */
  readonly recentMs: number;
  /** Of the rest of the window. */
  readonly earlier: readonly SpanRecord[];
}

/** What reached services, by service, probes left out. */
export function entriesByService(
  spans: readonly SpanRecord[],
): ReadonlyMap<string, readonly SpanRecord[]> {
  return groupedBy(
    spans.filter((span) => isEntry(span) && !PROBE.test(span.name)),
    ({ service }) => service,
  );
}

export function groupedBy(
  spans: readonly SpanRecord[],
  keyOf: (span: SpanRecord) => string,
): ReadonlyMap<string, readonly SpanRecord[]> {
  const groups = new Map<string, SpanRecord[]>();
  for (const span of spans) {
    const group = groups.get(keyOf(span));
    if (group === undefined) groups.set(keyOf(span), [span]);
    else group.push(span);
  }
  return groups;
}

/**
 * As few of the newest slices as hold `enough` requests are the present, so that a quiet service is judged over a
 * longer time than a busy one. Undefined: not so many in the whole window.
 */
export function requestsOf(
  entries: readonly SpanRecord[],
  slices: readonly Slice[],
  enough: number,
): Requests | undefined {
  const [newest] = slices;
  const oldest = slices.at(-1);
  if (newest === undefined || oldest === undefined) return undefined;
  const inWindow = entries.filter(
    ({ startMs }) => startMs >= oldest.fromMs && startMs <= newest.toMs,
  );
  for (const { fromMs } of slices) {
    const recent = inWindow.filter(({ startMs }) => startMs >= fromMs);
    if (recent.length < enough) continue;
    return {
      recent,
      recentMs: newest.toMs - fromMs,
      earlier: inWindow.filter(({ startMs }) => startMs < fromMs),
    };
  }
  return undefined;
}
