import { systemClock } from '@starr/kernel';
import type { Leashed } from '@starr/store';

/** A process that is started again whenever it ends by itself, with growing pauses. */
export interface KeptRunning {
  stop(): Promise<void>;
}

const PAUSE_MS = { first: 250, most: 10_000 };

/** Rejects when the first start does. `onEnd` is told of every end that nobody asked for, and of starts that failed. */
export async function keepRunning(
  start: () => Promise<Leashed>,
  onEnd: (says: string) => void,
): Promise<KeptRunning> {
  const stopping = new AbortController();
  const stop = Promise.withResolvers<undefined>();
  stopping.signal.addEventListener('abort', () => {
    stop.resolve(undefined);
  });
  const first = await start();
  const kept = keep(first, start, onEnd, stopping.signal, stop.promise);
  return {
    stop: () => {
      stopping.abort();
      return kept;
    },
  };
}

async function keep(
  first: Leashed,
  start: () => Promise<Leashed>,
  onEnd: (says: string) => void,
  signal: AbortSignal,
  stopped: Promise<undefined>,
): Promise<void> {
  const isOver = () => signal.aborted;
  let running: Leashed | undefined = first;
  let pauseMs = PAUSE_MS.first;
  for (;;) {
    const exit = await Promise.race([running?.exited, stopped]);
    if (isOver()) break;
    const how = exit === undefined ? 'did not start' : `ended (${exit.signal ?? exit.code})`;
    onEnd(`${how}, starts again in ${pauseMs} ms`);
    await systemClock.sleep(pauseMs, signal);
    if (isOver()) break;
    running = await start().catch(() => undefined);
    pauseMs = running ? PAUSE_MS.first : Math.min(PAUSE_MS.most, pauseMs * 2);
  }
  await running?.stop();
}
