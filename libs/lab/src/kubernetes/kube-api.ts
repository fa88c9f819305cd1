import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';

/** What the API server said, whatever it said: a refusal is an answer too. */
export interface KubeAnswer<T = unknown> {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: T;
}

type PatchKind = 'merge' | 'json' | 'strategic';

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  /** How the body of a PATCH is meant; `merge` when absent. */
  readonly patch?: PatchKind;
  /** Until the whole answer is there; 30 s when absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * The smallest client that the lab needs: JSON in, JSON out, lines of a stream. It judges nothing and
 * repeats nothing, so that a test sees exactly what the server answered.
 */
export interface KubeApi {
  /** Any status resolves; only a failed connection, or a TimeoutError, rejects. */
  send<T = unknown>(request: KubeRequest): Promise<KubeAnswer<T>>;
  /** Like `send`, and rejects with the server's words when the status is 400 or above. */
  ask<T = unknown>(request: KubeRequest): Promise<T>;
  /** The lines of a long answer (a watch, a followed log), until it ends or the signal aborts. */
  lines(path: string, signal: AbortSignal): AsyncGenerator<string, void>;
  close(): void;
}

export interface KubeAccess {
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
}

const PATCH_TYPE: Record<PatchKind, string> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

/** A log is text, and so is the answer of a throttled or half-dead server. */
const parsed = (text: string, type = ''): unknown => {
  if (!type.startsWith('application/json')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

const bodyOf = async (response: IncomingMessage): Promise<unknown> => {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return parsed(text, response.headers['content-type']);
};

const wordsOf = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'message' in body
    ? String(body.message)
    : JSON.stringify(body);

/** Not readline: its iterator swallows the error of a connection that broke, and then waits for ever. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const pieces = (rest + String(chunk)).split('\n');
    rest = pieces.pop() ?? '';
    yield* pieces;
  }
  if (rest !== '') yield rest;
}

type Open = (request: KubeRequest) => Promise<IncomingMessage>;

/** One exchange, as soon as the answer begins. */
const opener =
  (access: KubeAccess, agent: Agent): Open =>
  (request) =>
    new Promise((resolve, reject) => {
      const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
      const type =
        request.method === 'PATCH' ? PATCH_TYPE[request.patch ?? 'merge'] : 'application/json';
      const outgoing = httpsRequest(
        new URL(request.path, access.url),
        {
          agent,
          method: request.method,
          headers: {
            authorization: `Bearer ${access.token}`,
            accept: 'application/json',
            // always said: without it a DELETE with a body is answered with 400
            ...(payload === undefined
              ? {}
              : { 'content-type': type, 'content-length': Buffer.byteLength(payload) }),
          },
          ...(request.signal ? { signal: request.signal } : {}),
        },
        resolve,
      );
      outgoing.on('error', reject);
      outgoing.end(payload);
    });

export const createKubeApi = (access: KubeAccess): KubeApi => {
  const agent = new Agent({ keepAlive: true, ca: access.caPem, maxSockets: 64 });
  const open = opener(access, agent);

  const send = async <T>(request: KubeRequest): Promise<KubeAnswer<T>> => {
    const limit = AbortSignal.timeout(request.timeoutMs ?? 30_000);
    const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit;
    try {
      const response = await open({ ...request, signal });
      const body = await bodyOf(response);
      return { status: response.statusCode ?? 0, headers: response.headers, body: body as T };
    } catch (error) {
      limit.throwIfAborted(); // Node calls it aborted, whoever aborted it
      throw error;
    }
  };

  return {
    send,
    async ask<T>(request: KubeRequest): Promise<T> {
      const answer = await send<T>(request);
      if (answer.status >= 400) {
        throw new Error(
          `${request.method} ${request.path}: ${answer.status} ${wordsOf(answer.body)}`,
        );
      }
      return answer.body;
    },
    async *lines(path, signal) {
      const response = await open({ method: 'GET', path, signal });
      if ((response.statusCode ?? 0) >= 400) {
        throw new Error(
          `GET ${path}: ${response.statusCode ?? 0} ${wordsOf(await bodyOf(response))}`,
        );
      }
      yield* linesOf(response);
    },
    close: () => {
      agent.destroy();
    },
  };
};
