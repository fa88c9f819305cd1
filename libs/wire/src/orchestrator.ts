import type {
  BlindSpot,
  CheckResult,
  DoctorDescription,
  JournalOutcome,
  PlanRole,
  PlanState,
  SealedPlan,
  Severity,
  Value,
} from '@starr/kernel';

/** What starr.orchestrator.v1 speaks of, as types; both the orchestrator and its clients use them. */
export interface SweepRequest {
  /** Absent or empty: all configured. */
  readonly targets?: readonly string[];
  /** Absent or empty: all. */
  readonly diagnostics?: readonly string[];
  /** Absent: 30 minutes. */
  readonly windowMs?: number;
  /** Absent: 4000. */
  readonly budgetMs?: number;
}

export interface ExpectedCheck {
  readonly diagnostic: string;
  readonly target: string;
  readonly doctor: string;
}

export interface SweepStarted {
  readonly kind: 'started';
  readonly sweepId: string;
  readonly environment: string;
  /** Absent: not traced. */
  readonly traceId?: string;
  readonly startedAt: Date;
  readonly expected: readonly ExpectedCheck[];
  /** This call joined a run that others asked for. */
  readonly joined: boolean;
}

/** `started` comes first, `ended` last. */
export type SweepEvent =
  | SweepStarted
  | { readonly kind: 'check'; readonly result: CheckResult }
  | { readonly kind: 'answer'; readonly answer: AnswerView }
  | { readonly kind: 'notice'; readonly says: string }
  | { readonly kind: 'ended'; readonly tookMs: number; readonly recorded: boolean };

/** The main things of an answer; `answerJson` has all of it, in the documented shape. */
export interface AnswerView {
  /** Absent: nothing was found, or the store is away. */
  readonly incident?: string;
  readonly headline: string;
  /** Absent: nothing was found. */
  readonly severity?: Severity;
  readonly causes: readonly CauseView[];
  readonly proposals: readonly ProposedPlanView[];
  readonly unexplainedFindings: number;
  readonly checks: number;
  readonly blindChecks: number;
  readonly answerJson: string;
}

export interface CauseView {
  readonly playbook: string;
  readonly title: string;
  readonly severity: Severity;
  readonly explains: number;
  readonly against: number;
  readonly isGrounded: boolean;
  /** Empty: none. */
  readonly path: string;
}

export interface ProposedPlanView {
  /** INC-7.1; absent: the store is away. */
  readonly plan?: string;
  readonly role: PlanRole;
  readonly says: string;
  readonly remedy: string;
  readonly target: string;
  readonly params: Readonly<Record<string, Value>>;
}

export interface IncidentView {
  readonly id: string;
  readonly environment: string;
  readonly title: string;
  readonly status: 'open' | 'resolved';
  /** `alert:HighErrorRate`. */
  readonly openedBy: string;
  readonly openedAt: Date;
  readonly seenAt: Date;
  readonly resolvedAt?: Date;
  readonly sweeps: readonly string[];
}

export interface IncidentDetail {
  readonly incident: IncidentView;
  /** Of its newest sweep; absent: none was answered yet. */
  readonly answer?: AnswerView;
  readonly plans: readonly PlanView[];
  /** Empty: none yet. */
  readonly recordJson: string;
  readonly recordMarkdown: string;
}

export interface PlanView {
  readonly id: string;
  readonly incident: string;
  readonly role: PlanRole;
  readonly says: string;
  /** Absent: a person asked. */
  readonly cause?: string;
  readonly remedy: string;
  readonly target: string;
  readonly params: Readonly<Record<string, Value>>;
  readonly state: PlanState;
  /** Absent: proposed only. */
  readonly sealed?: SealedPlan;
  readonly doctor?: string;
  readonly approval?: ApprovalView;
  readonly journal: readonly JournalEntryView[];
  /** Absent: it has not ended. */
  readonly result?: string;
  readonly undoOf?: string;
}

export interface ApprovalView {
  readonly actor: string;
  readonly reason: string;
  readonly approvedAt: Date;
  readonly expiresAt: Date;
}

