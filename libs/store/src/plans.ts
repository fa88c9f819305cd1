import {
  DoctorError,
  type Json,
  type PlanRole,
  type PlanState,
  type SealedPlan,
  type Value,
} from '@starr/kernel';
import { writeAudit } from './audit.ts';
import type { Database, Query } from './database.ts';
import { REPLANNABLE } from './plan-states.ts';
import { PLAN_COLUMNS, planFromRow, type PlanRow } from './plan-rows.ts';
import { violatedConstraint } from './store-error.ts';
import { proposePlans } from './propose-plans.ts';
import { storableText, toStored } from './stored-json.ts';

/** What an answer or a person proposes; no pre-state has been read for it yet. */
export interface Proposal {
  readonly role: PlanRole;
  /** One line for people. */
  readonly says: string;
  /** The playbook or finding it comes from; absent: a person asked. */
  readonly cause?: string;
  readonly remedy: string;
  readonly target: string;
  readonly params: Readonly<Record<string, Value>>;
  /** The plan whose receipts are undone. */
  readonly undoOf?: string;
}

export interface Approval {
  readonly actor: string;
  readonly reason: string;
  readonly approvedAt: Date;
  readonly expiresAt: Date;
}

export interface StoredPlan extends Proposal {
  /** INC-7.1. */
  readonly id: string;
  readonly incident: string;
  readonly number: number;
  /** The sweep that proposed it; absent: none was recorded. */
  readonly sweep?: string;
  readonly state: PlanState;
  /** The doctor that sealed it; absent with `sealed`: not planned yet. */
  readonly doctor?: string;
  readonly sealed?: SealedPlan;
  readonly sealedAt?: Date;
  /** Of exactly this hash. Absent: none. */
  readonly approval?: Approval;
  readonly appliedBy?: string;
  readonly appliedAt?: Date;
  readonly endedAt?: Date;
  /** How it ended, in a sentence and numbers; absent: it has not. */
  readonly result?: Json;
  readonly createdAt: Date;
}

export interface NewApproval {
  readonly hash: string;
  readonly actor: string;
  readonly reason: string;
  /** From now, by the store's clock. */
  readonly validMs: number;
}

export interface Plans {
  /** Numbers proposals within the incident, in order; one that is already there and has not acted keeps its number. */
  propose(
    incident: string,
    sweep: string | undefined,
    proposals: readonly Proposal[],
  ): Promise<readonly StoredPlan[]>;
  /** Stores what the doctor sealed; an earlier approval is void. Fails with REMEDY_REFUSED when the plan has acted. Audited, like approve and start. */
  seal(id: string, doctor: string, sealed: SealedPlan, actor: string): Promise<StoredPlan>;
  /** Binds an approval to the hash. PLAN_NOT_APPROVED: another hash, or not in a state to be approved. */
  approve(id: string, approval: NewApproval): Promise<StoredPlan>;
  /**
   * approved → applying; plans of the same target that are still being verified are superseded.
   * PLAN_NOT_APPROVED: not approved, another hash, or expired. REMEDY_BUSY: another plan of its
   * kind (long or not) acts on the target.
   */
  start(id: string, hash: string, actor: string): Promise<StoredPlan>;
  /** Moves a plan that is in one of `from`. False: it is not, and nothing changed. */
  move(id: string, from: readonly PlanState[], to: PlanState, result?: Json): Promise<boolean>;
  get(id: string): Promise<StoredPlan | undefined>;
  /** Of one incident, by number; without one: the newest `count`. */
  list(incident: string | undefined, count: number): Promise<readonly StoredPlan[]>;
  /** Applying or verifying: somebody's to finish. */
  unfinished(): Promise<readonly StoredPlan[]>;
}

export function createPlans(database: Database): Plans {
  return {
    propose: (incident, sweep, proposals) =>
      database.transaction((query) => proposePlans(query, incident, sweep, proposals)),
    seal: (id, doctor, sealed, actor) =>
      database.transaction(async (query) => {
        const plan = await seal(query, id, doctor, sealed);
        await auditPlan(query, 'plan.seal', plan, actor);
        return plan;
      }),
    approve: (id, approval) =>
      database.transaction(async (query) => {
        const plan = await approve(query, id, approval);
        await auditPlan(query, 'plan.approve', plan, approval.actor, approval.reason);
        return plan;
      }),
    start: async (id, hash, actor) => {
      try {
        return await database.transaction(async (query) => {
          const plan = await start(query, id, hash, actor);
          await auditPlan(query, 'plan.apply', plan, actor, plan.approval?.reason);
          return plan;
        });
      } catch (thrown) {
        if (violatedConstraint(thrown) === 'one_active_plan_a_target')
          throw new DoctorError('REMEDY_BUSY', { cause: thrown, details: { plan: id } });
        throw thrown;
      }
    },
    move: (id, from, to, result) => database.call((query) => move(query, id, from, to, result)),
    get: (id) => database.call((query) => getPlan(query, id)),
    list: (incident, count) =>
      database.call(async (query) => {
        const rows = await query<PlanRow>(
          `SELECT ${PLAN_COLUMNS} FROM starr.plans WHERE $1::text IS NULL OR incident = $1
           ORDER BY CASE WHEN $1::text IS NULL THEN created_at END DESC, number LIMIT $2`,
          [incident ?? null, count],
        );
        return rows.map(planFromRow);
      }),
    unfinished: () =>
      database.call(async (query) => {
        const rows = await query<PlanRow>(
          `SELECT ${PLAN_COLUMNS} FROM starr.plans WHERE state IN ('applying', 'verifying') ORDER BY applied_at`,
        );
        return rows.map(planFromRow);
      }),
  };
}

