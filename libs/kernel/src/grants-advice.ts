import type { Look, Reads, Seen } from './read.ts';

/** What a role must be given, as commands that a person runs as they stand. */
export interface GrantsAdvice {
  /** sql, acl (redis-cli lines), kubectl … */
  readonly language: string;
  /** All that the configured checks need. Empty: nothing beyond connecting. */
  readonly diagnosing: readonly string[];
  /** All that the remedies need beside it, for the acting credential. */
  readonly acting: readonly string[];
  /** Of the above, what is not there yet. */
  readonly lacking: readonly string[];
}

/** Compares what the checks and remedies of a catalog need with what the credential has. Pure. */
export interface GrantsAdvisor<R extends Reads = Reads> {
  readonly reads: R;
  advise(seen: Seen<R>, look: Look): GrantsAdvice;
}

/** Declares an advisor; the type of `advise` follows from `reads`. */
export function defineGrantsAdvisor<R extends Reads>(advisor: GrantsAdvisor<R>): GrantsAdvisor<R> {
  return advisor;
}
