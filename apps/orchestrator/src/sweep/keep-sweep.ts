import type { Acceptance, Answer } from '@starr/incident';
import { maskText, toDoctorError } from '@starr/kernel';
import type { StoredSweep, SweepEvidence } from '@starr/store';
import { answerView } from './answer-view.ts';
import { numberSteps, recordSweep } from './record-sweep.ts';
import type { SweepContext, SweepRun } from './sweep-run.ts';
import { withinMs } from './within-ms.ts';

/** An answer with all that it was made of, so that it can be made again. */
export interface Made {
  readonly answer: Answer;
  readonly evidence: SweepEvidence;
}

/** True: the store has it. The answer is told in any case. */
export async function recordAndTell(
  context: SweepContext,
  run: SweepRun,
  { answer, evidence }: Made,
  begun: Promise<boolean>,
): Promise<boolean> {
  const recorded = await withinMs(run.bounds.recordMs, record());
  if (recorded === undefined) {
    run.events.push({ kind: 'notice', says: 'the store is away: this sweep is not recorded' });
    run.events.push({ kind: 'answer', answer: answerView(answer) });
    return false;
  }
  const numbered = numberSteps(answer, recorded.plans);
  run.events.push({ kind: 'answer', answer: answerView(numbered, recorded.incident?.id) });
  return true;

  async function record() {
    if (context.store === undefined || !(await begun)) return undefined;
    const sweep: StoredSweep = {
      ...storedSweep(context, run, 'answered'),
      endedAt: answer.endedAt,
      evidence,
      answer,
    };
    return recordSweep(context.store, sweep, answer, run.requester).catch((error: unknown) => {
      warn(context, 'the sweep could not be recorded', error);
      return undefined;
    });
  }
}

export function storedSweep(
  context: SweepContext,
  run: SweepRun,
  state: StoredSweep['state'],
): StoredSweep {
  return {
    id: run.id,
    environment: context.environment,
    requestedBy: `${run.requester.kind}:${run.requester.name}`,
    asked: { ...run.plan },
    startedAt: run.startedAt,
    state,
    ...(run.traceId !== undefined && { traceId: run.traceId }),
  };
}

/** Never rejects. */
export async function saveSweep(context: SweepContext, sweep: StoredSweep): Promise<boolean> {
  if (context.store === undefined) return false;
  try {
    await context.store.sweeps.save(sweep);
    return true;
  } catch (error) {
    warn(context, 'the sweep could not be recorded', error);
    return false;
  }
}

/** Never rejects: with the store away nothing is silenced, which is the safe side. */
export async function acceptedStates(
  context: SweepContext,
  run: SweepRun,
): Promise<readonly Acceptance[]> {
  if (context.store === undefined) return [];
  try {
    return await context.store.accepted.inForce();
  } catch (error) {
    warn(context, 'accepted states are not known', error);
    run.events.push({
      kind: 'notice',
      says: 'the store is away: accepted states are not known, nothing is silenced',
    });
    return [];
  }
}

function warn(context: SweepContext, message: string, error: unknown): void {
  const { code, rawMessage } = toDoctorError(error);
  context.log.log('warn', message, { code, error: maskText(rawMessage) });
}
