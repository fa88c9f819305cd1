import { setTimeout as sleep } from 'node:timers/promises';
import type { OrchestratorClient, TraceSpanView } from '@starr/wire';

export interface SpanCost {
  readonly name: string;
  readonly service: string;
  /** After the first span of the trace. */
  readonly startMs: number;
  readonly tookMs: number;
}

/** Processes hand their spans on in batches. */
const EXPORTED_WITHIN_MS = 6000;
const SHOWN = /^(starr sweep|sweep|examine|check|read|second pass|match|record) ?/;

/** Where the time of one sweep went: its own spans, the longest first. */
export async function traceCosts(
  client: OrchestratorClient,
  traceId: string,
): Promise<readonly SpanCost[]> {
  await sleep(EXPORTED_WITHIN_MS);
  return spanCosts(await client.getTrace(traceId));
}

function spanCosts(spans: readonly TraceSpanView[]): readonly SpanCost[] {
  const firstMs = Math.min(...spans.map(({ startedAt }) => startedAt.getTime()));
  return spans
    .filter(({ name }) => SHOWN.test(name))
    .map(({ name, service, startedAt, tookMs }) => ({
      name,
      service,
      startMs: startedAt.getTime() - firstMs,
      tookMs,
    }))
    .sort((a, b) => b.tookMs - a.tookMs);
}
