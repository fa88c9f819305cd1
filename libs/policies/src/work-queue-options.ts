import { checkCount, checkPositive } from './check-option.ts';
import type { Clock } from './clock.ts';
import { PolicyError } from './policy-error.ts';

export interface WorkQueueOptions {
  /** Works that run at the same time. */
  readonly maxWorkers: number;
  /** Works that may wait; 0: none waits, what finds no free worker is rejected. */
  readonly maxSize: number;
  /**
   * A work that has waited so long is not run any more. Its caller hears of it then, or within 8 ms. Absent: it may
   * wait for ever.
   */
  readonly waitTimeoutMs?: number;
  /** A work that has run so long is answered with a timeout, and its worker is free. Absent: it may run for ever. */
  readonly runTimeoutMs?: number;
  /**
   * What a full queue gives up, of the lowest priority there is: the newest (which is the one that comes, unless it
   * goes before others) or the oldest. Default `reject-newest`.
   */
  readonly whenFull?: 'reject-newest' | 'reject-oldest';
  /**
   * A work that has waited so long may go before works of a higher priority: each fourth start is of the oldest of
   * these. Without it a steady stream of higher works keeps the lower ones waiting for ever. Default 10,000, as
   * Linux has it for requests of a lower I/O priority (mq-deadline, prio_aging_expire); not more than half of the
   * queue's `waitTimeoutMs`. 0: never, the priorities are strict. Which work makes room in a full queue goes by
   * priority alone.
   */
  readonly agedAfterMs?: number;
  /** A work that runs so long, or longer, is slow. Default 1000. */
  readonly slowMs?: number;
  readonly clock?: Clock;
}

export interface WorkQueueSettings {
  readonly maxWorkers: number;
  readonly maxSize: number;
  /** Infinity: for ever. */
  readonly waitTimeoutMs: number;
  readonly runTimeoutMs: number;
  readonly whenFull: 'reject-newest' | 'reject-oldest';
  /** 0: the priorities are strict. */
  readonly agedAfterMs: number;
  readonly slowMs: number;
}

export interface WorkOptions {
  /** For the timings: what kind of work it is. Few names, no ids in them. */
  readonly operation?: string;
  /**
   * Those of a higher priority start before the others, save those that have aged (`agedAfterMs`); within one the
   * order is that of their coming. Default `normal`.
   */
  readonly priority?: Priority;
  /** In the place of the queue's own; Infinity: for ever. */
  readonly waitTimeoutMs?: number;
  readonly runTimeoutMs?: number;
  /** Takes the work back while it waits, and is passed on to it while it runs. */
  readonly signal?: AbortSignal;
}

export type Priority = 'high' | 'normal' | 'low';

/** What a running work may ask. */
export interface WorkRun {
  readonly waitedMs: number;
  /** Aborted at the run timeout, or by the caller's own signal. Made when it is first asked for. */
  readonly signal: AbortSignal;
}

/**
 * What happens to the works that have no place after a shrink: they all stay (and the queue shows them as over its
 * limit), or the newest, the oldest, or those whose wait ends soonest are rejected, each time from the lowest
 * priority up.
 */
export type DrainRule = 'keep' | 'reject-newest' | 'reject-oldest' | 'expired-first';

/** A change of the settings, and what happens to the works that have no place after it. Default `keep`. */
export interface WorkQueueTuning extends Partial<WorkQueueSettings> {
  readonly drain?: DrainRule;
}

/** Throws PolicyError `invalid-option`. */
export function parseQueueSettings(name: string, options: WorkQueueOptions): WorkQueueSettings {
  const { maxWorkers, maxSize, waitTimeoutMs = Infinity, runTimeoutMs = Infinity } = options;
  const { whenFull = 'reject-newest', agedAfterMs = 10_000, slowMs = 1000 } = options;
  checkCount(name, 'maxWorkers', maxWorkers);
  checkCount(name, 'maxSize', maxSize, Number.MAX_SAFE_INTEGER, 0);
  checkTimeout(name, 'waitTimeoutMs', waitTimeoutMs);
  checkTimeout(name, 'runTimeoutMs', runTimeoutMs);
  if (agedAfterMs !== 0) checkPositive(name, 'agedAfterMs', agedAfterMs);
  checkPositive(name, 'slowMs', slowMs);
  // a retune may come from outside of the compiler's reach
  if (!['reject-newest', 'reject-oldest'].includes(whenFull)) {
    throw new PolicyError(
      'invalid-option',
      name,
      `${name}: whenFull is ${whenFull}; allowed: reject-newest, reject-oldest`,
    );
  }
  return { maxWorkers, maxSize, waitTimeoutMs, runTimeoutMs, whenFull, agedAfterMs, slowMs };
}

export function checkTimeout(name: string, option: string, value: number): void {
  if (value !== Infinity) checkPositive(name, option, value);
}
