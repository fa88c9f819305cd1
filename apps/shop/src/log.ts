import { trace } from '@opentelemetry/api';

type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Readonly<Record<string, unknown>>;

/** One JSON object a line: time, level, msg, trace_id and span_id where there is a span, then the fields. */
export type Log = Readonly<Record<Level, (msg: string, fields?: Fields) => void>>;

export function createLog(always: Fields, write: (line: string) => void): Log {
  const at =
    (level: Level) =>
    (msg: string, fields: Fields = {}): void => {
      const span = trace.getActiveSpan()?.spanContext();
      const ids = span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
      const time = new Date().toISOString();
      write(`${JSON.stringify({ time, level, msg, ...ids, ...always, ...fields })}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** What of an error goes into a log line: its text and its code, never its stack or its parameters. */
export function errorFields(error: unknown): { readonly err?: string; readonly code?: string } {
  if (typeof error !== 'object' || error === null) return { err: String(error) };
  const { message, code, cause } = error as { message?: unknown; code?: unknown; cause?: unknown };
  return {
    // fetch says "fetch failed" and leaves the reason to its cause, which may have a code alone
    ...(typeof cause === 'object' && cause !== null ? errorFields(cause) : {}),
    ...(typeof message === 'string' && message !== '' ? { err: message } : {}),
    ...(typeof code === 'string' ? { code } : {}),
  };
}
