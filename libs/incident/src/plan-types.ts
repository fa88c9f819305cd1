import type { JournalOutcome, PlannedOperation } from '@starr/kernel';

/** What the journal knows: an entry exists once the intent is committed. */
export interface JournalView {
  readonly operation: string;
  /** Absent: the act may have been sent, and nobody heard its answer. */
  readonly outcome?: JournalOutcome;
}

/** What is to be done with a plan that is being applied. */
export type NextAct =
  /** Commit its intent, then send it. */
  | { readonly do: 'apply'; readonly operation: PlannedOperation }
  /** It may have been sent: ask, never repeat. */
  | { readonly do: 'probe'; readonly operation: PlannedOperation }
  /** Something was done, nothing is left to do: watch the effect. */
  | { readonly do: 'verify' }
  | {
      readonly do: 'end';
      readonly state: 'refused' | 'failed' | 'indeterminate';
      readonly says: string;
    };

/**
 * Reads the journal, not a memory: after a crash the same journal leads to the same next act.
 * An operation is sent only while it has no intent, and only when those before it have ended and none of them stops.
 */
export function nextAct(
  operations: readonly PlannedOperation[],
  journal: readonly JournalView[],
): NextAct {
  const entries = new Map(journal.map((entry) => [entry.operation, entry]));
  let wasActed = false;
  let wasFailed = false;
  for (const operation of operations) {
    const entry = entries.get(operation.id);
    if (entry === undefined) return { do: 'apply', operation };
    switch (entry.outcome) {
      case undefined:
        return { do: 'probe', operation };
      case 'indeterminate':
        return {
          do: 'end',
          state: 'indeterminate',
          says: `whether it took place cannot be told: ${operation.says}`,
        };
      case 'applied':
        wasActed = true;
        break;
      case 'refused':
        if (operation.onRefused === 'stop')
          return wasActed
            ? ended('failed', 'done in part; the rest was refused', operation)
            : ended('refused', 'the pre-state had changed, nothing was done', operation);
        break;
      case 'partial':
        wasActed = true;
        wasFailed = true;
        if (operation.onFailed === 'stop') return ended('failed', 'done in part', operation);
        break;
      case 'failed':
      case 'not-applied':
        wasFailed = true;
        if (operation.onFailed === 'stop')
          return ended('failed', wasActed ? 'done in part' : 'nothing was done', operation);
        break;
    }
  }
  if (wasActed) return { do: 'verify' };
  return wasFailed
    ? { do: 'end', state: 'failed', says: 'no operation was applied' }
    : { do: 'end', state: 'refused', says: 'every operation was refused, nothing was done' };
}

function ended(
  state: 'refused' | 'failed',
  what: string,
  { says }: PlannedOperation,
): NextAct & { readonly do: 'end' } {
  return { do: 'end', state, says: `${what}: ${says}` };
}
