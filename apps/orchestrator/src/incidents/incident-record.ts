import {
  effectText,
  recordMarkdown,
  writeRecord,
  type RecordPlan,
  type StarrRecord,
} from '@starr/incident';
import type { JournalEntry, Store, StoredIncident, StoredPlan } from '@starr/store';
import { resultText, traceOfPlan } from '../plans/plan-view.ts';

const MOST_PLANS = 200;

export interface IncidentRecord {
  readonly record: StarrRecord;
  readonly markdown: string;
}

/** The STARR record as the store tells it now. Undefined: no sweep of the incident was answered yet. */
export async function incidentRecord(
  store: Store,
  incident: StoredIncident,
): Promise<IncidentRecord | undefined> {
  const [oldest] = incident.sweeps;
  const newest = incident.sweeps.at(-1);
  if (oldest === undefined || newest === undefined) return undefined;
  const [first, last, plans] = await Promise.all([
    store.sweeps.get(oldest),
    newest === oldest ? undefined : store.sweeps.get(newest),
    store.plans.list(incident.id, MOST_PLANS),
  ]);
  if (first?.answer === undefined) return undefined;
  const recordPlans = await Promise.all(
    plans.map(async (plan) => recordPlan(plan, await store.journal.ofPlan(plan.id))),
  );
  const record = writeRecord({
    incident,
    first: first.answer,
    ...(last?.answer && { last: last.answer }),
    plans: recordPlans.filter(({ state }) => state !== 'proposed'),
    traceIds: [
      ...[first, last].flatMap((sweep) => sweep?.traceId ?? []),
      ...plans.flatMap((plan) => traceOfPlan(plan) ?? []),
    ],
  });
  return { record, markdown: recordMarkdown(record) };
}

function recordPlan(plan: StoredPlan, journal: readonly JournalEntry[]): RecordPlan {
  const entries = new Map(journal.map((entry) => [entry.operation, entry]));
  const says = resultText(plan);
  const { sealed, approval } = plan;
  return {
    id: plan.id,
    role: plan.role,
    says: plan.says,
    remedy: plan.remedy,
    target: plan.target,
    state: plan.state,
    operations: (sealed?.operations ?? []).map((operation) => ({
      says: operation.says,
      ...momentsOf(entries.get(operation.id)),
    })),
    ...(sealed && {
      hash: sealed.hash,
      effect: { wanted: effectText(sealed.effect), ...(says !== undefined && { says }) },
    }),
    ...(approval && {
      approval: { actor: approval.actor, reason: approval.reason, at: approval.approvedAt },
    }),
    ...(plan.endedAt && { endedAt: plan.endedAt }),
  };
}

function momentsOf(
  entry: JournalEntry | undefined,
): Omit<RecordPlan['operations'][number], 'says'> {
  if (entry === undefined) return {};
  return {
    begunAt: entry.at,
    ...(entry.outcome && { outcome: entry.outcome.outcome, endedAt: entry.outcome.at }),
  };
}
