import {
  blindFromError,
  blindSpot,
  DoctorError,
  isErrorCode,
  type BlindSpot,
  type Look,
  type Read,
  type Relation,
  type Resolver,
} from '@starr/kernel';
import type { JaegerRequest, RawSearch, RawTraces, Slice } from '../request.ts';
import type { SpanRecord } from '../spans/span-record.ts';
import { operationEntity, serviceEntity } from '../trace-entities.ts';
import { parseRecords } from './parse-otlp.ts';

/** The newest slice is so long at most, each before it twice the one after it. */
const NEWEST_SLICE_MS = 60_000;
const TRACES_PER_SEARCH = 100;
const MAX_SERVICES = 20;

/** Traces from all over the window, denser towards now. */
export interface TraceSample {
  /** Newest first. */
  readonly slices: readonly Slice[];
  readonly services: readonly string[];
  /** Each once. */
  readonly spans: readonly SpanRecord[];
  /** Services of which a slice holds more traces than were read. */
  readonly sampled: ReadonlySet<string>;
  /** What could not be seen beside the spans. */
  readonly blind: readonly BlindSpot[];
}

/** At most 100 traces a service and slice, whatever the traffic: those that Jaeger gives first. */
export const tracesRead: Read<TraceSample, JaegerRequest> = {
  id: 'jaeger.traces',
  timeoutMs: 3000,
  maxRows: TRACES_PER_SEARCH,
  request: (look) => ({
    kind: 'traces',
    services: servicesOf(look),
    slices: slicesOf(look),
    tracesPerSearch: TRACES_PER_SEARCH,
    maxServices: MAX_SERVICES,
  }),
  parse: (raw, look) => sampleFrom(raw as RawTraces, slicesOf(look)),
  relate: ({ spans }) => relationsOf(spans),
};

/** Which services call which. */
export const tracesResolver: Resolver<JaegerRequest> = {
  kinds: ['service', 'operation'],
  read: tracesRead,
};

/** The option `services` of the target; absent or empty: all. */
function servicesOf({ options }: Look): readonly string[] {
  const services = options['services'];
  return Array.isArray(services) ? services.filter((one) => typeof one === 'string') : [];
}

export function slicesOf({ now, windowMs }: Look): readonly Slice[] {
  const slices: Slice[] = [];
  const end = now.getTime();
  const begin = end - windowMs;
  let [toMs, lengthMs] = [end, NEWEST_SLICE_MS];
  while (toMs > begin) {
    const fromMs = Math.max(begin, toMs - lengthMs);
    slices.push({ fromMs, toMs });
    [toMs, lengthMs] = [fromMs, slices.length === 1 ? lengthMs : lengthMs * 2];
  }
  return slices;
}

function sampleFrom(raw: RawTraces, slices: readonly Slice[]): TraceSample | BlindSpot {
  const seen = new Map<string, SpanRecord>();
  const sampled = new Set<string>();
  for (const search of raw.searches) {
    if (search.answer.state === 'failed') continue;
    const spans = parseRecords(search.answer.resourceSpans);
    for (const span of spans) seen.set(`${span.traceId}/${span.spanId}`, span);
    const traces = new Set(spans.map(({ traceId }) => traceId));
    if (traces.size >= TRACES_PER_SEARCH) sampled.add(search.service);
  }
  const failures = failuresOf(raw.searches);
  const [failure] = failures;
  if (failure !== undefined && raw.searches.every(({ answer }) => answer.state === 'failed'))
    return failure;
  return {
    slices,
    services: raw.services,
    spans: [...seen.values()],
    sampled,
    blind: [...failures, ...unknownOf(raw), ...leftOutOf(raw)],
  };
}

/** Each reason once. */
function failuresOf(searches: readonly RawSearch[]): readonly BlindSpot[] {
  const failures = new Map<string, BlindSpot>();
  for (const { answer } of searches) {
    if (answer.state === 'seen') continue;
    const { code, says, cure } = answer;
    const error = new DoctorError(isErrorCode(code) ? code : 'INTERNAL', {
      message: says,
      ...(cure === undefined ? {} : { details: { cure } }),
    });
    failures.set(`${code} ${says}`, blindFromError(error));
  }
  return [...failures.values()];
}

function unknownOf({ unknown }: RawTraces): readonly BlindSpot[] {
  if (unknown.length === 0) return [];
  return [
    blindSpot(
      'no-history',
      `Jaeger has no traces of ${unknown.join(', ')}`,
      'check the names of the services, and that they send their spans to this Jaeger',
    ),
  ];
}

function leftOutOf({ leftOut }: RawTraces): readonly BlindSpot[] {
  if (leftOut === 0) return [];
  return [
    blindSpot(
      'truncated',
      `${leftOut} services were left out: more than ${MAX_SERVICES} send spans`,
      'list those that matter under services of this target',
    ),
  ];
}

/** Operation of service; service calls service, where the caller's span is the parent of the called one's. */
function relationsOf(spans: readonly SpanRecord[]): readonly Relation[] {
  const relations = new Map<string, Relation>();
  const byId = new Map(spans.map((span) => [`${span.traceId}/${span.spanId}`, span]));
  for (const span of spans) {
    if (span.kind !== 'server' && span.kind !== 'consumer') continue;
    const to = serviceEntity(span.service);
    relations.set(`${span.service}/${span.name}`, {
      from: operationEntity(span.service, span.name),
      is: 'of',
      to,
    });
    const caller = byId.get(`${span.traceId}/${span.parentSpanId ?? ''}`);
    if (caller === undefined || caller.service === span.service || span.kind !== 'server') continue;
    relations.set(`${caller.service}>${span.service}`, {
      from: serviceEntity(caller.service),
      is: 'calls',
      to,
    });
  }
  return [...relations.values()];
}