export interface JournalEntryView {
  readonly operationId: string;
  readonly intendedAt: Date;
  readonly actor: string;
  /** Absent: it may have been sent, and nothing is known yet. */
  readonly outcome?: JournalOutcome;
  readonly says: string;
  readonly knownAt?: Date;
  readonly isByProbe: boolean;
}

/** Of a proposal (INC-7.1), or of a remedy by name. */
export type PlanRemedyRequest =
  | {
      readonly plan: string;
      /** Those that differ from the proposal's. */
      readonly params?: Readonly<Record<string, Value>>;
    }
  | {
      readonly remedy: string;
      readonly target: string;
      readonly params?: Readonly<Record<string, Value>>;
      /** Absent: a new one is opened. */
      readonly incident?: string;
    };

/** Progress, then a plan or a refusal. */
export type PlanRemedyEvent =
  | { readonly kind: 'progress'; readonly says: string }
  | { readonly kind: 'plan'; readonly plan: PlanView }
  | {
      readonly kind: 'refused';
      readonly says: string;
      readonly blind: readonly BlindSpot[];
      /** What a person can type instead; empty: not known. */
      readonly byHand: readonly string[];
    };

export interface ApprovePlanRequest {
  readonly plan: string;
  readonly hash: string;
  readonly reason: string;
  /** Absent: 10 minutes. */
  readonly validForMs?: number;
}

export type EffectStateName = 'settling' | 'waiting' | 'holding' | 'established' | 'missed';

export type OperationMove =
  | { readonly move: 'begun' }
  | { readonly move: 'progress'; readonly says: string; readonly ratio?: number }
  | {
      readonly move: 'ended';
      /** Absent: not known yet. */
      readonly outcome?: JournalOutcome;
      readonly says: string;
      readonly isByProbe: boolean;
    };

/** `started` comes first, `ended` last. */
export type ApplyPlanEvent =
  | { readonly kind: 'started'; readonly plan: PlanView; readonly joined: boolean }
  | {
      readonly kind: 'operation';
      readonly operationId: string;
      readonly position: number;
      readonly says: string;
      readonly moved: OperationMove;
    }
  | {
      readonly kind: 'effect';
      readonly state: EffectStateName;
      /** Absent: it could not be seen. */
      readonly value?: number;
      readonly says: string;
      readonly observedAt?: Date;
      readonly remainingMs?: number;
    }
  | { readonly kind: 'notice'; readonly says: string }
  | { readonly kind: 'ended'; readonly plan: PlanView; readonly says: string };

export interface HealthView {
  readonly services: readonly ServiceHealthView[];
  readonly targets: readonly TargetHealthView[];
}

export interface ServiceHealthView {
  readonly name: string;
  /** Absent: inside the orchestrator. */
  readonly address?: string;
  readonly isServing: boolean;
  /** Why not; empty: it answered. */
  readonly says: string;
  readonly tookMs?: number;
}

export interface TargetHealthView {
  readonly name: string;
  readonly kind: string;
  readonly doctor: string;
  readonly isSeen: boolean;
  readonly blindChecks: number;
  readonly checks: number;
  readonly says: string;
  readonly cure?: string;
  readonly acts: boolean;
}

export interface DoctorCatalogView extends DoctorDescription {
  /** False: what follows is as last known, maybe empty. */
  readonly isReachable: boolean;
}

export interface PlaybooksView {
  readonly playbooks: readonly PlaybookStateView[];
  /** `file:line:column: key: …`; empty: nothing is wrong. */
  readonly problems: readonly string[];
}

export interface PlaybookStateView {
  readonly id: string;
  readonly title: string;
  /** Absent: it is awake. */
  readonly dormantBecause?: string;
}

export interface AcceptStateRequest {
  readonly diagnostic: string;
  readonly target: string;
  readonly until: Date;
  readonly reason: string;
}

export interface TraceSpanView {
  readonly spanId: string;
  /** Absent: a root, or its parent is not there. */
  readonly parentSpanId?: string;
  readonly service: string;
  readonly name: string;
  readonly startedAt: Date;
  readonly tookMs: number;
  readonly isFailed: boolean;
  readonly attributes: Readonly<Record<string, string>>;
  readonly events: readonly string[];
}
