import { parseLogLine } from '../logs/parse-log-line.ts';
import type { ContainerLog } from '../request.ts';

/**
 * Error lines of earlier looks: what a rollback, a restart or a busy log would take away. Bounded; lost with the process.
 * It tells an old error from a new one after the pods that knew it are gone.
 */
export interface LogVault {
  /** Takes in what was read, and gives back what is remembered from before that. */
  remember(read: readonly ContainerLog[]): readonly ContainerLog[];
}

const MAX_CONTAINERS = 400;
const MAX_LINES = 200;

export function createLogVault(): LogVault {
  const kept = new Map<string, ContainerLog>();
  return {
    remember(read) {
      const earlier = [...kept].flatMap(([key, old]) => {
        const now = read.find((log) => keyOf(log) === key);
        return before(old, now) ?? [];
      });
      for (const log of read) {
        const key = keyOf(log);
        const merged = merge(before(kept.get(key), log), errorsOf(log));
        kept.delete(key); // set anew: the oldest is first
        kept.set(key, merged);
      }
      for (const key of kept.keys()) {
        if (kept.size <= MAX_CONTAINERS) break;
        kept.delete(key);
      }
      return earlier;
    },
  };
}

/** A restarted container is another one; what was current then is `previous` now. */
function keyOf(log: ContainerLog): string {
  return `${log.namespace}/${log.pod}/${log.container}#${log.restart}`;
}

/** The part of an old log that the new one does not reach back to; undefined: none. */
function before(
  old: ContainerLog | undefined,
  now: ContainerLog | undefined,
): ContainerLog | undefined {
  if (!old || !now) return old;
  const end = Date.parse(now.coveredFrom);
  if (Date.parse(old.coveredFrom) >= end) return undefined;
  const coveredTo = Date.parse(old.coveredTo) < end ? old.coveredTo : now.coveredFrom;
  return { ...old, coveredTo, lines: old.lines.filter((line) => Date.parse(stampOf(line)) < end) };
}

function merge(old: ContainerLog | undefined, fresh: ContainerLog): ContainerLog {
  // With a gap between them the older part is let go: one log has one time of which it is complete.
  if (!old || Date.parse(old.coveredTo) < Date.parse(fresh.coveredFrom)) return bounded(fresh);
  const { coveredFrom, fromStart } = old;
  return bounded({ ...fresh, coveredFrom, fromStart, lines: [...old.lines, ...fresh.lines] });
}

function errorsOf(log: ContainerLog): ContainerLog {
  const lines = log.lines.filter((line) => parseLogLine(line)?.level === 'error');
  return { ...log, lines, remembered: true };
}

function bounded(log: ContainerLog): ContainerLog {
  if (log.lines.length <= MAX_LINES) return log;
  const lines = log.lines.slice(-MAX_LINES);
  return { ...log, lines, coveredFrom: stampOf(lines[0] ?? ''), fromStart: false };
}

function stampOf(line: string): string {
  return line.slice(0, line.indexOf(' '));
}
