import type { BlindSpot } from './blind-spot.ts';
import type { Threshold } from './diagnostic.ts';
import type { Entity, Relation } from './entity.ts';
import type { GrantsAdvice } from './grants-advice.ts';
import type { MeasurementSpec, Measurement } from './measurement.ts';
import type { Effect } from './remedy.ts';
import type { Value } from './value.ts';
import type { Verdict } from './verdict.ts';

/** What a patient was asked for, by name with unit (queries, commands, lists, serverMs). */
export type Footprint = Readonly<Record<string, number>>;

export interface DiagnosticDescription {
  readonly id: string;
  readonly title: string;
  readonly explains: string;
  readonly replaces: readonly string[];
  readonly thresholds: Readonly<Record<string, Threshold>>;
  readonly measures: Readonly<Record<string, MeasurementSpec>>;
  readonly reads: readonly string[];
}

export interface RemedyDescription {
  readonly id: string;
  readonly title: string;
  readonly explains: string;
  /** JSON Schema of the parameters, as text. */
  readonly paramsSchema: string;
  readonly reversible: boolean;
}

export interface TargetDescription {
  readonly name: string;
  /** postgres, redis, kubernetes, processes, jaeger, or a kind of somebody else. */
  readonly kind: string;
  /** False without an acting credential. */
  readonly acts: boolean;
}

export interface DoctorDescription {
  readonly name: string;
  readonly targets: readonly TargetDescription[];
  readonly diagnostics: readonly DiagnosticDescription[];
  readonly remedies: readonly RemedyDescription[];
}

export interface ExamineRequest {
  /** Absent or empty: all configured. */
  readonly targets?: readonly string[];
  /** Absent or empty: all of the catalog. */
  readonly diagnostics?: readonly string[];
  /** How far back questions reach. */
  readonly windowMs: number;
  /** Diagnostic id → threshold name → value. */
  readonly thresholds?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** All results within this, whatever the patient does. */
  readonly budgetMs: number;
  /** A shared or remembered answer older than this does not count. */
  readonly evidenceNotBefore?: Date;
}

/** One answer: one diagnostic on one target. */
export interface CheckResult {
  readonly diagnostic: string;
  readonly target: string;
  readonly verdict: Verdict;
  readonly relations: readonly Relation[];
  /** When the evidence was taken, in our clock. */
  readonly observedFrom: Date;
  readonly observedTo: Date;
  readonly thresholds: Readonly<Record<string, number>>;
  /** The target's clock minus ours. Absent: not known. */
  readonly clockSkewMs?: number;
  /** Since when the doctor keeps samples of the windowed reads; absent: no windowed read, or none kept. */
  readonly historySince?: Date;
  /** What this check's reads cost; a shared read is booked on the first check that asked. */
  readonly footprint: Footprint;
  /** The check span, when traced. */
  readonly spanId?: string;
}

export interface PlanRequest {
  readonly remedy: string;
  readonly target: string;
  readonly params: Readonly<Record<string, Value>>;
  /** Sealed receipts to undo, newest first; then `params` is ignored. */
  readonly undo?: readonly string[];
}

export interface PlannedOperation {
  readonly id: string;
  readonly says: string;
  readonly byHand: string;
  readonly reversible: boolean;
  readonly onRefused: 'stop' | 'continue';
  readonly onFailed: 'stop' | 'continue';
  /** See {@link Operation.isLong}. */
  readonly isLong?: boolean;
}

/** A plan as it leaves the doctor. `hash` covers everything that an approver reads and the acts inside the seal. */
export interface SealedPlan {
  readonly remedy: string;
  readonly target: string;
  readonly operations: readonly PlannedOperation[];
  readonly effect: Effect;
  readonly touches: readonly Measurement[];
  readonly warnings: readonly string[];
  readonly hash: string;
  /** Opaque: only the doctor that made it can read and apply it. */
  readonly seal: string;
  /** No longer appliable after this; probing does not expire. */
  readonly expiresAt: Date;
}

export type PlanEvent =
  | { readonly kind: 'progress'; readonly says: string }
  | { readonly kind: 'plan'; readonly plan: SealedPlan }
  | { readonly kind: 'refused'; readonly says: string; readonly blind: readonly BlindSpot[] };

export interface ApplyRequest {
  readonly seal: string;
  readonly operationId: string;
  /** Signed by the orchestrator; see libs/kernel/src/grant.ts. */
  readonly grant: string;
}

export type OperationEnd =
  | { readonly outcome: 'applied'; readonly receipt: string; readonly says: string }
  | { readonly outcome: 'partial'; readonly receipt: string; readonly says: string }
  | { readonly outcome: 'refused' | 'failed' | 'indeterminate'; readonly says: string };

export type ApplyEvent =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'progress'; readonly says: string; readonly ratio?: number }
  | { readonly kind: 'end'; readonly end: OperationEnd };

export type ProbeResult =
  | { readonly state: 'running'; readonly says: string }
  | { readonly state: 'applied'; readonly receipt: string; readonly says: string }
  /** Tombstoned with this answer: the id can never be applied any more. */
  | { readonly state: 'not-applied'; readonly says: string }
  | { readonly state: 'indeterminate'; readonly says: string };

export interface SealedOperation {
  readonly seal: string;
  readonly operationId: string;
}

/**
 * All that the orchestrator knows of a doctor (starr.doctor.v1.Doctor), on whichever side of a wire.
 * Streams end with their signal; an act never does: the client's going away only detaches.
 * Fails with DoctorError: WIRE_* for the request, TARGET_UNKNOWN, REMEDY_* for acting.
 */
export interface Doctor {
  describe(): Promise<DoctorDescription>;
  /** One result a check, as they come. Every check asked for gets one within the budget. */
  examine(request: ExamineRequest, signal: AbortSignal): AsyncIterable<CheckResult>;
  /** Relations around the keys, bounded. */
  resolve(keys: readonly Entity[], signal: AbortSignal): Promise<readonly Relation[]>;
  /** What the target's roles need and lack. Fails with TARGET_UNSUPPORTED where nothing can be granted. */
  grants(target: string, signal: AbortSignal): Promise<GrantsAdvice>;
  /** Progress, then a plan or a refusal. */
  plan(request: PlanRequest, signal: AbortSignal): AsyncIterable<PlanEvent>;
  apply(request: ApplyRequest, signal: AbortSignal): AsyncIterable<ApplyEvent>;
  cancel(operation: SealedOperation): Promise<void>;
  probe(operation: SealedOperation): Promise<ProbeResult>;
}
