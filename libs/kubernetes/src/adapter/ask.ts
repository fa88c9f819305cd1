import { systemClock, type Clock, type Limit } from '@starr/kernel';
import type { Connection } from './connect.ts';
import type { Gate } from './gate.ts';
import type { HttpAnswer, HttpRequest } from './http.ts';
import { errorFromAnswer, errorFromThrown } from './k8s-error.ts';
import type { Permission } from '../grants/permission.ts';

export interface Ask {
  readonly method?: HttpRequest['method'];
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: string;
  readonly contentType?: string;
  readonly maxBytes?: number;
  readonly signal: AbortSignal;
  /** For people: `list pods in shop`. */
  readonly what: string;
  /** What it is booked as: lists, logs, reads, writes. */
  readonly spends: string;
  readonly permission?: Permission;
  /** Statuses of 400 and above that the caller handles. */
  readonly accepts?: readonly number[];
}

/** One question with everything around it: its turn, the credential, retries. Fails with DoctorError. */
export type Asker = (ask: Ask, limit: Limit) => Promise<HttpAnswer>;

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_ATTEMPTS = 4;
const PAUSE_MS = 250;

/** A connection that was idle may be closed by the server at the moment it is used again. */
const RESET_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

export function createAsker(connection: Connection, gate: Gate, clock: Clock = systemClock): Asker {
  const once = async (ask: Ask, limit: Limit): Promise<HttpAnswer> => {
    limit.spend(ask.spends, 1);
    return gate.through(ask.signal, () =>
      connection.send({
        method: ask.method ?? 'GET',
        path: pathWithQuery(ask),
        maxBytes: ask.maxBytes ?? MAX_BYTES,
        signal: ask.signal,
        ...(ask.body !== undefined && { body: ask.body }),
        ...(ask.contentType !== undefined && { contentType: ask.contentType }),
      }),
    );
  };

  return async (ask, limit) => {
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt === MAX_ATTEMPTS;
      const answer = await once(ask, limit).catch((thrown: unknown) => {
        if (last || !mayAgain(ask, thrown)) throw errorFromThrown(thrown, ask.what);
        return undefined;
      });
      if (!answer) continue;
      if (answer.status < 400 || ask.accepts?.includes(answer.status) === true) return answer;
      if (answer.status === 401 && attempt === 1) {
        connection.forgetCredential();
        continue;
      }
      const pauseMs = pauseBefore(answer, attempt);
      if (pauseMs === undefined || last) throw errorFromAnswer(answer, ask.what, ask.permission);
      await clock.sleep(pauseMs, ask.signal);
      if (ask.signal.aborted) throw errorFromAnswer(answer, ask.what, ask.permission);
    }
  };
}

/** Only a look is asked again after a lost connection: whether a write took place is for the probe to find out. */
function mayAgain(ask: Ask, thrown: unknown): boolean {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : '';
  return (ask.method ?? 'GET') === 'GET' && !ask.signal.aborted && RESET_CODES.has(code);
}

/** 429 and a 503 that names a moment were turned away before anything was done: these may be asked again, writes too. */
function pauseBefore(answer: HttpAnswer, attempt: number): number | undefined {
  const seconds = Number(answer.headers['retry-after']);
  const named = Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
  if (answer.status === 429) return named ?? PAUSE_MS * 2 ** (attempt - 1);
  return answer.status === 503 ? named : undefined;
}

function pathWithQuery({ path, query }: Ask): string {
  const given = Object.entries(query ?? {}).filter(
    (entry): entry is [string, string | number | boolean] => entry[1] !== undefined,
  );
  const text = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return text === '' ? path : `${path}?${text}`;
}
