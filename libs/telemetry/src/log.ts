import { trace } from '@opentelemetry/api';
import { maskText } from '@starr/kernel';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One JSON line an event on stderr, masked, with the trace it belongs to. stdout stays for what people asked for. */
export interface Log {
  log(level: LogLevel, message: string, fields?: LogFields): void;
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export function createLog(
  service: string,
  minimum: LogLevel = 'info',
  write = (line: string) => void process.stderr.write(line),
): Log {
  return {
    log(level, message, fields = {}) {
      if (RANK[level] < RANK[minimum]) return;
      const span = trace.getActiveSpan()?.spanContext();
      const masked = Object.entries(fields).map(
        ([key, value]) => [key, typeof value === 'string' ? maskText(value) : value] as const,
      );
      const line = {
        time: new Date().toISOString(),
        level,
        service,
        msg: maskText(message),
        ...Object.fromEntries(masked),
        trace_id: span?.traceId,
      };
      write(`${JSON.stringify(line)}\n`);
    },
  };
}
