import { DoctorError } from '@starr/kernel';
import type { PlanRemedyEvent } from '@starr/wire';
import { needStore } from '../need-store.ts';
import type { PlanContext } from './plan-context.ts';
import { findPlan, planWanted, type Wanted } from './plan-remedy.ts';

/** The way back from what a plan did, as a plan of its own: from its receipts and today's state. */
export async function* undoPlan(
  context: PlanContext,
  id: string,
  actor: string,
  signal: AbortSignal,
): AsyncGenerator<PlanRemedyEvent> {
  yield* planWanted(context, await wantedUndo(context, id), actor, signal);
}

async function wantedUndo(context: PlanContext, id: string): Promise<Wanted> {
  const plan = await findPlan(context, id);
  const entries = await needStore(context.store).journal.ofPlan(id);
  const receipts = entries.flatMap(({ outcome }) => outcome?.receipt ?? []);
  if (receipts.length === 0)
    throw new DoctorError('REMEDY_REFUSED', {
      message: `${id} is ${plan.state} and has no receipt: there is nothing to take back`,
      details: { plan: id, state: plan.state },
    });
  return {
    proposal: {
      role: 'undo',
      says: `take ${id} back`,
      remedy: plan.remedy,
      target: plan.target,
      params: {},
      undoOf: id,
    },
    incident: plan.incident,
    undo: receipts.toReversed(),
  };
}
