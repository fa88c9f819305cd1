import type { JournalOutcome, PlanRole, PlanState } from '@starr/kernel';
import type {
  ApprovePlanRequest,
  JournalEntryView,
  PlanRemedyEvent,
  PlanRemedyRequest,
  PlanView,
} from './orchestrator.ts';
import { PlanRole as PbRole } from './gen/starr/orchestrator/v1/incident.ts';
import * as pb from './gen/starr/orchestrator/v1/plan.ts';
import type * as api from './gen/starr/orchestrator/v1/orchestrator.ts';
import {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
} from './moment.mapping.ts';
import { keyOf } from './key-of.ts';
import { sealedPlanFromProto, sealedPlanToProto } from './plan.mapping.ts';
import { columnsFromProto, columnsToProto } from './values.mapping.ts';
import { blindSpotFromProto, blindSpotToProto } from './verdict.mapping.ts';

const ROLE = {
  relieve: PbRole.PLAN_ROLE_RELIEVE,
  cure: PbRole.PLAN_ROLE_CURE,
  undo: PbRole.PLAN_ROLE_UNDO,
  asked: PbRole.PLAN_ROLE_ASKED,
} as const satisfies Record<PlanRole, PbRole>;
const STATE = {
  proposed: pb.PlanState.PLAN_STATE_PROPOSED,
  planned: pb.PlanState.PLAN_STATE_PLANNED,
  approved: pb.PlanState.PLAN_STATE_APPROVED,
  applying: pb.PlanState.PLAN_STATE_APPLYING,
  verifying: pb.PlanState.PLAN_STATE_VERIFYING,
  established: pb.PlanState.PLAN_STATE_ESTABLISHED,
  missed: pb.PlanState.PLAN_STATE_MISSED,
  refused: pb.PlanState.PLAN_STATE_REFUSED,
  failed: pb.PlanState.PLAN_STATE_FAILED,
  indeterminate: pb.PlanState.PLAN_STATE_INDETERMINATE,
  superseded: pb.PlanState.PLAN_STATE_SUPERSEDED,
} as const satisfies Record<PlanState, pb.PlanState>;
export const JOURNAL_OUTCOME = {
  applied: pb.JournalOutcome.JOURNAL_OUTCOME_APPLIED,
  refused: pb.JournalOutcome.JOURNAL_OUTCOME_REFUSED,
  failed: pb.JournalOutcome.JOURNAL_OUTCOME_FAILED,
  partial: pb.JournalOutcome.JOURNAL_OUTCOME_PARTIAL,
  indeterminate: pb.JournalOutcome.JOURNAL_OUTCOME_INDETERMINATE,
  'not-applied': pb.JournalOutcome.JOURNAL_OUTCOME_NOT_APPLIED,
} as const satisfies Record<JournalOutcome, pb.JournalOutcome>;
export function planRoleToProto(role: PlanRole): PbRole {
  return ROLE[role];
}

export function planRoleFromProto(role: PbRole): PlanRole {
  return keyOf(ROLE, role) ?? 'asked';
}

export function planViewToProto(plan: PlanView): pb.Plan {
  return {
    id: plan.id,
    incident: plan.incident,
    role: ROLE[plan.role],
    says: plan.says,
    cause: plan.cause ?? '',
    remedy: plan.remedy,
    target: plan.target,
    params: columnsToProto(plan.params),
    state: STATE[plan.state],
    sealed: plan.sealed && sealedPlanToProto(plan.sealed),
    approval: plan.approval && {
      actor: plan.approval.actor,
      reason: plan.approval.reason,
      approvedAt: dateToProto(plan.approval.approvedAt),
      expiresAt: dateToProto(plan.approval.expiresAt),
    },
    journal: plan.journal.map(journalEntryToProto),
    result: plan.result ?? '',
    undoOf: plan.undoOf ?? '',
    doctor: plan.doctor ?? '',
  };
}

