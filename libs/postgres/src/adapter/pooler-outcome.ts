import { maskText, type Outcome } from '@starr/kernel';
import { stateOf, textOf } from './pg-error.ts';

export function refusedByPooler(says: string): Outcome {
  return { kind: 'outcome', outcome: 'refused', says };
}

/** A pooler that answers with an error has done nothing; one that does not answer may have. */
export function outcomeOfThrown(thrown: unknown, pooler: string): Outcome {
  const text = maskText(textOf(thrown));
  return stateOf(thrown) === '08P01'
    ? { kind: 'outcome', outcome: 'failed', says: `nothing was done: ${pooler} says: ${text}` }
    : {
        kind: 'outcome',
        outcome: 'indeterminate',
        says: `the answer of ${pooler} was lost: ${text}`,
      };
}
