import type { TimerWheel, WheelEntry } from './timer-wheel.ts';

/** Rejects with the signal's reason when that aborts before the time is over. */
export function waitOnWheel(
  wheel: TimerWheel,
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      wheel.remove(wait);
      reject(signal?.reason as Error);
    };
    const wait: WheelEntry = {
      place: -1,
      when: 0,
      due: () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
    };
    wheel.add(wait, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
