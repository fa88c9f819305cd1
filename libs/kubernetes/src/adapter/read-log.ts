import { maskText, type Limit } from '@starr/kernel';
import type { Asker } from './ask.ts';
import type { HttpAnswer } from './http.ts';
import { pathOf, permissionOf, RESOURCES } from './resources.ts';

export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
  /** Absent: from the start of the container. */
  readonly sinceSeconds?: number;
  /** Newest lines; at least 1. */
  readonly tailLines: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface LogText {
  /** Masked, each with its time stamp in front, oldest first. */
  readonly lines: readonly string[];
  /** Older lines were left out. */
  readonly startsLate: boolean;
  /** Newer lines were left out: the bytes were used up. */
  readonly endsEarly: boolean;
}

/**
 * The newest lines of one container. The server's own limit on bytes keeps the oldest lines of the tail, so that the newest,
 * which matter, are cut off: then it is asked again for as many lines as fit. Undefined: the container has no log (400, 404).
 * Fails with DoctorError.
 */
export async function readLog(
  ask: Asker,
  request: LogRequest,
  limit: Limit,
): Promise<LogText | undefined> {
  const first = await fetchLog(ask, request, request.tailLines, limit);
  if (!first) return undefined;
  if (!first.cut) return textOf(first, request.tailLines);
  const fitting = Math.max(1, Math.floor(completeLines(first).length * 0.8));
  const second = await fetchLog(ask, request, fitting, limit);
  return textOf(second ?? first, fitting);
}

async function fetchLog(
  ask: Asker,
  request: LogRequest,
  tailLines: number,
  limit: Limit,
): Promise<HttpAnswer | undefined> {
  const { namespace, pod, container, previous, sinceSeconds, maxBytes, signal } = request;
  const answer = await ask(
    {
      path: `${pathOf(RESOURCES.pods, namespace, pod)}/log`,
      query: {
        container,
        timestamps: true,
        tailLines,
        limitBytes: maxBytes,
        previous: previous || undefined,
        sinceSeconds,
      },
      maxBytes,
      signal,
      what: `log of ${namespace}/${pod}, container ${container}`,
      spends: 'logs',
      permission: permissionOf('get', RESOURCES.pods, namespace, 'log'),
      accepts: [400, 404],
    },
    limit,
  );
  if (answer.status >= 400) return undefined;
  return { ...answer, cut: answer.cut || answer.bytes >= maxBytes };
}

function textOf(answer: HttpAnswer, tailLines: number): LogText {
  const lines = completeLines(answer);
  return { lines: maskLines(lines), startsLate: lines.length >= tailLines, endsEarly: answer.cut };
}

function completeLines({ text, cut }: HttpAnswer): string[] {
  const lines = text.split('\n');
  if (cut || lines.at(-1) === '') lines.pop();
  return lines;
}

const KEY_BEGINS = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const KEY_ENDS = /-----END [A-Z ]*PRIVATE KEY-----/;
/** A key has some fifty lines; one whose end never comes must not hide the rest of the log. */
const MAX_KEY_LINES = 120;

/** Line by line, so that no mask reaches over a time stamp; only a private key goes over several lines. */
export function maskLines(lines: readonly string[]): string[] {
  let keyLines = 0;
  return lines.map((line) => {
    const stampEnd = line.indexOf(' ') + 1;
    const stamp = line.slice(0, stampEnd);
    const text = line.slice(stampEnd);
    if (keyLines > 0) {
      keyLines = KEY_ENDS.test(text) || keyLines > MAX_KEY_LINES ? 0 : keyLines + 1;
      return `${stamp}***`;
    }
    if (KEY_BEGINS.test(text) && !KEY_ENDS.test(text)) keyLines = 1;
    return stamp + maskText(text);
  });
}