/** A state that is not known here reads as indeterminate: nothing may be done on it. */
export function planViewFromProto(plan: pb.Plan): PlanView {
  const { approval } = plan;
  return {
    id: plan.id,
    incident: plan.incident,
    role: planRoleFromProto(plan.role),
    says: plan.says,
    remedy: plan.remedy,
    target: plan.target,
    params: columnsFromProto(plan.params),
    state: keyOf(STATE, plan.state) ?? 'indeterminate',
    journal: plan.journal.map(journalEntryFromProto),
    ...(plan.cause !== '' && { cause: plan.cause }),
    ...(plan.sealed && { sealed: sealedPlanFromProto(plan.sealed) }),
    ...(approval?.approvedAt &&
      approval.expiresAt && {
        approval: {
          actor: approval.actor,
          reason: approval.reason,
          approvedAt: dateFromProto(approval.approvedAt),
          expiresAt: dateFromProto(approval.expiresAt),
        },
      }),
    ...(plan.result !== '' && { result: plan.result }),
    ...(plan.undoOf !== '' && { undoOf: plan.undoOf }),
    ...(plan.doctor !== '' && { doctor: plan.doctor }),
  };
}

function journalEntryToProto(entry: JournalEntryView): pb.JournalEntry {
  return {
    operationId: entry.operationId,
    intendedAt: dateToProto(entry.intendedAt),
    actor: entry.actor,
    outcome:
      entry.outcome === undefined
        ? pb.JournalOutcome.JOURNAL_OUTCOME_UNSPECIFIED
        : JOURNAL_OUTCOME[entry.outcome],
    says: entry.says,
    knownAt: entry.knownAt && dateToProto(entry.knownAt),
    byProbe: entry.isByProbe,
  };
}

function journalEntryFromProto(entry: pb.JournalEntry): JournalEntryView {
  const outcome = keyOf(JOURNAL_OUTCOME, entry.outcome);
  return {
    operationId: entry.operationId,
    intendedAt: entry.intendedAt ? dateFromProto(entry.intendedAt) : new Date(0),
    actor: entry.actor,
    says: entry.says,
    isByProbe: entry.byProbe,
    ...(outcome !== undefined && { outcome }),
    ...(entry.knownAt && { knownAt: dateFromProto(entry.knownAt) }),
  };
}

export function planRemedyRequestToProto(request: PlanRemedyRequest): api.PlanRemedyRequest {
  const params = columnsToProto(request.params ?? {});
  return 'plan' in request
    ? { plan: request.plan, remedy: '', target: '', params, incident: '' }
    : {
        plan: '',
        remedy: request.remedy,
        target: request.target,
        params,
        incident: request.incident ?? '',
      };
}

export function planRemedyRequestFromProto(request: api.PlanRemedyRequest): PlanRemedyRequest {
  const params = columnsFromProto(request.params);
  if (request.plan !== '') return { plan: request.plan, params };
  return {
    remedy: request.remedy,
    target: request.target,
    params,
    ...(request.incident !== '' && { incident: request.incident }),
  };
}

/** Also for the undo, whose response has the same form. */
export function planRemedyEventToProto(event: PlanRemedyEvent): api.PlanRemedyResponse {
  switch (event.kind) {
    case 'progress':
      return { event: { $case: 'progress', value: event.says } };
    case 'plan':
      return { event: { $case: 'plan', value: planViewToProto(event.plan) } };
    case 'refused':
      return {
        event: {
          $case: 'refused',
          value: {
            says: event.says,
            blind: event.blind.map(blindSpotToProto),
            byHand: [...event.byHand],
          },
        },
      };
  }
}

/** Absent: an event that this reader does not know. */
export function planRemedyEventFromProto(
  response: api.PlanRemedyResponse,
): PlanRemedyEvent | undefined {
  const { event } = response;
  switch (event?.$case) {
    case undefined:
      return undefined;
    case 'progress':
      return { kind: 'progress', says: event.value };
    case 'plan':
      return { kind: 'plan', plan: planViewFromProto(event.value) };
    case 'refused':
      return {
        kind: 'refused',
        says: event.value.says,
        blind: event.value.blind.map(blindSpotFromProto),
        byHand: event.value.byHand,
      };
  }
}

export function approvePlanRequestToProto(request: ApprovePlanRequest): api.ApprovePlanRequest {
  return {
    plan: request.plan,
    hash: request.hash,
    reason: request.reason,
    validFor: request.validForMs === undefined ? undefined : durationToProto(request.validForMs),
  };
}

export function approvePlanRequestFromProto(request: api.ApprovePlanRequest): ApprovePlanRequest {
  return {
    plan: request.plan,
    hash: request.hash,
    reason: request.reason,
    ...(request.validFor && { validForMs: durationFromProto(request.validFor) }),
  };
}
