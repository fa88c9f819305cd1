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
  return resourceSpans.flatMap((resourceSpan) => {
    const resource = attributesFrom(member(member(resourceSpan, 'resource'), 'attributes'));
    const service = resource['service.name'] ?? '';
    return listOf(member(resourceSpan, 'scopeSpans')).flatMap((scopeSpan) => {
      const scope = textOf(member(member(scopeSpan, 'scope'), 'name'));
      return listOf(member(scopeSpan, 'spans')).flatMap(
        (span) => spanFrom(span, service, scope) ?? [],
      );
    });
  });
}

/** Without Starr's own. */
export function recordsFrom(spans: readonly OtlpSpan[]): readonly SpanRecord[] {
  return spans
    .filter(({ scope }) => scope !== OWN_SCOPE)
    .map(({ scope: _scope, attributes: _attributes, events: _events, ...record }) => record);
}

function spanFrom(span: unknown, service: string, scope: string): OtlpSpan | undefined {
  const [traceId, spanId] = [textOf(member(span, 'traceId')), textOf(member(span, 'spanId'))];
  const start = nanosFrom(member(span, 'startTimeUnixNano'));
  const end = nanosFrom(member(span, 'endTimeUnixNano'));
  if (traceId === '' || spanId === '' || start === undefined || end === undefined) return undefined;
  const parent = textOf(member(span, 'parentSpanId'));
  const attributes = attributesFrom(member(span, 'attributes'));
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
    isFailed: isFailed(member(status, 'code'), attributes),
    ...(message === '' ? {} : { message: maskText(message) }),
    scope,
    attributes,
    events: listOf(member(span, 'events')).map((event) => textOf(member(event, 'name'))),
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
function isFailed(code: unknown, attributes: Readonly<Record<string, string>>): boolean {
  if (code === 2 || code === 'STATUS_CODE_ERROR') return true;
  if (code === 1 || code === 'STATUS_CODE_OK') return false;
  const http = attributes['http.response.status_code'] ?? attributes['http.status_code'];
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
