import { DoctorError, isDoctorError, maskText } from '@starr/kernel';

/** Any value thrown by a request, as one of our errors. Each branch is met in create-jaeger-adapter.spec.ts. */
export function jaegerErrorFrom(thrown: unknown, where: string, timeoutMs: number): DoctorError {
  if (isDoctorError(thrown)) return thrown;
  const name = nameOf(thrown);
  if (name === 'TimeoutError')
    return new DoctorError('EVIDENCE_TIMEOUT', {
      message: `${where}: no answer within ${timeoutMs} ms`,
      cause: thrown,
      details: { cure: 'look at the Jaeger process and its storage: stopped, or searching slowly' },
    });
  if (name === 'AbortError') return new DoctorError('WIRE_CANCELLED', { cause: thrown });
  const code = socketCodeOf(thrown);
  if (code !== undefined)
    return new DoctorError('TARGET_UNREACHABLE', {
      message: `${where}: ${SOCKET_SAYS[code] ?? `no connection (${code})`}`,
      cause: thrown,
      details: { cure: `check that Jaeger runs and that ${where} is its query API` },
    });
  return new DoctorError('INTERNAL', { cause: thrown });
}

const SOCKET_SAYS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  UND_ERR_SOCKET: 'the connection was closed before the answer',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
};

/** An answer that is none: HTML from a page, a proxy or the UI's catch-all, whatever its status. */
export function notTheApi(where: string): DoctorError {
  return new DoctorError('TARGET_UNSUPPORTED', {
    message: `${where}: answers with a web page, not with the query API`,
    details: {
      cure: 'give the address of the query API with its base path (port 16686 by default), not that of a proxy or of another program',
    },
  });
}

/** An HTTP status that is no answer to the question. */
export function errorFromStatus(status: number, body: string, where: string): DoctorError {
  const says = `${where}: HTTP ${status}${reasonIn(body)}`;
  switch (true) {
    case status === 401 || status === 403:
      return new DoctorError('TARGET_DENIED', {
        message: says,
        details: { cure: 'let this host through to the query API without a login' },
      });
    case status === 429 || status === 502 || status === 503 || status === 504:
      return new DoctorError('TARGET_BUSY', { message: says });
    case status === 404:
      return new DoctorError('TARGET_UNSUPPORTED', { message: says });
    default:
      return new DoctorError('EVIDENCE_MALFORMED', { message: says });
  }
}

/** `{"error":{"httpCode":500,"message":"…"}}`. */
function reasonIn(body: string): string {
  const reason = /"message"\s*:\s*"((?:[^"\\]|\\.){1,200})/.exec(body)?.[1];
  return reason === undefined ? '' : `, ${maskText(reason)}`;
}

function nameOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'name' in thrown
    ? String(thrown.name)
    : '';
}

/** fetch hides the reason in the cause, and in several attempts' errors there. */
function socketCodeOf(thrown: unknown): string | undefined {
  for (let at = thrown, depth = 0; depth < 4; depth += 1) {
    if (typeof at !== 'object' || at === null) return undefined;
    if ('code' in at && typeof at.code === 'string' && /^(E[A-Z_]+|UND_ERR_\w+)$/.test(at.code))
      return at.code;
    at = 'cause' in at ? at.cause : undefined;
  }
  return undefined;
}
