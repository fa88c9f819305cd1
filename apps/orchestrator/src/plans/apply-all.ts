import { nextAct, type JournalView, type NextAct } from '@starr/incident';
import { toDoctorError, type PlannedOperation, type PlanState } from '@starr/kernel';
import type { JournalEntry, Lease } from '@starr/store';
import { applyOperation, conclude } from './apply-operation.ts';
import { persist } from './persist.ts';
import { notice, type PlanRun } from './plan-run.ts';
import { probeOperation } from './probe-operation.ts';

/** How applying ended, before any effect is judged. */
export interface Applied {
  readonly state: Extract<PlanState, 'verifying' | 'refused' | 'failed' | 'indeterminate'>;
  /** One sentence, with what to do now. */
  readonly says: string;
}

/** What the journal says, with the sentence that came with it. */
type Told = JournalView & { readonly says: string };

/** One after another, as the plan and the journal say. */
export async function applyAll(run: PlanRun, lease: Lease): Promise<Applied> {
  const { operations } = run.plan.sealed;
  const journal: Told[] = [];
  for (;;) {
    const next = nextAct(operations, journal);
    if (next.do !== 'apply') return appliedFrom(next, operations, journal);
    const { operation } = next;
    try {
      const { outcome, says } = await applyOperation(run, operation, journal.length, lease);
      journal.push({ operation: operation.id, outcome, says });
    } catch (thrown) {
      const { rawMessage } = toDoctorError(thrown);
      notice(run, `${operation.id} was not sent: ${rawMessage}`);
      return interrupted(operations, journal, rawMessage);
    }
  }
}

/** After a crash: what has an intent is asked for; what has none was never sent, and stays undone. */
export async function probeAll(run: PlanRun): Promise<Applied> {
  const { clock, stopping } = run.context;
  const entries = await persist(() => run.store.journal.ofPlan(run.plan.id), {
    clock,
    stopping,
    onAway: () => {
      notice(run, 'the store is away; waiting for the journal');
    },
  });
  const journal: Told[] = [];
  for (const entry of entries)
    journal.push({ operation: entry.operation, ...(await settle(run, entry)) });
  return decided(run.plan.sealed.operations, journal);
}

/** What follows from a journal in which nothing will be sent any more. */
export function decided(
  operations: readonly PlannedOperation[],
  journal: readonly Told[],
): Applied {
  const next = nextAct(operations, journal);
  return next.do === 'apply'
    ? interrupted(operations, journal, 'the orchestrator had ended')
    : appliedFrom(next, operations, journal);
}

async function settle(run: PlanRun, entry: JournalEntry): Promise<Omit<Told, 'operation'>> {
  const { outcome: known } = entry;
  if (known !== undefined && known.outcome !== 'indeterminate') return known;
  const operation = run.plan.sealed.operations.find(({ id }) => id === entry.operation);
  if (operation === undefined) return { outcome: 'indeterminate', says: 'not in the plan' };
  notice(run, `${operation.id} was begun, its outcome is not known; asking ${run.member.name}`);
  const outcome = await probeOperation(run, operation);
  await conclude(run, operation, entry.position, outcome);
  return outcome;
}

function appliedFrom(
  next: Exclude<NextAct, { do: 'apply' }>,
  operations: readonly PlannedOperation[],
  journal: readonly Told[],
): Applied {
  switch (next.do) {
    case 'verify':
      return { state: 'verifying', says: `${countText(operations, journal)} took place.` };
    case 'probe':
      return { state: 'indeterminate', says: `Not known yet: ${next.operation.says}.` };
    case 'end':
      return {
        state: next.state,
        says: sentences(next.says, journal.at(-1)?.says, ADVICE[next.state]),
      };
  }
}

const ADVICE = {
  refused: 'Plan it anew.',
  failed: 'Sweep again before anything else.',
  indeterminate: 'Look at the target by hand before anything else.',
} as const;

/** What took place is verified all the same; what was never sent stays undone. */
function interrupted(
  operations: readonly PlannedOperation[],
  journal: readonly JournalView[],
  why: string,
): Applied {
  const rest = `The rest was never sent: ${why}`;
  return journal.some(wasActed)
    ? { state: 'verifying', says: `${countText(operations, journal)} took place. ${rest}.` }
    : { state: 'failed', says: `Nothing was done. ${rest}. Plan it anew.` };
}

function countText(
  operations: readonly PlannedOperation[],
  journal: readonly JournalView[],
): string {
  return `${journal.filter(wasActed).length} of ${operations.length} operations`;
}

function wasActed({ outcome }: JournalView): boolean {
  return outcome === 'applied' || outcome === 'partial';
}

/** What followed, what the doctor said, and what to do now. */
function sentences(...texts: readonly (string | undefined)[]): string {
  return texts
    .flatMap((text) => text ?? [])
    .map((text) => text.slice(0, 1).toUpperCase() + text.slice(1).replace(/\.$/, ''))
    .join('. ')
    .concat('.');
}
