import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Attributes,
  SpanKind,
  SpanStatusCode,
  context,
  propagation,
  trace,
} from '@opentelemetry/api';
import { type Log, errorFields } from './log.ts';

const MAX_BODY_BYTES = 64 * 1024;
const STOP_WITHIN_MS = 2000;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Gets the parsed JSON body, undefined when there was none. */
type Handler = (body: unknown) => Promise<Answer> | Answer;

/** By method and path, e.g. `POST /checkout`. */
export type Routes = Readonly<Record<string, Handler>>;

export interface HttpServer {
  /** e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no more requests and waits for those in flight, at most two seconds. */
  stop(): Promise<void>;
}

/** Serves JSON over HTTP, each request in a server span that continues its caller's trace and has the attributes `always`. */
export async function serve(
  host: string,
  port: number,
  routes: Routes,
  log: Log,
  always: Attributes = {},
): Promise<HttpServer> {
  const server = createServer((request, response) => {
    void answer(request, response, { routes, log, always });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${host}:${bound}`,
    stop: () =>
      new Promise((resolve) => {
        const late = setTimeout(() => {
          server.closeAllConnections();
        }, STOP_WITHIN_MS);
        server.close(() => {
          clearTimeout(late);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

interface Serving {
  readonly routes: Routes;
  readonly log: Log;
  readonly always: Attributes;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { routes, log, always }: Serving,
): Promise<void> {
  const path = (request.url ?? '/').replace(/\?.*$/, '');
  const key = `${request.method ?? 'GET'} ${path}`;
  const handler = Object.hasOwn(routes, key) ? routes[key] : undefined;
  const quiet = path === '/healthz' || path === '/state'; // probes are no users
  const span = trace.getTracer('shop').startSpan(
    handler === undefined ? (request.method ?? 'GET') : key,
    {
      kind: SpanKind.SERVER,
      attributes: { ...always, 'http.request.method': request.method ?? 'GET', 'url.path': path },
      root: quiet,
    },
    propagation.extract(context.active(), request.headers),
  );
  const result = await context.with(trace.setSpan(context.active(), span), () =>
    handled(request, handler, log),
  );
  span.setAttribute('http.response.status_code', result.status);
  if (result.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
  const body = JSON.stringify(result.body);
  response.writeHead(result.status, { 'content-type': 'application/json' });
  response.end(body);
}

async function handled(
  request: IncomingMessage,
  handler: Handler | undefined,
  log: Log,
): Promise<Answer> {
  if (handler === undefined) return { status: 404, body: { error: 'no such path' } };
  try {
    return await handler(await bodyOf(request));
  } catch (error) {
    if (error instanceof BadRequest) return { status: 400, body: { error: error.message } };
    log.error('request failed', errorFields(error));
    return { status: 500, body: { error: 'internal' } };
  }
}

/** Thrown by a handler whose input is not usable. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BODY_BYTES)
      throw new BadRequest(`the body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (sizeBytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new BadRequest('the body is not JSON');
  }
}
