import type { Touched } from './evidence.ts';

/** Why a strategy is asked. */
export type FallbackCause =
  /** A policy refused the call without running it: open breaker, full queue, a limit. */
  | { readonly kind: 'refused'; readonly error: unknown }
  /** The call failed. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Somebody wants answers without the call. */
  | { readonly kind: 'forced' };

/** What a strategy has for a key. */
export interface FallbackFound<T> {
  readonly value: T;
  /** Since the value was true; absent: it has no age. */
  readonly ageMs?: number;
  /** Older than is good, but better than nothing. Absent: no. */
  readonly stale?: boolean;
}

/** One way to answer when the call cannot. */
export interface FallbackStrategy<T> {
  readonly name: string;
  /** Absent: it has no answer for the key. What it throws counts as failed, and the next one is asked. */
  answer(
    key: string,
    cause: FallbackCause,
  ): PromiseLike<FallbackFound<T> | undefined> | FallbackFound<T> | undefined;
  /** Told each answer of the call itself. */
  remember?(key: string, value: T): void;
  /** Answers that it holds. */
  readonly entries?: number;
  /** Who changed it by hand; absent for one that cannot be changed. */
  readonly touched?: Touched;
}

/** Always the same answer. */
export function fixedAnswer<T>(name: string, value: T): FallbackStrategy<T> {
  return { name, answer: () => ({ value }) };
}

/** Asks somebody else. */
export function otherCall<T>(
  name: string,
  call: (key: string, cause: FallbackCause) => PromiseLike<T> | T,
): FallbackStrategy<T> {
  return { name, answer: async (key, cause) => ({ value: await call(key, cause) }) };
}
