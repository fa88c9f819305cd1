import type { Severity } from '@starr/kernel';
import type { AgainstView } from './against.ts';
import type { EvidenceItem, FindingItem } from './evidence.ts';
import type { Match } from './match.ts';

/**
 * `grounded`: every clause found, every tie holds. `ungrounded`: every clause found, but a tie cannot be decided.
 * `possible`: a clause's check could not see, or as much speaks against it as for it.
 */
export type Standing = 'grounded' | 'ungrounded' | 'possible';

/** A match, weighed. */
export interface Cause {
  readonly match: Match;
  readonly standing: Standing;
  /** Why it is not grounded. Empty: it is. */
  readonly doubts: readonly string[];
  /** What its clauses bound. */
  readonly bound: readonly EvidenceItem[];
  /** Linked findings that follow from it, without those that its clauses bound. */
  readonly consequences: readonly FindingItem[];
  readonly against: readonly AgainstView[];
  /** Severity explained less severity against. */
  readonly score: number;
  /** The earliest moment among what was bound. Absent: none is known. */
  readonly onset?: Date;
  /** Playbooks that say less of the same. */
  readonly generalises: readonly string[];
}

const WEIGHT: Readonly<Record<Severity, number>> = { critical: 3, warning: 1 };

export function weigh(findings: readonly FindingItem[]): number {
  return findings.reduce((sum, { severity }) => sum + WEIGHT[severity], 0);
}

/** Findings that the cause accounts for: bound ones and consequences. */
export function explainedBy(cause: Cause): readonly FindingItem[] {
  return [...cause.bound.filter((item) => item.kind === 'finding'), ...cause.consequences];
}
