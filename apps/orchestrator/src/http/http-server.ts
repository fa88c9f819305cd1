import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DoctorError, toDoctorError } from '@starr/kernel';
import type { Log } from '@starr/telemetry';

export interface HttpReply {
  readonly status: number;
  /** Default text/plain. */
  readonly type?: 'text/plain' | 'text/markdown' | 'application/json';
  readonly body: string;
}

export interface HttpRoute {
  readonly method: 'GET' | 'POST';
  /** Matched against the whole path; its groups go to `handle`. */
  readonly path: RegExp;
  /** Without a credential; only what tells nothing of a patient. */
  readonly isOpen: boolean;
  handle(groups: readonly string[], body: string): Promise<HttpReply>;
}

export interface HttpServing {
  readonly port: number;
  stop(): Promise<void>;
}

const MOST_BODY_BYTES = 1024 * 1024;
const REQUEST_WITHIN_MS = 10_000;

/** A small HTTP server on loopback. A route that is not open needs the token as a bearer. */
export async function serveHttp(options: {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly token: string;
  readonly routes: readonly HttpRoute[];
  readonly log: Log;
}): Promise<HttpServing> {
  const server = createServer({ requestTimeout: REQUEST_WITHIN_MS }, (request, response) => {
    replyTo(request, options).then(
      (reply) => {
        send(response, reply);
      },
      (thrown: unknown) => {
        send(response, trouble(thrown, options.log));
      },
    );
  });
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function replyTo(
  request: IncomingMessage,
  { routes, token }: { readonly routes: readonly HttpRoute[]; readonly token: string },
): Promise<HttpReply> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const known = routes.flatMap((route) => {
    const match = route.path.exec(path);
    return match ? [{ route, groups: match.slice(1) }] : [];
  });
  const chosen = known.find(({ route }) => route.method === request.method);
  if (chosen?.route.isOpen !== true && !hasToken(request, token))
    return { status: 401, body: 'a bearer token is needed: that of starr up\n' };
  if (chosen === undefined)
    return known.length > 0
      ? { status: 405, body: `allowed: ${known.map(({ route }) => route.method).join(', ')}\n` }
      : { status: 404, body: 'not here\n' };
  const body = request.method === 'POST' ? await readBody(request) : '';
  if (body === undefined) return { status: 413, body: `at most ${MOST_BODY_BYTES} bytes\n` };
  return chosen.route.handle(chosen.groups, body);
}

function hasToken({ headers }: IncomingMessage, token: string): boolean {
  const given = /^bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

/** Undefined: too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MOST_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const STATUS_OF: Readonly<Partial<Record<DoctorError['code'], number>>> = {
  INCIDENT_UNKNOWN: 404,
  WIRE_INVALID: 400,
  STORE_UNAVAILABLE: 503,
};

function trouble(thrown: unknown, log: Log): HttpReply {
  const error = toDoctorError(thrown);
  const status = STATUS_OF[error.code] ?? 500;
  if (status !== 500) return { status, body: `${error.rawMessage}\n` };
  log.log('error', 'an HTTP request failed', { code: error.code, error: error.rawMessage });
  return { status, body: 'Something went wrong inside Starr.\n' };
}

function send(response: ServerResponse, { status, type = 'text/plain', body }: HttpReply): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 413 && { connection: 'close' }),
  });
  response.end(body);
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new DoctorError('CONFIG_INVALID', {
          message: `cannot listen on ${host}:${port}: ${cause.message}`,
          cause,
          details: { field: 'listen.http' },
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}
