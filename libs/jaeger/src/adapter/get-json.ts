import { DoctorError, type Limit } from '@starr/kernel';
import { DEFAULT_MAX_BYTES, type JaegerConfig } from './jaeger-config.ts';
import { errorFromStatus, jaegerErrorFrom, notTheApi } from './jaeger-error.ts';

/** Asks one path of the query API. */
export interface JaegerClient {
  /** host:port, for errors. */
  readonly where: string;
  /** The body, or `absent` where the server has no such thing (404). Fails with DoctorError. */
  get(path: string, query?: Readonly<Record<string, string>>): Promise<JaegerAnswer>;
}

export type JaegerAnswer =
  | { readonly state: 'seen'; readonly body: unknown; readonly date: Date | undefined }
  | { readonly state: 'absent' };

/** All requests together have the limit's time. Fails with CONFIG_INVALID when the url is none. */
export function createClient(config: JaegerConfig, limit: Limit): JaegerClient {
  const base = URL.parse(config.url);
  if (base === null || !/^https?:$/.test(base.protocol))
    throw new DoctorError('CONFIG_INVALID', {
      message: 'url: expected http://host:port or https://host:port',
      details: { field: 'url', allowed: 'http://host:port, https://host:port' },
    });
  const signal = AbortSignal.any([limit.signal, AbortSignal.timeout(limit.timeoutMs)]);
  const where = base.host;
  return {
    where,
    async get(path, query = {}) {
      limit.spend('requests', 1);
      const url = new URL(`${base.pathname.replace(/\/$/, '')}${path}`, base);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      try {
        const response = await fetch(url, { signal, headers: { accept: 'application/json' } });
        const text = await bodyOf(response, config.maxBytes ?? DEFAULT_MAX_BYTES, where);
        return answerFrom(response, text, where);
      } catch (thrown) {
        throw jaegerErrorFrom(thrown, where, limit.timeoutMs);
      }
    },
  };
}

/** Jaeger says text/plain of its JSON, so that only a page is told by its type; the rest by trying. */
function answerFrom(response: Response, text: string, where: string): JaegerAnswer {
  if (/\bhtml\b/i.test(response.headers.get('content-type') ?? '') || /^\s*</.test(text)) {
    if (response.status === 404) return { state: 'absent' };
    throw response.ok ? notTheApi(where) : errorFromStatus(response.status, '', where);
  }
  if (response.status === 404) return { state: 'absent' };
  if (!response.ok) throw errorFromStatus(response.status, text, where);
  try {
    const body: unknown = JSON.parse(text);
    return { state: 'seen', body, date: dateOf(response) };
  } catch (cause) {
    throw new DoctorError('EVIDENCE_MALFORMED', {
      message: `${where}: the answer is no JSON`,
      cause,
    });
  }
}

/** In chunks, so that an answer of any size costs a bounded memory. */
async function bodyOf(response: Response, maxBytes: number, where: string): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let [text, bytes] = ['', 0];
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes)
      throw new DoctorError('EVIDENCE_TRUNCATED', {
        message: `${where}: an answer is larger than ${Math.round(maxBytes / 1024)} KiB`,
        details: { cure: 'list the services that matter under services of this target' },
      });
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function dateOf(response: Response): Date | undefined {
  const date = new Date(response.headers.get('date') ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date;
}
