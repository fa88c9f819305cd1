import type { Limit } from '@starr/kernel';
import { parseOtlp } from '../reads/parse-otlp.ts';
import { createClient } from './get-json.ts';
import type { JaegerConfig } from './jaeger-config.ts';
import { findQueryApi } from './query-api.ts';

/** A span as a person looks at it. */
export interface TraceSpan {
  readonly spanId: string;
  /** Absent: a root. The parent need not be in the trace. */
  readonly parentSpanId?: string;
  readonly service: string;
  readonly name: string;
  readonly startedAt: Date;
  readonly tookMs: number;
  readonly isFailed: boolean;
  /** As text; masked. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Names of its events, in order. */
  readonly events: readonly string[];
}

/**
 * One trace, in the order of Jaeger; empty: it does not have it (yet). `traceId`: 32 hex digits. Fails with
 * DoctorError as the adapter does.
 */
export async function fetchTrace(
  config: JaegerConfig,
  traceId: string,
  { timeoutMs = 3000, signal = new AbortController().signal }: Partial<Limit> = {},
): Promise<readonly TraceSpan[]> {
  const client = createClient(config, { timeoutMs, maxRows: 1, signal, spend: () => undefined });
  const api = await findQueryApi(client);
  const spans = parseOtlp((await api.trace(encodeURIComponent(traceId))) ?? []);
  return spans.map(
    ({ spanId, parentSpanId, service, name, startMs, durationMs, isFailed, ...rest }) => ({
      spanId,
      ...(parentSpanId === undefined ? {} : { parentSpanId }),
      service,
      name,
      startedAt: new Date(startMs),
      tookMs: durationMs,
      isFailed,
      attributes: rest.attributes,
      events: rest.events,
    }),
  );
}
