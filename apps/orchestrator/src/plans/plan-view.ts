import type { JournalEntry, Store, StoredPlan } from '@starr/store';
import type { JournalEntryView, PlanView } from '@starr/wire';

/** How a plan ended, as it is kept. */
export interface PlanResult {
  /** In a sentence, with what to do now. */
  readonly says: string;
}

export function planView(plan: StoredPlan, journal: readonly JournalEntry[]): PlanView {
  const result = resultText(plan);
  return {
    id: plan.id,
    incident: plan.incident,
    role: plan.role,
    says: plan.says,
    remedy: plan.remedy,
    target: plan.target,
    params: plan.params,
    state: plan.state,
    journal: journal.map(entryView),
    ...(plan.cause !== undefined && { cause: plan.cause }),
    ...(plan.sealed !== undefined && { sealed: plan.sealed }),
    ...(plan.doctor !== undefined && { doctor: plan.doctor }),
    ...(plan.approval !== undefined && { approval: plan.approval }),
    ...(result !== undefined && { result }),
    ...(plan.undoOf !== undefined && { undoOf: plan.undoOf }),
  };
}

/** With their journals, in order. */
export async function planViews(
  store: Store,
  plans: readonly StoredPlan[],
): Promise<readonly PlanView[]> {
  return Promise.all(
    plans.map(async (plan) =>
      planView(plan, plan.sealed === undefined ? [] : await store.journal.ofPlan(plan.id)),
    ),
  );
}

function entryView(entry: JournalEntry): JournalEntryView {
  const { outcome } = entry;
  return {
    operationId: entry.operation,
    intendedAt: entry.at,
    actor: entry.actor,
    says: outcome?.says ?? '',
    isByProbe: outcome?.knownBy === 'probe',
    ...(outcome !== undefined && { outcome: outcome.outcome, knownAt: outcome.at }),
  };
}

/** How it ended, in a sentence; undefined: it has not. */
export function resultText({ result, state }: StoredPlan): string | undefined {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return undefined;
  const { says, by } = result as { readonly says?: unknown; readonly by?: unknown };
  if (typeof says === 'string') return says;
  return state === 'superseded' && typeof by === 'string'
    ? `${by} acted on the same target before its effect was judged.`
    : undefined;
}
