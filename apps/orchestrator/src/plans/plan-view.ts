import { trace } from '@opentelemetry/api';
import type { Json } from '@starr/kernel';
import { traceIdOf } from '@starr/telemetry';
import type { JournalEntry, Store, StoredPlan } from '@starr/store';
import type { JournalEntryView, PlanView } from '@starr/wire';

/** How a plan stands, as it is kept: a sentence with what to do now, and the trace of the remedy. */
export function keptResult(says: string, more: Readonly<Record<string, Json>> = {}): Json {
  const span = trace.getActiveSpan();
  const traceId = span && traceIdOf(span);
  return { says, ...more, ...(traceId !== undefined && { traceId }) };
}

/** In hex; undefined: it was not traced, or not begun. */
export function traceOfPlan({ result }: StoredPlan): string | undefined {
  const { traceId } = membersOf(result);
  return typeof traceId === 'string' ? traceId : undefined;
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
  const { says, by } = membersOf(result);
  if (typeof says === 'string' && state !== 'superseded') return says;
  return state === 'superseded' && typeof by === 'string'
    ? `${by} acted on the same target before its effect was judged.`
    : undefined;
}

/** Empty: nothing is kept, or not in the form of this version. */
export function membersOf(result: Json | undefined): Readonly<Record<string, Json | undefined>> {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return {};
  return result as Readonly<Record<string, Json | undefined>>;
}
