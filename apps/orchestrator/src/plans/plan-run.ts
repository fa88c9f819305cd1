import type { EventLog } from '@starr/kernel';
import type { Store, StoredPlan } from '@starr/store';
import type { ApplyPlanEvent, PlanView } from '@starr/wire';
import type { RosterMember } from '../doctors/doctor-roster.ts';
import type { PlanContext } from './plan-context.ts';
import { planView } from './plan-view.ts';

/** A sealed plan with all that applying it needs. */
export type ReadyPlan = StoredPlan & Required<Pick<StoredPlan, 'sealed' | 'doctor'>>;

/** One plan on its way: being applied, recovered or verified. */
export interface PlanRun {
  readonly context: PlanContext;
  readonly store: Store;
  readonly plan: ReadyPlan;
  readonly member: RosterMember;
  readonly events: EventLog<ApplyPlanEvent>;
}

export function notice(run: PlanRun, says: string): void {
  run.events.push({ kind: 'notice', says });
  run.context.log.log('warn', says, { plan: run.plan.id });
}

/** As the store has it now; as last known when the store is away. */
export async function currentView({ store, plan }: PlanRun): Promise<PlanView> {
  try {
    const [now, journal] = await Promise.all([
      store.plans.get(plan.id),
      store.journal.ofPlan(plan.id),
    ]);
    return planView(now ?? plan, journal);
  } catch {
    return planView(plan, []);
  }
}
