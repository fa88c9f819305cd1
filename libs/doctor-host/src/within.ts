import type { Clock } from '@starr/kernel';

/** The work's answer, or `late()` when it has not come by then. The work goes on; its late answer is dropped. */
export async function within<T>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  late: () => T,
): Promise<T> {
  const stop = new AbortController();
  try {
    return await Promise.race([work, clock.sleep(ms, stop.signal).then(late)]);
  } finally {
    stop.abort();
    work.catch(() => undefined); // a failure that comes late has nobody to tell
  }
}
