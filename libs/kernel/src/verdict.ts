import type { BlindSpot } from './blind-spot.ts';
import type { Entity } from './entity.ts';
import type { Measurement } from './measurement.ts';
import type { Row } from './value.ts';

export type Severity = 'warning' | 'critical';

/** One bad thing about one entity. */
export interface Finding {
  readonly severity: Severity;
  readonly about: Entity;
  /** One sentence that a person at night understands. Masked. */
  readonly says: string;
  /** Onset in the target's clock; absent: unknown. */
  readonly since?: Date;
  readonly measured: readonly Measurement[];
  /** Rows of evidence, worst first, bounded by the judge. */
  readonly rows?: readonly Row[];
  /** Further entities that this finding is about (the addresses of a leak), for the join. */
  readonly involves?: readonly Entity[];
}

/** Something that happened, good or bad, with its moment. Never a finding by itself. */
export interface Change {
  readonly about: Entity;
  readonly at: Date;
  readonly says: string;
  /** Facts that a remedy may need (from and to revision). */
  readonly facts?: Row;
}

export interface Verdict {
  /** Also when healthy: absence of a number is not health. */
  readonly measured: readonly Measurement[];
  readonly findings?: readonly Finding[];
  readonly changes?: readonly Change[];
  readonly blind?: readonly BlindSpot[];
}

export type CheckStatus = 'found' | 'blind' | 'healthy';

/** Found: any finding. Blind: nothing measured, nothing changed. Healthy: the rest. */
export function statusOf(verdict: Verdict): CheckStatus {
  if ((verdict.findings?.length ?? 0) > 0) return 'found';
  if (
    verdict.measured.length === 0 &&
    ((verdict.blind?.length ?? 0) > 0 || (verdict.changes?.length ?? 0) === 0)
  )
    return 'blind';
  return 'healthy';
}

/** Blind spots beside what was seen. */
export function isPartial(verdict: Verdict): boolean {
  return (verdict.blind?.length ?? 0) > 0 && statusOf(verdict) !== 'blind';
}