function auditPlan(
  query: Query,
  action: string,
  plan: StoredPlan,
  actor: string,
  reason?: string,
): Promise<void> {
  const { remedy, target, sealed } = plan;
  return writeAudit(query, {
    actor,
    action,
    subject: plan.id,
    ...(reason !== undefined && { reason }),
    details: { remedy, target, ...(sealed && { hash: sealed.hash }) },
  });
}

async function seal(
  query: Query,
  id: string,
  doctor: string,
  sealed: SealedPlan,
): Promise<StoredPlan> {
  const [row] = await query<PlanRow>(
    `UPDATE starr.plans SET state = 'planned', doctor = $2, hash = $3, sealed = $4, sealed_at = clock_timestamp(), is_long = $6,
       approved_by = NULL, approved_at = NULL, approval_reason = NULL, approval_expires_at = NULL,
       ended_at = NULL, result = NULL
     WHERE id = $1 AND state = ANY($5) RETURNING ${PLAN_COLUMNS}`,
    [id, doctor, sealed.hash, toStored(sealed), REPLANNABLE, isLong(sealed)],
  );
  if (row !== undefined) return planFromRow(row);
  const plan = await needPlan(query, id);
  throw new DoctorError('REMEDY_REFUSED', {
    message: `Plan ${id} is ${plan.state}; plan the remedy anew.`,
    details: { plan: id, state: plan.state },
  });
}

/** One urgent operation makes the whole plan one that acts alone. */
function isLong({ operations }: SealedPlan): boolean {
  return operations.length > 0 && operations.every((operation) => operation.isLong === true);
}

async function approve(query: Query, id: string, approval: NewApproval): Promise<StoredPlan> {
  const [row] = await query<PlanRow>(
    `UPDATE starr.plans SET state = 'approved', approved_by = $3, approval_reason = $4,
       approved_at = clock_timestamp(), approval_expires_at = clock_timestamp() + $5 * interval '1 ms'
     WHERE id = $1 AND hash = $2 AND state IN ('planned', 'approved') RETURNING ${PLAN_COLUMNS}`,
    [
      id,
      approval.hash,
      storableText(approval.actor),
      storableText(approval.reason),
      approval.validMs,
    ],
  );
  if (row !== undefined) return planFromRow(row);
  throw notApproved(await needPlan(query, id), approval.hash);
}

async function start(query: Query, id: string, hash: string, actor: string): Promise<StoredPlan> {
  const plan = await needPlan(query, id, 'FOR UPDATE');
  await query(
    `UPDATE starr.plans SET state = 'superseded', ended_at = clock_timestamp(), result = jsonb_build_object('by', $2::text)
     WHERE state = 'verifying' AND target = $1 AND id <> $2`,
    [plan.target, id],
  );
  const [row] = await query<PlanRow>(
    `UPDATE starr.plans SET state = 'applying', applied_by = $3, applied_at = clock_timestamp()
     WHERE id = $1 AND hash = $2 AND state = 'approved' AND approval_expires_at > clock_timestamp()
     RETURNING ${PLAN_COLUMNS}`,
    [id, hash, storableText(actor)],
  );
  if (row === undefined) throw notApproved(plan, hash);
  return planFromRow(row);
}

async function move(
  query: Query,
  id: string,
  from: readonly PlanState[],
  to: PlanState,
  result: Json | undefined,
): Promise<boolean> {
  const rows = await query(
    `UPDATE starr.plans SET state = $3, result = coalesce($4::jsonb, result),
       ended_at = CASE WHEN $3 IN ('applying', 'verifying') THEN NULL ELSE clock_timestamp() END
     WHERE id = $1 AND state = ANY($2) RETURNING 1`,
    [id, from, to, result === undefined ? null : toStored(result)],
  );
  return rows.length > 0;
}

async function getPlan(query: Query, id: string, lock = ''): Promise<StoredPlan | undefined> {
  const sql = `SELECT ${PLAN_COLUMNS} FROM starr.plans WHERE id = $1 ${lock}`;
  const [row] = await query<PlanRow>(sql, [id]);
  return row && planFromRow(row);
}

async function needPlan(query: Query, id: string, lock?: 'FOR UPDATE'): Promise<StoredPlan> {
  const plan = await getPlan(query, id, lock);
  if (plan === undefined)
    throw new DoctorError('PLAN_UNKNOWN', { details: { field: 'plan', plan: id } });
  return plan;
}

/** Says what stands in the way: the state, the hash, or the time. */
function notApproved(plan: StoredPlan, hash: string): DoctorError {
  const why =
    plan.sealed !== undefined && plan.sealed.hash !== hash
      ? `its hash is ${plan.sealed.hash}, not ${hash}`
      : plan.state === 'approved'
        ? `its approval expired at ${plan.approval?.expiresAt.toISOString() ?? 'an unknown time'}`
        : `it is ${plan.state}`;
  return new DoctorError('PLAN_NOT_APPROVED', {
    message: `Plan ${plan.id} cannot go on: ${why}.`,
    details: { plan: plan.id, state: plan.state },
  });
}
