import { Attempt } from './attempt.ts';
import type { Breaker } from './breaker.ts';
import type { Bulkhead } from './bulkhead.ts';
import type { Act, CallOptions } from './call-context.ts';
import type { Retry } from './retry.ts';
import type { Timeout } from './timeout.ts';

/** The policies around a call. From the outermost: retry, bulkhead, breaker, timeout. */
export class GuardParts {
  // Always all four: reading from objects of many shapes is what would cost most here.
  readonly retry: Retry | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly breaker: Breaker | undefined;
  readonly timeout: Timeout | undefined;

  constructor(parts: Partial<GuardParts>) {
    this.retry = parts.retry;
    this.bulkhead = parts.bulkhead;
    this.breaker = parts.breaker;
    this.timeout = parts.timeout;
  }
}

/** Runs `act` under whichever policies there are: one promise around it, however many they are. */
export function runGuarded<T>(parts: GuardParts, act: Act<T>, options?: CallOptions): Promise<T> {
  const signal = options?.signal;
  return parts.retry === undefined
    ? attempt(parts, act, 1, signal)
    : retrying(parts, parts.retry, act, signal);
}

function attempt<T>(
  parts: GuardParts,
  act: Act<T>,
  number: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    new Attempt(parts, number, signal, resolve, reject).start(act);
  });
}

async function retrying<T>(
  parts: GuardParts,
  retry: Retry,
  act: Act<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  let charged = false;
  const uncharge = () => {
    if (charged) retry.budget.endRetry();
    charged = false;
  };
  retry.begin();
  try {
    for (let number = 1; ; number++) {
      try {
        const value = await attempt(parts, act, number, signal);
        if (number > 1) retry.recover();
        return value;
      } catch (error) {
        uncharge();
        const delayMs = signal?.aborted ? undefined : retry.delayBefore(number + 1, error);
        if (delayMs === undefined) throw error;
        charged = true;
        await retry.wait(delayMs, signal);
      }
    }
  } finally {
    uncharge();
    retry.end();
  }
}
