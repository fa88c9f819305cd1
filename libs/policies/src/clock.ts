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
  /** Calls `run` once after `delayMs`, without keeping the process alive for it. */
  schedule(run: () => void, delayMs: number): Cancel;
}

// setTimeout fires at once for anything longer
const longestTimerMs = 2 ** 31 - 1;

export const monotonicClock: Clock = {
  nowMs: () => performance.now(),
  wallTime: () => new Date(),
  schedule(run, delayMs) {
    const timer = setTimeout(run, Math.min(longestTimerMs, Math.max(0, delayMs)));
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
