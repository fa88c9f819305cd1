import {
  DoctorError,
  type ApplyEvent,
  type Effect,
  type OperationEnd,
  type PlanEvent,
  type PlanRequest,
  type ProbeResult,
  type SealedPlan,
} from '@starr/kernel';
import * as pb from './gen/starr/doctor/v1/doctor.ts';
import {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
} from './moment.mapping.ts';
import {
  columnsFromProto,
  columnsToProto,
  entityFromProto,
  entityToProto,
  measurementFromProto,
  measurementToProto,
} from './values.mapping.ts';
import { blindSpotFromProto, blindSpotToProto } from './verdict.mapping.ts';

const ON_TROUBLE = {
  stop: pb.OnTrouble.ON_TROUBLE_STOP,
  continue: pb.OnTrouble.ON_TROUBLE_CONTINUE,
} as const;
const ON_MISS = {
  ask: pb.OnMiss.ON_MISS_ASK,
  'undo-if-worse': pb.OnMiss.ON_MISS_UNDO_IF_WORSE,
} as const;
const OUTCOME = {
  applied: pb.OperationOutcome.OPERATION_OUTCOME_APPLIED,
  refused: pb.OperationOutcome.OPERATION_OUTCOME_REFUSED,
  failed: pb.OperationOutcome.OPERATION_OUTCOME_FAILED,
  partial: pb.OperationOutcome.OPERATION_OUTCOME_PARTIAL,
  indeterminate: pb.OperationOutcome.OPERATION_OUTCOME_INDETERMINATE,
} as const satisfies Record<OperationEnd['outcome'], pb.OperationOutcome>;
const PROBE = {
  running: pb.ProbeState.PROBE_STATE_RUNNING,
  applied: pb.ProbeState.PROBE_STATE_APPLIED,
  'not-applied': pb.ProbeState.PROBE_STATE_NOT_APPLIED,
  indeterminate: pb.ProbeState.PROBE_STATE_INDETERMINATE,
} as const satisfies Record<ProbeResult['state'], pb.ProbeState>;

export function planRequestToProto(request: PlanRequest): pb.PlanRemedyRequest {
  return {
    remedy: request.remedy,
    target: request.target,
    params: columnsToProto(request.params),
    undoReceipts: [...(request.undo ?? [])],
  };
}

export function planRequestFromProto(request: pb.PlanRemedyRequest): PlanRequest {
  return {
    remedy: request.remedy,
    target: request.target,
    params: columnsFromProto(request.params),
    ...(request.undoReceipts.length > 0 && { undo: request.undoReceipts }),
  };
}

export function effectToProto(effect: Effect): pb.Effect {
  return {
    diagnostic: effect.diagnostic,
    about: entityToProto(effect.about),
    measurement: effect.measurement,
    below: effect.below,
    above: effect.above,
    settle: durationToProto(effect.settleMs),
    hold: durationToProto(effect.holdMs),
    within: durationToProto(effect.withinMs),
    onMiss: ON_MISS[effect.onMiss],
  };
}

export function effectFromProto(effect: pb.Effect): Effect {
  return {
    diagnostic: effect.diagnostic,
    about: entityFromProto(effect.about),
    measurement: effect.measurement,
    ...(effect.below !== undefined && { below: effect.below }),
    ...(effect.above !== undefined && { above: effect.above }),
    settleMs: effect.settle ? durationFromProto(effect.settle) : 0,
    holdMs: effect.hold ? durationFromProto(effect.hold) : 0,
    withinMs: effect.within ? durationFromProto(effect.within) : 0,
    onMiss: effect.onMiss === pb.OnMiss.ON_MISS_UNDO_IF_WORSE ? 'undo-if-worse' : 'ask',
  };
}

export function sealedPlanToProto(plan: SealedPlan): pb.SealedPlan {
  return {
    remedy: plan.remedy,
    target: plan.target,
    operations: plan.operations.map((operation) => ({
      ...operation,
      onRefused: ON_TROUBLE[operation.onRefused],
      onFailed: ON_TROUBLE[operation.onFailed],
      isLong: operation.isLong ?? false,
    })),
    effect: effectToProto(plan.effect),
    touches: plan.touches.map(measurementToProto),
    warnings: [...plan.warnings],
    hash: plan.hash,
    seal: plan.seal,
    expiresAt: dateToProto(plan.expiresAt),
  };
}

