import type { AnyDiagnostic } from './diagnostic.ts';
import type { GrantsAdvisor } from './grants-advice.ts';
import type { Read, Reads } from './read.ts';
import type { AnyRemedy } from './remedy.ts';

/** A read that answers "what is this key": its relations touch the kinds it resolves. */
export interface Resolver<Q = unknown> {
  readonly kinds: readonly string[];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- resolvers differ in what they parse; only relate() is used
  readonly read: Read<any, Q>;
}

/** What a kind of target can be asked and what can be done for it. */
export interface Catalog<Q = unknown, O = unknown> {
  readonly diagnostics: readonly AnyDiagnostic<Q>[];
  readonly remedies: readonly AnyRemedy<Q, O>[];
  readonly resolvers: readonly Resolver<Q>[];
  /** Absent: nothing can be granted on this kind of target. */
  readonly grants?: GrantsAdvisor<Reads<Q>>;
}
