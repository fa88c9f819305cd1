import type { Outcome } from '@starr/kernel';

/** A clean end: nothing was done. Says what cures it where that is known. */
export function failed(says: string, cure?: string): Outcome {
  return {
    kind: 'outcome',
    outcome: 'failed',
    says: cure === undefined ? says : `${says}. Cure: ${cure}`,
  };
}
