import {
  toDoctorError,
  type DoctorError,
  type OperationEnd,
  type PlannedOperation,
} from '@starr/kernel';
import { signGrant } from '@starr/doctor-host';
import type { Lease, NewOutcome } from '@starr/store';
import { persist } from './persist.ts';
import { notice, type PlanRun } from './plan-run.ts';
import { probeOperation } from './probe-operation.ts';

/** A grant lives no longer than the lease it was given under, so that a paused orchestrator cannot act late. */
const GRANT_MS = 15_000;
const LEAST_LEASE_MS = 2000;

/** The doctor says these before it touches anything. */
const BEFORE_THE_ACT: ReadonlySet<DoctorError['code']> = new Set([
  'REMEDY_SEAL',
  'REMEDY_GRANT',
  'REMEDY_TOMBSTONED',
  'REMEDY_BUSY',
  'REMEDY_REFUSED',
  'TARGET_UNKNOWN',
  'WIRE_UNAUTHENTICATED',
  'WIRE_FORBIDDEN',
  'WIRE_INVALID',
]);

/**
 * One act, at most once: the intent is committed, then the act is sent, then its outcome is kept; a lost answer is
 * probed. Fails only before anything was sent, with why: the lease is lost, the store away.
 */
export async function applyOperation(
  run: PlanRun,
  operation: PlannedOperation,
  position: number,
  lease: Lease,
): Promise<NewOutcome> {
  const { store, plan } = run;
  const actor = plan.appliedBy ?? plan.approval?.actor ?? 'unknown';
  await store.journal.intend({ operation: operation.id, plan: plan.id, position, actor }, lease);
  tell(run, operation, position, { move: 'begun' });
  const grant = await grantFor(run, operation, lease);
  const outcome =
    grant === undefined
      ? // Nothing was sent, and nobody else has this operation's seal and grant: the probe makes it final.
        await probeOperation(run, operation)
      : await send(run, operation, position, grant);
  await conclude(run, operation, position, outcome);
  return outcome;
}

/** Undefined: the lease is lost or nearly so; the act must not be sent any more. */
async function grantFor(
  { store, plan, context }: PlanRun,
  operation: PlannedOperation,
  lease: Lease,
): Promise<string | undefined> {
  const remainingMs = await store.leases.remainingMs(lease).catch(() => 0);
  if (remainingMs < LEAST_LEASE_MS) return undefined;
  const expiresAt = new Date(context.clock.now().getTime() + Math.min(GRANT_MS, remainingMs));
  const actor = plan.appliedBy ?? plan.approval?.actor ?? 'unknown';
  return signGrant(
    {
      v: 1,
      planHash: plan.sealed.hash,
      operationId: operation.id,
      actor,
      reason: plan.approval?.reason ?? 'approved',
      expiresAt: expiresAt.toISOString(),
    },
    context.grantPrivateKeyPem,
  );
}

async function send(
  run: PlanRun,
  operation: PlannedOperation,
  position: number,
  grant: string,
): Promise<NewOutcome> {
  const request = { seal: run.plan.sealed.seal, operationId: operation.id, grant };
  // Nobody's going away stops an act.
  const never = new AbortController().signal;
  let accepted = false;
  try {
    for await (const event of run.member.doctor.apply(request, never)) {
      if (event.kind === 'accepted') accepted = true;
      else if (event.kind === 'end') return await outcomeFromEnd(run, operation, event.end);
      else
        tell(run, operation, position, {
          move: 'progress',
          says: event.says,
          ...(event.ratio !== undefined && { ratio: event.ratio }),
        });
    }
    notice(run, `the answer to ${operation.id} was lost; asking what came of it`);
  } catch (thrown) {
    const error = toDoctorError(thrown);
    if (!accepted && BEFORE_THE_ACT.has(error.code))
      return { outcome: 'refused', says: error.rawMessage, knownBy: 'answer' };
    notice(run, `the answer to ${operation.id} was lost (${error.code}); asking what came of it`);
  }
  return probeOperation(run, operation);
}

async function outcomeFromEnd(
  run: PlanRun,
  operation: PlannedOperation,
  end: OperationEnd,
): Promise<NewOutcome> {
  switch (end.outcome) {
    case 'applied':
    case 'partial':
      return {
        outcome: end.outcome,
        says: end.says,
        receipt: end.receipt,
        knownBy: 'answer',
      };
    case 'refused':
    case 'failed':
      return { outcome: end.outcome, says: end.says, knownBy: 'answer' };
    case 'indeterminate':
      return probeOperation(run, operation);
  }
}

/** Kept however long the store is away; told to those who follow. */
export async function conclude(
  run: PlanRun,
  operation: PlannedOperation,
  position: number,
  outcome: NewOutcome,
): Promise<void> {
  await persist(() => run.store.journal.conclude(operation.id, outcome), {
    clock: run.context.clock,
    stopping: run.context.stopping,
    onAway: () => {
      notice(
        run,
        `${operation.id} is ${outcome.outcome}, and the store is away: its outcome is kept here and written when the store is back`,
      );
    },
  });
  tell(run, operation, position, {
    move: 'ended',
    outcome: outcome.outcome,
    says: outcome.says,
    isByProbe: outcome.knownBy === 'probe',
  });
}

type Moved = Extract<Parameters<PlanRun['events']['push']>[0], { kind: 'operation' }>['moved'];

function tell(run: PlanRun, { id, says }: PlannedOperation, position: number, moved: Moved): void {
  run.events.push({ kind: 'operation', operationId: id, position, says, moved });
}
