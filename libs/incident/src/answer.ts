import type {
  BlindReason,
  Entity,
  Footprint,
  Measurement,
  Row,
  Severity,
  Value,
} from '@starr/kernel';
import type { Standing } from './cause.ts';

/**
 * What a sweep says, as plain data: same evidence, same answer. Clients render it and judge nothing.
 * Moments are in the clock of the orchestrator.
 */
export interface Answer {
  readonly environment: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** Since when every windowed check has samples. Absent: one of them has none, or there is none. */
  readonly historySince?: Date;
  readonly severity: Severity | 'none';
  /** One sentence. */
  readonly headline: string;
  /** What cannot wait (full in 20 s). Absent: nothing says so. */
  readonly urgent?: string;
  /** Grounded, best first. */
  readonly causes: readonly CauseAnswer[];
  /** Ungrounded and possible, best first: what would be causes if more could be seen. */
  readonly possible: readonly CauseAnswer[];
  readonly findings: readonly FindingLine[];
  /** Ids of findings that no grounded cause accounts for. */
  readonly unexplained: readonly string[];
  readonly accepted: readonly AcceptedLine[];
  /** What could not be seen, wholly or in part. */
  readonly blind: readonly BlindAnswer[];
  readonly checks: readonly CheckLine[];
  readonly dormant: readonly DormantPlaybook[];
  readonly cost: readonly TargetCost[];
}

export interface CauseAnswer {
  /** From 1, over causes and possible together. */
  readonly number: number;
  readonly playbook: string;
  readonly standing: Standing;
  readonly title: string;
  readonly says: string;
  readonly severity: Severity;
  /** What it is primarily about, and the id of that finding or change: equal in the next sweep while it lasts. */
  readonly about: Entity;
  readonly primary: string;
  /** Why it is not grounded. */
  readonly doubts: readonly string[];
  readonly clauses: readonly ClauseLine[];
  /** Ids of the findings that it accounts for. */
  readonly explains: readonly string[];
  /** Ids of the findings that speak against it. */
  readonly against: readonly string[];
  readonly onset?: Date;
  readonly timeline: readonly TimelineEntry[];
  /** Lines of the path, with what it could not pass. */
  readonly path: readonly string[];
  /** The same as entities, layer by layer; empty: no path. */
  readonly pathLayers: readonly (readonly Entity[])[];
  /** Sentences of consequences that have no moment, and of further findings. */
  readonly also: readonly string[];
  readonly ruledOut: readonly string[];
  readonly unproven: readonly string[];
  readonly steps: readonly NextStep[];
  readonly avoid: readonly { readonly remedy: string; readonly because: string }[];
  readonly reflect: readonly string[];
  /** Playbooks that say less of the same. */
  readonly generalises: readonly string[];
}

export interface ClauseLine {
  readonly name: string;
  readonly state: 'found' | 'blind';
  readonly diagnostics: readonly string[];
  /** What it bound, or why nothing could be seen. */
  readonly says: string;
}

export interface TimelineEntry {
  readonly at: Date;
  readonly kind: 'finding' | 'change';
  readonly says: string;
  /** `used slots 93, limit 92`: the first measurement that has a threshold. Absent: none has. */
  readonly note?: string;
}

/** A remedy that a cause proposes, with parameters from the evidence. */
export interface NextStep {
  /** From 1 over the whole answer; the number of its plan within the incident once there is one (INC-7.2). */
  readonly number: number;
  readonly role: 'relieve' | 'cure';
  readonly remedy: string;
  readonly title: string;
  readonly target: string;
  readonly params: Readonly<Record<string, Value>>;
  /** Parameters that the evidence does not hold; a person gives them. */
  readonly missing: readonly string[];
}

export interface FindingLine {
  readonly id: string;
  readonly diagnostic: string;
  readonly target: string;
  readonly severity: Severity;
  readonly about: Entity;
  readonly says: string;
  readonly at?: Date;
  readonly measured: readonly Measurement[];
  /** Of the diagnostic's rows of evidence, the worst. */
  readonly rows: readonly Row[];
}

export interface AcceptedLine {
  readonly finding: FindingLine;
  readonly reason: string;
  readonly until: Date;
  readonly acceptedBy: string;
}

export interface BlindAnswer {
  /** `db.*`: the doctor itself did not answer. */
  readonly diagnostic: string;
  readonly target: string;
  readonly isPartial: boolean;
  readonly why: BlindReason;
  readonly detail: string;
  readonly cure?: string;
}

export interface CheckLine {
  readonly diagnostic: string;
  readonly target: string;
  readonly status: 'found' | 'blind' | 'healthy';
  readonly isPartial: boolean;
  readonly measured: readonly Measurement[];
}

export interface DormantPlaybook {
  readonly playbook: string;
  readonly says: string;
}

export interface TargetCost {
  readonly target: string;
  readonly footprint: Footprint;
}