export function sealedPlanFromProto(plan: pb.SealedPlan): SealedPlan {
  if (!plan.effect)
    throw new DoctorError('WIRE_INVALID', {
      message: 'a plan without an effect',
      details: { field: 'plan.effect' },
    });
  const onTrouble = (value: pb.OnTrouble) =>
    value === pb.OnTrouble.ON_TROUBLE_CONTINUE ? 'continue' : 'stop';
  return {
    remedy: plan.remedy,
    target: plan.target,
    operations: plan.operations.map(({ onRefused, onFailed, isLong, ...operation }) => ({
      id: operation.id,
      says: operation.says,
      byHand: operation.byHand,
      reversible: operation.reversible,
      onRefused: onTrouble(onRefused),
      onFailed: onTrouble(onFailed),
      ...(isLong && { isLong }),
    })),
    effect: effectFromProto(plan.effect),
    touches: plan.touches.map(measurementFromProto),
    warnings: plan.warnings,
    hash: plan.hash,
    seal: plan.seal,
    expiresAt: plan.expiresAt ? dateFromProto(plan.expiresAt) : new Date(0),
  };
}

export function planEventToProto(event: PlanEvent): pb.PlanRemedyResponse {
  switch (event.kind) {
    case 'progress':
      return { event: { $case: 'progress', value: event.says } };
    case 'plan':
      return { event: { $case: 'plan', value: sealedPlanToProto(event.plan) } };
    case 'refused':
      return {
        event: {
          $case: 'refusal',
          value: { says: event.says, blind: event.blind.map(blindSpotToProto) },
        },
      };
  }
}

/** Absent: an event that this reader does not know. */
export function planEventFromProto(response: pb.PlanRemedyResponse): PlanEvent | undefined {
  const event = response.event;
  switch (event?.$case) {
    case undefined:
      return undefined;
    case 'progress':
      return { kind: 'progress', says: event.value };
    case 'plan':
      return { kind: 'plan', plan: sealedPlanFromProto(event.value) };
    case 'refusal':
      return {
        kind: 'refused',
        says: event.value.says,
        blind: event.value.blind.map(blindSpotFromProto),
      };
  }
}

export function applyEventToProto(event: ApplyEvent): pb.ApplyOperationResponse {
  switch (event.kind) {
    case 'accepted':
      return { event: { $case: 'accepted', value: {} } };
    case 'progress':
      return { event: { $case: 'progress', value: { says: event.says, ratio: event.ratio } } };
    case 'end': {
      const { end } = event;
      const receipt = 'receipt' in end ? end.receipt : '';
      return {
        event: { $case: 'end', value: { outcome: OUTCOME[end.outcome], receipt, says: end.says } },
      };
    }
  }
}

/** Absent: an event that this reader does not know. An unknown outcome is indeterminate. */
export function applyEventFromProto(response: pb.ApplyOperationResponse): ApplyEvent | undefined {
  const event = response.event;
  switch (event?.$case) {
    case undefined:
      return undefined;
    case 'accepted':
      return { kind: 'accepted' };
    case 'progress':
      return {
        kind: 'progress',
        says: event.value.says,
        ...(event.value.ratio !== undefined && { ratio: event.value.ratio }),
      };
    case 'end':
      return { kind: 'end', end: operationEndFromProto(event.value) };
  }
}

function operationEndFromProto({ outcome, receipt, says }: pb.ApplyEnd): OperationEnd {
  switch (outcome) {
    case pb.OperationOutcome.OPERATION_OUTCOME_APPLIED:
      return { outcome: 'applied', receipt, says };
    case pb.OperationOutcome.OPERATION_OUTCOME_PARTIAL:
      return { outcome: 'partial', receipt, says };
    case pb.OperationOutcome.OPERATION_OUTCOME_REFUSED:
      return { outcome: 'refused', says };
    case pb.OperationOutcome.OPERATION_OUTCOME_FAILED:
      return { outcome: 'failed', says };
    case pb.OperationOutcome.OPERATION_OUTCOME_INDETERMINATE:
    case pb.OperationOutcome.OPERATION_OUTCOME_UNSPECIFIED:
    case pb.OperationOutcome.UNRECOGNIZED:
    default:
      return { outcome: 'indeterminate', says };
  }
}

export function probeResultToProto(result: ProbeResult): pb.ProbeOperationResponse {
  return {
    state: PROBE[result.state],
    receipt: 'receipt' in result ? result.receipt : '',
    says: result.says,
  };
}

export function probeResultFromProto({
  state,
  receipt,
  says,
}: pb.ProbeOperationResponse): ProbeResult {
  switch (state) {
    case pb.ProbeState.PROBE_STATE_RUNNING:
      return { state: 'running', says };
    case pb.ProbeState.PROBE_STATE_APPLIED:
      return { state: 'applied', receipt, says };
    case pb.ProbeState.PROBE_STATE_NOT_APPLIED:
      return { state: 'not-applied', says };
    case pb.ProbeState.PROBE_STATE_INDETERMINATE:
    case pb.ProbeState.PROBE_STATE_UNSPECIFIED:
    case pb.ProbeState.UNRECOGNIZED:
    default:
      return { state: 'indeterminate', says };
  }
}
