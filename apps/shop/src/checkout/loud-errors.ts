import type { FaultSwitch } from '../faults.ts';
import type { Log } from '../log.ts';

/**
 * A control, not a fault that anybody feels: an importer that nobody needs has failed since the
 * process began, at a steady rate. Returns how to stop it.
 */
export function startLoudErrors(faults: FaultSwitch, log: Log): () => void {
  let timer: NodeJS.Timeout | undefined;
  const restart = (): void => {
    clearInterval(timer);
    const aMinute = faults.amount('errors');
    if (aMinute === undefined) return;
    timer = setInterval(() => {
      log.error('legacy feed import failed', { err: 'feed answered 410 Gone', code: 'HTTP_410' });
    }, 60_000 / aMinute);
  };
  restart();
  faults.onSwitch(restart);
  return () => {
    clearInterval(timer);
  };
}
