/**
 * A trace of the old API (`/api/traces`) as OTLP `resourceSpans`, so that one parser reads both. Old servers have
 * nothing newer; new ones (after v2.20) have this no more.
 */
export function otlpFromV1(body: unknown): readonly unknown[] {
  return listOf(member(body, 'data')).flatMap((trace) => {
    const processes = member(trace, 'processes');
    return listOf(member(trace, 'spans')).map((span) => {
      const process = member(processes, textOf(member(span, 'processID')));
      return {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: textOf(member(process, 'serviceName')) } },
          ],
        },
        scopeSpans: [spanOf(span)],
      };
    });
  });
}

function spanOf(span: unknown): unknown {
  const tags = new Map(
    listOf(member(span, 'tags')).map((tag) => [
      textOf(member(tag, 'key')),
      textOf(member(tag, 'value')),
    ]),
  );
  const startUs = BigInt(Math.trunc(Number(member(span, 'startTime') ?? 0)));
  const durationUs = BigInt(Math.trunc(Number(member(span, 'duration') ?? 0)));
  return {
    scope: { name: tags.get('otel.scope.name') ?? tags.get('otel.library.name') ?? '' },
    spans: [
      {
        traceId: textOf(member(span, 'traceID')).padStart(32, '0'),
        spanId: textOf(member(span, 'spanID')),
        parentSpanId: parentOf(span),
        name: textOf(member(span, 'operationName')),
        kind: tags.get('span.kind') ?? '',
        startTimeUnixNano: String(startUs * 1000n),
        endTimeUnixNano: String((startUs + durationUs) * 1000n),
        attributes: [...tags].map(([key, value]) => ({ key, value: { stringValue: value } })),
        status: {
          ...(tags.get('error') === 'true' || tags.get('otel.status_code') === 'ERROR'
            ? { code: 2 }
            : {}),
          message: tags.get('otel.status_description') ?? '',
        },
        events: listOf(member(span, 'logs')).map((log) => ({ name: eventOf(log) })),
      },
    ],
  };
}

/** The first CHILD_OF, else the first reference. */
function parentOf(span: unknown): string {
  const references = listOf(member(span, 'references'));
  const parent = references.find((one) => member(one, 'refType') === 'CHILD_OF') ?? references[0];
  return textOf(member(parent, 'spanID'));
}

function eventOf(log: unknown): string {
  const field = listOf(member(log, 'fields')).find((one) => member(one, 'key') === 'event');
  return textOf(member(field, 'value'));
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}
