import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Agent } from 'node:http';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** With its query. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  /** What came by then is kept and the rest is not read. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly bytes: number;
  /** The answer was longer than `maxBytes`. */
  readonly cut: boolean;
}

export interface HttpTarget {
  readonly server: URL;
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
}

/** One request, whatever the status. Rejects when the connection fails or the signal aborts. */
export async function exchange(target: HttpTarget, request: HttpRequest): Promise<HttpAnswer> {
  const response = await open(target, request);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > request.maxBytes) break; // leaving the loop destroys the stream and its socket
  }
  return {
    status: response.statusCode ?? 0,
    headers: headersOf(response),
    text: Buffer.concat(chunks).subarray(0, request.maxBytes).toString('utf8'),
    bytes,
    cut: bytes > request.maxBytes,
  };
}

function open(target: HttpTarget, request: HttpRequest): Promise<IncomingMessage> {
  const send = target.server.protocol === 'http:' ? httpRequest : httpsRequest;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      urlOf(target.server, request.path),
      {
        method: request.method,
        agent: target.agent,
        signal: request.signal,
        headers: {
          accept: 'application/json',
          ...target.headers,
          // without its length a body is chunked, which the API server refuses for some verbs
          ...(request.body !== undefined && {
            'content-type': request.contentType ?? 'application/json',
            'content-length': Buffer.byteLength(request.body),
          }),
        },
      },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.end(request.body);
  });
}

/** A server may live below a path (Rancher, a proxy): it stays in front. */
function urlOf(server: URL, path: string): URL {
  const base = server.pathname.endsWith('/') ? server.pathname.slice(0, -1) : server.pathname;
  return new URL(`${base}${path}`, server.origin);
}

function headersOf(response: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
  );
}
