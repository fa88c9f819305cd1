import { DoctorError } from '@starr/kernel';
import type { Leashed } from './leash.ts';

const PROBE_EVERY_MS = 25;

/** How a process shows that it can be used. */
export type Readiness =
  /** It prints a line that says so. Nothing is asked meanwhile. */
  | { readonly kind: 'line'; readonly matches: (line: string) => boolean }
  /** It answers. A probe that rejects counts as "not yet"; it must obey the signal. */
  | { readonly kind: 'probe'; readonly probe: (signal: AbortSignal) => Promise<boolean> };

/**
 * Waits until the process is ready. When it ends first or is late it is killed, and the error carries
 * its own last lines: nobody has to go and look for a log.
 */
export async function waitUntilReady(
  leashed: Leashed,
  readiness: Readiness,
  withinMs: number,
): Promise<void> {
  const done = new AbortController();
  const late = setTimeout(() => {
    done.abort('late');
  }, withinMs);
  void leashed.exited.then(() => {
    done.abort('ended');
  });
  try {
    const ready = await (readiness.kind === 'line'
      ? lineSeen(leashed, readiness.matches, done.signal)
      : probed(readiness.probe, done.signal));
    if (ready) return;
  } finally {
    clearTimeout(late);
  }
  const exit = leashed.exit();
  await leashed.kill();
  const how =
    exit === undefined ? `was not ready after ${withinMs} ms` : `ended at once (${sayExit(exit)})`;
  throw new DoctorError('TARGET_UNREACHABLE', {
    message: `${leashed.name} ${how}; its last lines:\n${leashed.tail() || '(none)'}`,
  });
}

function sayExit(exit: { code: number | null; signal: string | null }): string {
  return exit.signal ?? `exit code ${exit.code ?? 'unknown'}`;
}

function lineSeen(
  leashed: Leashed,
  matches: (line: string) => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  if (leashed.output.lines.some(matches)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const finish = (seen: boolean): void => {
      unsubscribe();
      signal.removeEventListener('abort', giveUp);
      resolve(seen);
    };
    const giveUp = (): void => {
      finish(false);
    };
    const unsubscribe = leashed.output.subscribe((line) => {
      if (matches(line)) finish(true);
    });
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp);
  });
}

async function probed(
  probe: (signal: AbortSignal) => Promise<boolean>,
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      if (await probe(signal)) return true;
    } catch {
      // not yet
    }
    await pauseFor(PROBE_EVERY_MS, signal);
  }
  return false;
}

function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
  });
}
