/** Ends a scheduled call; calling it twice, or after the call ran, does nothing. */
export type Cancel = () => void;

/**
 * The time that policies live by. All deadlines and windows use `nowMs`, which never steps when the machine's
 * clock is set; `wallTime` only dates what people read.
 */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never decreases. */
  nowMs(): number;
  wallTime(): Date;
  /** Calls `run` once after `delayMs`. Without `keepsAlive` the process does not stay alive for it. */
  schedule(run: () => void, delayMs: number, keepsAlive?: boolean): Cancel;
}

// setTimeout fires at once for anything longer
const longestTimerMs = 2 ** 31 - 1;

export const monotonicClock: Clock = {
  nowMs: () => performance.now(),
  wallTime: () => new Date(),
  schedule(run, delayMs, keepsAlive = false) {
    const timer = setTimeout(run, Math.min(longestTimerMs, Math.max(0, delayMs)));
    if (!keepsAlive) timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
