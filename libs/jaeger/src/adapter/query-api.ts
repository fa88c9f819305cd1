import { DoctorError, isDoctorError } from '@starr/kernel';
import type { Slice } from '../request.ts';
import type { JaegerClient } from './get-json.ts';
import { notTheApi } from './jaeger-error.ts';
import { otlpFromV1 } from './otlp-from-v1.ts';

/** The query API that a server speaks: v3 (OTLP), on old servers v1. */
export interface QueryApi {
  readonly version: 'v3' | 'v1';
  /** By the server's clock, to the second. Absent: it does not say. */
  readonly date: Date | undefined;
  /** As of the moment when the API was found out. */
  readonly services: readonly string[];
  /** `resourceSpans` of the newest traces with a span of the service that began in the slice. */
  search(service: string, slice: Slice, depth: number): Promise<readonly unknown[]>;
  /** Undefined: there is no such trace. */
  trace(traceId: string): Promise<readonly unknown[] | undefined>;
}

/** Old servers do not know v3: they answer 404, or with the page that they answer everything unknown with. */
export async function findQueryApi(client: JaegerClient): Promise<QueryApi> {
  const v3 = await servicesOf(client, '/api/v3/services', 'services');
  if (v3 !== undefined) return { version: 'v3', ...v3, ...v3Api(client) };
  const v1 = await servicesOf(client, '/api/services', 'data');
  if (v1 !== undefined) return { version: 'v1', ...v1, ...v1Api(client) };
  throw notTheApi(client.where);
}

async function servicesOf(
  client: JaegerClient,
  path: string,
  field: string,
): Promise<Pick<QueryApi, 'services' | 'date'> | undefined> {
  try {
    const answer = await client.get(path);
    if (answer.state === 'absent') return undefined;
    const services = listIn(answer.body, field);
    return services && { services, date: answer.date };
  } catch (thrown) {
    if (isDoctorError(thrown) && thrown.code === 'TARGET_UNSUPPORTED') return undefined;
    throw thrown;
  }
}

/** Without any service Jaeger says null, or nothing at all: an empty object. Everything else is another program. */
function listIn(body: unknown, field: string): readonly string[] | undefined {
  const list = member(body, field);
  if (Array.isArray(list)) return list.filter((one) => typeof one === 'string');
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  return list === null || Object.keys(body).length === 0 ? [] : undefined;
}

function v3Api(client: JaegerClient): Pick<QueryApi, 'search' | 'trace'> {
  return {
    async search(service, { fromMs, toMs }, depth) {
      const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
      const answer = await client.get('/api/v3/traces', {
        // The names of today, and those that older servers know alone.
        'query.serviceName': service,
        'query.service_name': service,
        'query.startTimeMin': from,
        'query.start_time_min': from,
        'query.startTimeMax': to,
        'query.start_time_max': to,
        'query.searchDepth': String(depth),
        'query.num_traces': String(depth),
        'query.rawTraces': 'true',
        'query.raw_traces': 'true',
      });
      return answer.state === 'absent' ? [] : resourceSpansIn(answer.body, client.where);
    },
    async trace(traceId) {
      const answer = await client.get(`/api/v3/traces/${traceId}`);
      return answer.state === 'absent' ? undefined : resourceSpansIn(answer.body, client.where);
    },
  };
}

/** All traces concatenated in one `result`. */
function resourceSpansIn(body: unknown, where: string): readonly unknown[] {
  const spans = member(member(body, 'result'), 'resourceSpans');
  if (Array.isArray(spans)) return spans;
  throw new DoctorError('EVIDENCE_MALFORMED', {
    message: `${where}: the answer holds no result.resourceSpans`,
  });
}

/** Times in microseconds. */
function v1Api(client: JaegerClient): Pick<QueryApi, 'search' | 'trace'> {
  return {
    async search(service, { fromMs, toMs }, depth) {
      const answer = await client.get('/api/traces', {
        service,
        start: String(Math.trunc(fromMs * 1000)),
        end: String(Math.trunc(toMs * 1000)),
        limit: String(depth),
      });
      return answer.state === 'absent' ? [] : otlpFromV1(answer.body);
    },
    async trace(traceId) {
      const answer = await client.get(`/api/traces/${traceId}`);
      return answer.state === 'absent' ? undefined : otlpFromV1(answer.body);
    },
  };
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
