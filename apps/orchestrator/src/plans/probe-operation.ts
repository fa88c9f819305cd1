import { DoctorError, toDoctorError, type PlannedOperation } from '@starr/kernel';
import type { NewOutcome } from '@starr/store';
import type { PlanRun } from './plan-run.ts';

/** How long an absent doctor or an unclear patient is asked again before it is called indeterminate. */
const PROBE_FOR_MS = 30_000;
const PAUSE_MS = { least: 200, most: 2000 };
/** An act that goes on, an index build, is followed for so long. */
const FOLLOW_FOR_MS = 4 * 3_600_000;

/** What came of an operation whose answer was lost. Never repeats it: not applied is tombstoned by the doctor. */
export async function probeOperation(
  run: PlanRun,
  operation: PlannedOperation,
  probeForMs = PROBE_FOR_MS,
): Promise<NewOutcome> {
  const { clock, stopping } = run.context;
  const startedMs = clock.monotonicMs();
  let unclear = 'it was not asked';
  for (let pauseMs = PAUSE_MS.least; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS.most)) {
    const probed = await probeOnce(run, operation);
    if (probed.state === 'known') return probed.outcome;
    const spentMs = clock.monotonicMs() - startedMs;
    if (probed.state === 'unclear') unclear = probed.says;
    const bound = probed.state === 'running' ? FOLLOW_FOR_MS : probeForMs;
    if (spentMs + pauseMs > bound)
      return {
        outcome: 'indeterminate',
        says: `what came of it cannot be told: ${unclear}`,
        knownBy: 'probe',
      };
    await clock.sleep(pauseMs, stopping);
    if (stopping.aborted)
      throw new DoctorError('WIRE_CANCELLED', { message: 'this orchestrator ends' });
  }
}

type ProbedOnce =
  | { readonly state: 'known'; readonly outcome: NewOutcome }
  | { readonly state: 'running' }
  | { readonly state: 'unclear'; readonly says: string };

/** One question. Never fails. */
export async function probeOnce(
  { member, plan }: Pick<PlanRun, 'member' | 'plan'>,
  operation: Pick<PlannedOperation, 'id'>,
): Promise<ProbedOnce> {
  try {
    const { seal } = plan.sealed;
    const result = await member.doctor.probe({ seal, operationId: operation.id });
    switch (result.state) {
      case 'running':
        return { state: 'running' };
      case 'applied':
        return {
          state: 'known',
          outcome: {
            outcome: 'applied',
            says: result.says,
            receipt: result.receipt,
            knownBy: 'probe',
          },
        };
      case 'not-applied':
        return {
          state: 'known',
          outcome: { outcome: 'not-applied', says: result.says, knownBy: 'probe' },
        };
      case 'indeterminate':
        return { state: 'unclear', says: result.says };
    }
  } catch (thrown) {
    return { state: 'unclear', says: toDoctorError(thrown).rawMessage };
  }
}
