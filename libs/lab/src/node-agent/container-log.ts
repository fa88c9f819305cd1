import { EventEmitter, once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What `kubectl logs` may ask of a kubelet. */
export interface LogQuery {
  readonly follow: boolean;
  /** The last so many lines; all when absent. 0: none. */
  readonly tailLines?: number;
  /** Only lines at or after this moment. */
  readonly since?: Date;
  readonly timestamps: boolean;
  /** The answer ends after so many bytes, in the middle of a line if need be; unlimited when absent. */
  readonly limitBytes?: number;
}

/** The log of one run of one container, in a file of CRI lines: `<time> <stream> F <text>`. */
export interface ContainerLog {
  append(stream: 'stdout' | 'stderr', line: string): void;
  /** The run is over: followers end when they have read the rest. */
  close(): Promise<void>;
  read(query: LogQuery, signal: AbortSignal): AsyncGenerator<Buffer, void>;
  remove(): Promise<void>;
}

const NEWLINE = 0x0a;
const CHUNK_BYTES = 64 * 1024;

/** RFC 3339 with nanoseconds, as a container runtime stamps; the clock gives microseconds. */
const stamp = (): string => {
  const now = performance.timeOrigin + performance.now();
  const whole = Math.floor(now);
  const micros = String(Math.floor((now - whole) * 1000)).padStart(3, '0');
  return `${new Date(whole).toISOString().slice(0, -1)}${micros}000Z`;
};

/** Where the last `count` lines of a file begin. */
const tailStart = async (file: FileHandle, count: number): Promise<number> => {
  const { size } = await file.stat();
  const block = Buffer.alloc(CHUNK_BYTES);
  let found = -1; // the newline that ends the last line does not begin another
  for (let end = size; end > 0; end -= CHUNK_BYTES) {
    const start = Math.max(0, end - CHUNK_BYTES);
    await file.read(block, 0, end - start, start);
    for (let at = end - start - 1; at >= 0; at -= 1) {
      if (block[at] !== NEWLINE) continue;
      found += 1;
      if (found === count) return start + at + 1;
    }
  }
  return 0;
};

const shown = (line: string, query: LogQuery): string | undefined => {
  const space = line.indexOf(' ');
  const at = line.slice(0, space);
  if (query.since && Date.parse(at) < query.since.getTime()) return undefined;
  const message = line.slice(line.indexOf(' F ') + 3);
  return query.timestamps ? `${at} ${message}\n` : `${message}\n`;
};

interface Growth {
  readonly isOver: () => boolean;
  /** Rises with each write. */
  readonly version: () => number;
  /** Resolves when the version is no longer the one given, or the signal aborts. */
  readonly past: (version: number, signal: AbortSignal) => Promise<void>;
}

/** Whole lines from `start` on; waits for more where the run goes on and the reader follows. */
async function* linesFrom(
  file: FileHandle,
  start: number,
  growth: Growth | undefined,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const block = Buffer.alloc(CHUNK_BYTES);
  let offset = start;
  let rest: Buffer = Buffer.alloc(0);
  while (!signal.aborted) {
    // asked before reading: what was written before the end is then read for certain
    const over = growth === undefined || growth.isOver();
    const version = growth?.version() ?? 0;
    const { bytesRead } = await file.read(block, 0, CHUNK_BYTES, offset);
    if (bytesRead === 0) {
      if (over) return;
      await growth.past(version, signal);
      continue;
    }
    offset += bytesRead;
    const data = Buffer.concat([rest, block.subarray(0, bytesRead)]);
    const end = data.lastIndexOf(NEWLINE);
    rest = Buffer.from(data.subarray(end + 1));
    if (end >= 0) yield* data.subarray(0, end).toString('utf8').split('\n');
  }
}

export const createContainerLog = (path: string): ContainerLog => {
  mkdirSync(dirname(path), { recursive: true });
  const file = createWriteStream(path, { flags: 'a' });
  const opened = once(file, 'open');
  const signals = new EventEmitter().setMaxListeners(0);
  let version = 0;
  const grown = (): void => {
    version += 1;
    signals.emit('more');
  };
  let over = false;
  const growth: Growth = {
    isOver: () => over,
    version: () => version,
    past: async (seen, signal) => {
      if (version === seen) await once(signals, 'more', { signal }).catch(() => undefined);
    },
  };

  return {
    append: (stream, line) => {
      file.write(`${stamp()} ${stream} F ${line}\n`, grown);
    },
    async close() {
      await new Promise<void>((resolve) => file.end(resolve));
      over = true;
      grown();
    },
    async *read(query, signal) {
      await opened;
      const source = await open(path, 'r');
      try {
        const start = query.tailLines === undefined ? 0 : await tailStart(source, query.tailLines);
        let left = query.limitBytes ?? Number.POSITIVE_INFINITY;
        for await (const line of linesFrom(
          source,
          start,
          query.follow ? growth : undefined,
          signal,
        )) {
          const text = shown(line, query);
          if (text === undefined) continue;
          const bytes = Buffer.from(text);
          yield bytes.subarray(0, Math.min(bytes.length, left));
          left -= bytes.length;
          if (left <= 0) return;
        }
      } finally {
        await source.close();
      }
    },
    async remove() {
      await rm(path, { force: true });
    },
  };
};
