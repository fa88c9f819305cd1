import { PolicyError } from './policy-error.ts';
import type { Retuned } from './retuned.ts';

/** Applies a change to settings, all of it or nothing: `apply` throws PolicyError before it changes anything. */
export function retuneSettings<S>(
  before: S,
  change: Partial<S>,
  apply: (wanted: S) => S,
): Retuned<S> {
  try {
    return { kind: 'applied', before, after: apply({ ...before, ...change }) };
  } catch (error) {
    if (!PolicyError.is(error)) throw error;
    return { kind: 'refused', says: error.message, now: before };
  }
}
