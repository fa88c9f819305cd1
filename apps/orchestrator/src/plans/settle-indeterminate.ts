import type { JournalEntry, Store, StoredPlan } from '@starr/store';
import { decided } from './apply-all.ts';
import type { PlanContext } from './plan-context.ts';
import { membersOf } from './plan-view.ts';
import { probeOnce } from './probe-operation.ts';

/**
 * Asks again for operations whose outcome could not be told. When it can be, the plan goes on: to be verified when
 * something took place, else to its end. Nothing is ever sent.
 */
export async function settleIndeterminate(context: PlanContext, store: Store): Promise<void> {
  const open = await store.journal.open();
  for (const id of new Set(open.map(({ plan }) => plan))) {
    const plan = await store.plans.get(id);
    if (plan?.state !== 'indeterminate') continue;
    const entries = open.filter((entry) => entry.plan === id);
    if (await settleAll(context, store, plan, entries)) await finishPlan(store, plan);
  }
}

/** True: nothing is open any more. */
async function settleAll(
  { roster }: PlanContext,
  store: Store,
  plan: StoredPlan,
  entries: readonly JournalEntry[],
): Promise<boolean> {
  const member = roster.members.find(({ name }) => name === plan.doctor);
  const { sealed, doctor } = plan;
  if (member === undefined || sealed === undefined || doctor === undefined) return false;
  let settled = 0;
  for (const entry of entries) {
    const ready = { ...plan, sealed, doctor };
    const probed = await probeOnce({ member, plan: ready }, { id: entry.operation });
    if (probed.state !== 'known') continue;
    await store.journal.conclude(entry.operation, probed.outcome);
    settled += 1;
  }
  return settled === entries.length;
}

async function finishPlan(store: Store, plan: StoredPlan): Promise<void> {
  const entries = await store.journal.ofPlan(plan.id);
  const journal = entries.map(({ operation, outcome }) => ({
    operation,
    says: outcome?.says ?? '',
    ...(outcome && { outcome: outcome.outcome }),
  }));
  const { state, says } = decided(plan.sealed?.operations ?? [], journal);
  await store.plans.move(plan.id, ['indeterminate'], state, {
    ...membersOf(plan.result),
    says: `Found out later: ${says}`,
  });
}
