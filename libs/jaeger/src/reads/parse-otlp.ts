import { maskText } from '@starr/kernel';
import type { SpanKind, SpanRecord } from '../spans/span-record.ts';

/** The instrumentation scope of Starr's own spans, which are no user's requests. */
const OWN_SCOPE = 'starr';

/** A span as OTLP carries it, with what is needed to show it to a person. */
export interface OtlpSpan extends SpanRecord {
  readonly scope: string;
  /** As text; masked. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Names of its events, in order. */
  readonly events: readonly string[];
}

/** `resourceSpans` of OTLP JSON → spans. What is malformed is left out: one bad span must not hide the others. */
export function parseOtlp(resourceSpans: readonly unknown[]): readonly OtlpSpan[] {
  return spansIn(resourceSpans, (span, service, scope) => {
    const record = recordFrom(span, service);
    return (
      record && {
        ...record,
        scope,
        attributes: attributesFrom(member(span, 'attributes')),
        events: listOf(member(span, 'events')).map((event) => textOf(member(event, 'name'))),
      }
    );
  });
}

/** What judges get: without Starr's own spans, and without attributes, whose masking would cost more than all the rest. */
export function parseRecords(resourceSpans: readonly unknown[]): readonly SpanRecord[] {
  return spansIn(resourceSpans, (span, service, scope) =>
    scope === OWN_SCOPE ? undefined : recordFrom(span, service),
  );
}

function spansIn<T>(
  resourceSpans: readonly unknown[],
  make: (span: unknown, service: string, scope: string) => T | undefined,
): readonly T[] {
  return resourceSpans.flatMap((resourceSpan) => {
    const resource = member(member(resourceSpan, 'resource'), 'attributes');
    const service = maskText(attributeText(resource, 'service.name') ?? '');
    return listOf(member(resourceSpan, 'scopeSpans')).flatMap((scopeSpan) => {
      const scope = textOf(member(member(scopeSpan, 'scope'), 'name'));
      return listOf(member(scopeSpan, 'spans')).flatMap((span) => make(span, service, scope) ?? []);
    });
  });
}

function recordFrom(span: unknown, service: string): SpanRecord | undefined {
  const [traceId, spanId] = [textOf(member(span, 'traceId')), textOf(member(span, 'spanId'))];
  const start = nanosFrom(member(span, 'startTimeUnixNano'));
  const end = nanosFrom(member(span, 'endTimeUnixNano'));
  if (traceId === '' || spanId === '' || start === undefined || end === undefined) return undefined;
  const parent = textOf(member(span, 'parentSpanId'));
  const status = member(span, 'status');
  const message = textOf(member(status, 'message'));
  return {
    traceId,
    spanId,
    ...(isNoParent(parent) ? {} : { parentSpanId: parent }),
    service,
    name: textOf(member(span, 'name')),
    kind: kindFrom(member(span, 'kind')),
    startMs: millisFrom(start),
    durationMs: end > start ? millisFrom(end - start) : 0,
    isFailed: isFailed(member(status, 'code'), member(span, 'attributes')),
    ...(message === '' ? {} : { message: maskText(message) }),
  };
}

function isNoParent(parent: string): boolean {
  return /^0*$/.test(parent);
}

/** Nanoseconds since the epoch do not fit a double: a decimal text, in some answers a number. */
function nanosFrom(value: unknown): bigint | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return BigInt(Math.trunc(value));
  return typeof value === 'string' && /^\d+$/.test(value) ? BigInt(value) : undefined;
}

function millisFrom(nanos: bigint): number {
  return Number(nanos / 1000n) / 1000;
}

/** ERROR, or a server's 5xx that nobody marked. */
function isFailed(code: unknown, attributes: unknown): boolean {
  if (code === 2 || code === 'STATUS_CODE_ERROR') return true;
  if (code === 1 || code === 'STATUS_CODE_OK') return false;
  const http =
    attributeText(attributes, 'http.response.status_code') ??
    attributeText(attributes, 'http.status_code');
  return http !== undefined && /^5\d\d$/.test(http);
}

const KINDS: readonly SpanKind[] = [
  'unknown',
  'internal',
  'server',
  'client',
  'producer',
  'consumer',
];

/** A number, or the name of the enum. */
function kindFrom(kind: unknown): SpanKind {
  if (typeof kind === 'number') return KINDS[kind] ?? 'unknown';
  const name = textOf(kind)
    .replace(/^SPAN_KIND_/, '')
    .toLowerCase();
  return KINDS.find((one) => one === name) ?? 'unknown';
}

function attributesFrom(list: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    listOf(list).map((attribute) => [
      textOf(member(attribute, 'key')),
      maskText(valueText(member(attribute, 'value'))),
    ]),
  );
}

/** One of them, as it stands; the last of several. */
function attributeText(list: unknown, key: string): string | undefined {
  const found = listOf(list).findLast((attribute) => member(attribute, 'key') === key);
  return found === undefined ? undefined : valueText(member(found, 'value'));
}

/** `{ stringValue: 'a' }`, `{ intValue: '5' }`, `{ arrayValue: { values: [] } }` … */
function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  const [inner] = Object.values(value) as unknown[];
  const values = member(inner, 'values');
  if (Array.isArray(values)) return values.map(valueText).join(', ');
  return textOf(inner);
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
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return '';
  }
}
