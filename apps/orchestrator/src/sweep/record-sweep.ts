import { fingerprintOf, opensIncident, type Answer, type NextStep } from '@starr/incident';
import type {
  Opener,
  Proposal,
  Store,
  StoredIncident,
  StoredPlan,
  StoredSweep,
} from '@starr/store';

export interface Recorded {
  /** Absent: nothing was found, so there is none. */
  readonly incident?: StoredIncident;
  /** One a step of the answer, in its order. */
  readonly plans: readonly StoredPlan[];
}

/** The sweep whole, and where it found something, its incident with numbered proposals. */
export async function recordSweep(
  store: Store,
  sweep: StoredSweep,
  answer: Answer,
  openedBy: Opener,
): Promise<Recorded> {
  await store.sweeps.save(sweep);
  if (!opensIncident(answer)) return { plans: [] };
  const incident = await store.incidents.open({
    environment: sweep.environment,
    openedBy,
    fingerprint: fingerprintOf(answer),
    title: answer.headline,
    sweep: sweep.id,
  });
  const proposals = stepsOf(answer).map(proposalFromStep);
  const plans =
    proposals.length === 0 ? [] : await store.plans.propose(incident.id, sweep.id, proposals);
  return { incident, plans };
}

export interface CauseStep extends NextStep {
  readonly playbook: string;
}

export function stepsOf(answer: Answer): readonly CauseStep[] {
  return answer.causes.flatMap(({ playbook, steps }) =>
    steps.map((step) => ({ ...step, playbook })),
  );
}

function proposalFromStep(step: CauseStep): Proposal {
  return {
    role: step.role,
    says: step.title,
    cause: step.playbook,
    remedy: step.remedy,
    target: step.target,
    params: step.params,
  };
}

/** Steps are numbered as their plans are: the plan of step 2 of INC-7 is INC-7.2, also when INC-7 had plans before. */
export function numberSteps(answer: Answer, plans: readonly StoredPlan[]): Answer {
  let next = 0;
  return {
    ...answer,
    causes: answer.causes.map((cause) => ({
      ...cause,
      steps: cause.steps.map((step) => {
        const number = plans[next]?.number ?? step.number;
        next += 1;
        return { ...step, number };
      }),
    })),
  };
}
