import type { Json, PlanRole, PlanState, SealedPlan } from '@starr/kernel';
import type { StoredPlan } from './plans.ts';
import { fromStored, paramsFromStored } from './stored-json.ts';

export const PLAN_COLUMNS = `id, incident, number, sweep, role, says, cause, remedy, target, params, undo_of, state, doctor,
  sealed, sealed_at, approved_by, approved_at, approval_reason, approval_expires_at, applied_by, applied_at, ended_at,
  result, created_at`;

export interface PlanRow {
  readonly id: string;
  readonly incident: string;
  readonly number: number;
  readonly sweep: string | null;
  readonly role: PlanRole;
  readonly says: string;
  readonly cause: string | null;
  readonly remedy: string;
  readonly target: string;
  readonly params: unknown;
  readonly undo_of: string | null;
  readonly state: PlanState;
  readonly doctor: string | null;
  readonly sealed: unknown;
  readonly sealed_at: Date | null;
  readonly approved_by: string | null;
  readonly approved_at: Date | null;
  readonly approval_reason: string | null;
  readonly approval_expires_at: Date | null;
  readonly applied_by: string | null;
  readonly applied_at: Date | null;
  readonly ended_at: Date | null;
  readonly result: Json | null;
  readonly created_at: Date;
}

export function planFromRow(row: PlanRow): StoredPlan {
  return {
    id: row.id,
    incident: row.incident,
    number: row.number,
    role: row.role,
    says: row.says,
    remedy: row.remedy,
    target: row.target,
    params: paramsFromStored(row.params),
    state: row.state,
    createdAt: row.created_at,
    ...(row.sweep !== null && { sweep: row.sweep }),
    ...(row.cause !== null && { cause: row.cause }),
    ...(row.undo_of !== null && { undoOf: row.undo_of }),
    ...(row.doctor !== null && { doctor: row.doctor }),
    ...(row.sealed !== null && { sealed: fromStored(row.sealed) as SealedPlan }),
    ...(row.sealed_at !== null && { sealedAt: row.sealed_at }),
    ...approvalFromRow(row),
    ...(row.applied_by !== null && { appliedBy: row.applied_by }),
    ...(row.applied_at !== null && { appliedAt: row.applied_at }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.result !== null && { result: row.result }),
  };
}

function approvalFromRow(row: PlanRow): Pick<StoredPlan, 'approval'> {
  const { approved_by: actor, approval_reason: reason } = row;
  const { approved_at: approvedAt, approval_expires_at: expiresAt } = row;
  if (actor === null || reason === null || approvedAt === null || expiresAt === null) return {};
  return { approval: { actor, reason, approvedAt, expiresAt } };
}
