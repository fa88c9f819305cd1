import type { Readable } from 'node:stream';

const KEPT_LINES = 200;
const DEFAULT_MAX_LINE_CHARS = 4096;

export type OutputStream = 'stdout' | 'stderr';
export type OnLine = (line: string, stream: OutputStream) => void;

/** The last lines a process printed, both streams in order of arrival, bounded in number and in length. */
export interface OutputTail {
  readonly lines: readonly string[];
  /** Calls back for every further line until the returned function is called. */
  subscribe(onLine: OnLine): () => void;
}

/** Starts reading both streams; memory stays bounded however much the process prints. */
export function createOutputTail(
  streams: Readonly<Record<OutputStream, Readable | null>>,
  maxLineChars = DEFAULT_MAX_LINE_CHARS,
): OutputTail {
  const lines: string[] = [];
  const subscribers = new Set<OnLine>();
  const take = (line: string, stream: OutputStream): void => {
    const kept = line.slice(0, maxLineChars);
    lines.push(kept);
    if (lines.length > KEPT_LINES) lines.shift();
    for (const subscriber of [...subscribers]) subscriber(kept, stream);
  };
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = streams[name];
    if (stream !== null)
      readLines(stream, maxLineChars, (line) => {
        take(line, name);
      });
  }
  return {
    lines,
    subscribe(onLine) {
      subscribers.add(onLine);
      return () => subscribers.delete(onLine);
    },
  };
}

function readLines(stream: Readable, maxLineChars: number, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) onLine(line);
    if (rest.length > maxLineChars) {
      onLine(rest);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
    rest = '';
  });
  // A reader whose peer was killed may see ECONNRESET; the exit event tells the story.
  stream.on('error', () => undefined);
}
