/** One line of a container as people and judges need it. */
export interface LogLine {
  readonly at: Date;
  readonly level: LogLevel;
  /** What was said, without time and level where the format sets them apart. Masked already. */
  readonly text: string;
  /** The type of an error where the format names it. */
  readonly error?: string;
  readonly traceId?: string;
}

export type LogLevel = 'error' | 'warning' | 'other';

const STAMPED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?/;
/** Beyond this a line is data, not a message. Loki's pattern ingester leaves lines above 3,000 bytes out altogether. */
const MAX_TEXT = 2000;

/** A line with the kubelet's time stamp in front. Undefined: it has none, so it is the rest of another line. */
export function parseLogLine(line: string): LogLine | undefined {
  const stamp = STAMPED.exec(line);
  if (!stamp?.[1]) return undefined;
  const at = new Date(stamp[1]);
  if (Number.isNaN(at.getTime())) return undefined;
  const text = line.slice(stamp[0].length, stamp[0].length + MAX_TEXT * 4).trim();
  return { at, ...((text.startsWith('{') ? jsonLine(text) : undefined) ?? plainLine(text)) };
}

type Said = Omit<LogLine, 'at'>;

function jsonLine(text: string): Said | undefined {
  const record = objectFrom(text);
  if (!record) return undefined;
  const message = firstText(record, ['msg', 'message', 'event', 'log', '@message', 'body']);
  const thrown = errorFrom(record['err'] ?? record['error'] ?? record['exception']);
  const said = message ?? thrown.text ?? text;
  const both =
    thrown.text !== undefined && !said.includes(thrown.text) ? `${said}: ${thrown.text}` : said;
  const level = ['level', 'severity', 'lvl', 'severity_text', 'log.level']
    .map((name) => record[name])
    .find((value) => value !== undefined);
  const traceId = firstText(record, ['trace_id', 'traceId', 'traceid', 'trace.id']);
  return {
    level: levelFrom(level ?? nested(record['log'], 'level')) ?? wordLevel(both),
    text: both.slice(0, MAX_TEXT),
    ...(thrown.type !== undefined && { error: thrown.type }),
    ...(traceId !== undefined && { traceId }),
  };
}

function plainLine(text: string): Said {
  // logfmt, or JSON that was cut
  const logfmt = /(?:^|[\s{,])"?(?:level|lvl|severity)"?[=:]"?([A-Za-z]+)"?(?=[\s,]|$)/.exec(text);
  const message = /(?:^|\s)(?:msg|message)="((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  const thrown = /(?:^|\s)(?:err|error)="((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  const level = levelFrom(logfmt?.[1]) ?? klogLevel(text) ?? wordLevel(text);
  if (logfmt && message !== undefined) {
    return { level, text: (thrown ? `${message}: ${thrown}` : message).slice(0, MAX_TEXT) };
  }
  return { level, text: text.slice(0, MAX_TEXT) };
}

function objectFrom(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null
      ? (parsed as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined; // cut, or not JSON at all: read as plain text
  }
}

function firstText(
  record: Readonly<Record<string, unknown>>,
  names: readonly string[],
): string | undefined {
  return names
    .map((name) => record[name])
    .find((v): v is string => typeof v === 'string' && v !== '');
}

function nested(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function errorFrom(value: unknown): { text?: string; type?: string } {
  if (typeof value === 'string' && value !== '') return { text: value };
  const [text, type] = [
    nested(value, 'message') ?? nested(value, 'msg'),
    nested(value, 'type') ?? nested(value, 'name'),
  ];
  return {
    ...(typeof text === 'string' && { text }),
    ...(typeof type === 'string' && { type }),
  };
}

/** Words of the usual loggers, pino's and bunyan's numbers (50 error), syslog's severities as text. */
function levelFrom(value: unknown): LogLevel | undefined {
  if (typeof value === 'number') return value >= 50 ? 'error' : value >= 40 ? 'warning' : 'other';
  if (typeof value !== 'string') return undefined;
  const word = value.toLowerCase();
  if (/^(?:err|error|fatal|crit|critical|alert|emerg|emergency|panic|severe|e|f)$/.test(word))
    return 'error';
  if (/^(?:warn|warning|w)$/.test(word)) return 'warning';
  return /^\d+$/.test(word) ? levelFrom(Number(word)) : 'other';
}

/** klog: `E0102 03:04:05.678901 …`. */
function klogLevel(text: string): LogLevel | undefined {
  const letter = /^([EFWI])\d{4} \d\d:\d\d:\d\d\./.exec(text)?.[1];
  return letter === undefined ? undefined : levelFrom(letter === 'I' ? 'info' : letter);
}

/** Without a field for it only words tell. "0 errors" and the frames of a stack trace are none. */
function wordLevel(text: string): LogLevel {
  if (/^at\s/.test(text)) return 'other';
  if (/\b(?:ERROR|FATAL|CRITICAL|PANIC|SEVERE)\b/.test(text)) return 'error';
  if (/^(?:uncaught\s+)?(?:error|fatal|panic|exception)\b/i.test(text)) return 'error';
  if (/\b[A-Z]\w*(?:Error|Exception)\b/.test(text)) return 'error';
  return /\bWARN(?:ING)?\b/.test(text) ? 'warning' : 'other';
}
