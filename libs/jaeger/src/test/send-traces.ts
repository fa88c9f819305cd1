/** A span to send; what is left out is made up. */
export interface SentSpan {
  readonly traceId?: string;
  /** Hex; filled up with zeros. */
  readonly spanId?: string;
  readonly parent?: string;
  readonly service: string;
  readonly name: string;
  /** As OTLP numbers it: 2 server, 3 client. */
  readonly kind: number;
  readonly agoMs: number;
  readonly durationMs?: number;
  readonly failed?: boolean;
  readonly message?: string;
  readonly scope?: string;
}

let made = 0;

/** By OTLP over HTTP, as an application does; resolves when Jaeger shows the last of them. */
export async function sendTraces(
  { otlpHttpUrl, queryUrl }: { readonly otlpHttpUrl: string; readonly queryUrl: string },
  spans: readonly SentSpan[],
  now: number,
): Promise<void> {
  const sent = spans.map((span) => {
    made += 1;
    return { traceId: made.toString(16).padStart(32, '0'), spanId: '1', ...span };
  });
  const response = await fetch(`${otlpHttpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: sent.map((span) => resourceSpanOf(span, now)) }),
  });
  if (!response.ok) throw new Error(`OTLP: HTTP ${response.status} ${await response.text()}`);
  await response.text();
  const last = sent.at(-1)?.traceId ?? '';
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await fetch(`${queryUrl}/api/v3/traces/${last}`);
    await answer.text();
    if (answer.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('Jaeger never showed the traces');
}

function resourceSpanOf(
  span: SentSpan & { readonly traceId: string; readonly spanId: string },
  now: number,
): unknown {
  const startMs = now - span.agoMs;
  return {
    resource: {
      attributes: [{ key: 'service.name', value: { stringValue: span.service } }],
    },
    scopeSpans: [
      {
        scope: { name: span.scope ?? 'shop' },
        spans: [
          {
            traceId: span.traceId,
            spanId: span.spanId.padStart(16, '0'),
            ...(span.parent === undefined ? {} : { parentSpanId: span.parent.padStart(16, '0') }),
            name: span.name,
            kind: span.kind,
            startTimeUnixNano: nanos(startMs),
            endTimeUnixNano: nanos(startMs + (span.durationMs ?? 20)),
            status: span.failed === true ? { code: 2, message: span.message ?? '' } : {},
          },
        ],
      },
    ],
  };
}

function nanos(ms: number): string {
  return String(BigInt(Math.trunc(ms)) * 1_000_000n);
}
