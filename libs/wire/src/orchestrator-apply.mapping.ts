import type { ApplyPlanEvent, EffectStateName, OperationMove } from './orchestrator.ts';
import type * as api from './gen/starr/orchestrator/v1/orchestrator.ts';
import * as pb from './gen/starr/orchestrator/v1/plan.ts';
import { keyOf } from './key-of.ts';
import {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
} from './moment.mapping.ts';
import {
  JOURNAL_OUTCOME,
  planViewFromProto,
  planViewToProto,
} from './orchestrator-plan.mapping.ts';

const EFFECT = {
  settling: pb.EffectState.EFFECT_STATE_SETTLING,
  waiting: pb.EffectState.EFFECT_STATE_WAITING,
  holding: pb.EffectState.EFFECT_STATE_HOLDING,
  established: pb.EffectState.EFFECT_STATE_ESTABLISHED,
  missed: pb.EffectState.EFFECT_STATE_MISSED,
} as const satisfies Record<EffectStateName, pb.EffectState>;

export function applyPlanEventToProto(event: ApplyPlanEvent): api.ApplyPlanResponse {
  switch (event.kind) {
    case 'started':
      return {
        event: {
          $case: 'started',
          value: { plan: planViewToProto(event.plan), joined: event.joined },
        },
      };
    case 'operation':
      return {
        event: {
          $case: 'operation',
          value: {
            operationId: event.operationId,
            position: event.position,
            says: event.says,
            move: moveToProto(event.moved),
          },
        },
      };
    case 'effect':
      return {
        event: {
          $case: 'effect',
          value: {
            state: EFFECT[event.state],
            value: event.value,
            says: event.says,
            observedAt: event.observedAt && dateToProto(event.observedAt),
            remaining:
              event.remainingMs === undefined ? undefined : durationToProto(event.remainingMs),
          },
        },
      };
    case 'notice':
      return { event: { $case: 'notice', value: event.says } };
    case 'ended':
      return {
        event: { $case: 'ended', value: { plan: planViewToProto(event.plan), says: event.says } },
      };
  }
}

function moveToProto(moved: OperationMove): pb.OperationMoved['move'] {
  switch (moved.move) {
    case 'begun':
      return { $case: 'begun', value: {} };
    case 'progress':
      return { $case: 'progress', value: { says: moved.says, ratio: moved.ratio } };
    case 'ended':
      return {
        $case: 'ended',
        value: {
          outcome:
            moved.outcome === undefined
              ? pb.JournalOutcome.JOURNAL_OUTCOME_UNSPECIFIED
              : JOURNAL_OUTCOME[moved.outcome],
          says: moved.says,
          byProbe: moved.isByProbe,
        },
      };
  }
}

/** Absent: an event that this reader does not know. */
export function applyPlanEventFromProto(
  response: api.ApplyPlanResponse,
): ApplyPlanEvent | undefined {
  const { event } = response;
  switch (event?.$case) {
    case undefined:
      return undefined;
    case 'notice':
      return { kind: 'notice', says: event.value };
    case 'started': {
      const { plan, joined } = event.value;
      return plan && { kind: 'started', plan: planViewFromProto(plan), joined };
    }
    case 'ended': {
      const { plan, says } = event.value;
      return plan && { kind: 'ended', plan: planViewFromProto(plan), says };
    }
    case 'operation': {
      const moved = moveFromProto(event.value.move);
      const { operationId, position, says } = event.value;
      return moved && { kind: 'operation', operationId, position, says, moved };
    }
    case 'effect':
      return effectSeenFromProto(event.value);
  }
}

function moveFromProto(move: pb.OperationMoved['move']): OperationMove | undefined {
  switch (move?.$case) {
    case undefined:
      return undefined;
    case 'begun':
      return { move: 'begun' };
    case 'progress': {
      const { says, ratio } = move.value;
      return { move: 'progress', says, ...(ratio !== undefined && { ratio }) };
    }
    case 'ended': {
      const outcome = keyOf(JOURNAL_OUTCOME, move.value.outcome);
      const { says, byProbe: isByProbe } = move.value;
      return { move: 'ended', says, isByProbe, ...(outcome !== undefined && { outcome }) };
    }
  }
}

/** A state that is not known here is not established. */
function effectSeenFromProto(seen: pb.EffectSeen): ApplyPlanEvent {
  return {
    kind: 'effect',
    state: keyOf(EFFECT, seen.state) ?? 'waiting',
    says: seen.says,
    ...(seen.value !== undefined && { value: seen.value }),
    ...(seen.observedAt && { observedAt: dateFromProto(seen.observedAt) }),
    ...(seen.remaining && { remainingMs: durationFromProto(seen.remaining) }),
  };
}
