import type { Limit } from '@starr/kernel';

/** The host waits a little longer than this: what was seen by then is then still an answer. */
const SHARE = 0.9;

export interface Deadline {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Ends with the caller's signal, and a little before the limit in any case. */
export function deadlineWithin(limit: Limit): Deadline {
  const timeoutMs = Math.max(1, Math.floor(limit.timeoutMs * SHARE));
  return { timeoutMs, signal: AbortSignal.any([limit.signal, AbortSignal.timeout(timeoutMs)]) };
}
