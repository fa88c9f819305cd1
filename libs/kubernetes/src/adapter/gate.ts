import { DoctorError, type Clock } from '@starr/kernel';

export interface GateOptions {
  /** Requests under way at once. */
  readonly maxParallel: number;
  /** Refill of the bucket. */
  readonly perSecond: number;
  /** What may be asked at once after a rest. */
  readonly burst: number;
}

/** Keeps the doctor polite: the server has 400 places for readers, and an incident needs them for others. */
export interface Gate {
  /** Waits for its turn, then runs. Rejects with EVIDENCE_TIMEOUT when the signal aborts before. */
  through<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T>;
}

export function createGate(options: GateOptions, clock: Clock): Gate {
  let free = options.maxParallel;
  let tokens = options.burst;
  let refilledAt = clock.monotonicMs();
  const waiting: (() => void)[] = [];

  const release = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };

  const enter = (signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return Promise.reject(lateError());
    if (free > 0) {
      free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(turn), 1);
        reject(lateError());
      };
      waiting.push(turn);
      signal.addEventListener('abort', leave, { once: true });
    });
  };

  /** A token may be taken on credit; who does so waits until it would have been there. */
  const takeToken = async (signal: AbortSignal): Promise<void> => {
    const now = clock.monotonicMs();
    const refill = ((now - refilledAt) / 1000) * options.perSecond;
    tokens = Math.min(options.burst, tokens + refill) - 1;
    refilledAt = now;
    if (tokens >= 0) return;
    await clock.sleep((-tokens / options.perSecond) * 1000, signal);
    if (signal.aborted) throw lateError();
  };

  return {
    async through(signal, run) {
      await enter(signal);
      try {
        await takeToken(signal);
        return await run();
      } finally {
        release();
      }
    },
  };
}

function lateError(): DoctorError {
  return new DoctorError('EVIDENCE_TIMEOUT', {
    message: 'The request was still waiting for its turn when its time was up',
  });
}
