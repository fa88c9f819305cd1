import { judgeEffect, type EffectJudgement, type EffectSample } from '@starr/incident';
import type { PlanState } from '@starr/kernel';
import { inSpan, SPAN } from '@starr/telemetry';
import type { EffectStateName } from '@starr/wire';
import { lookAfter, type WatchBase } from './effect-watch.ts';
import { persist } from './persist.ts';
import { keptResult } from './plan-view.ts';
import { currentView, notice, type PlanRun } from './plan-run.ts';

/** How verifying ended. `superseded`: another plan acted on the target. `stopped`: this process ends; the next one goes on. */
export interface Verified {
  readonly end: 'established' | 'missed' | 'worse' | 'superseded' | 'stopped';
  /** One sentence, with what to do now. */
  readonly says: string;
}

/** Looks that are too far apart make no hold: between them anything may have been. */
const INTERVAL_MS = { least: 50, most: 5000 };
const LOOKS_IN_A_HOLD = 12;

/** Looks again and again until the effect is established or missed; evidence from before the act does not count. */
export async function verifyPlan(run: PlanRun, base: WatchBase): Promise<Verified> {
  return inSpan(SPAN.verify(run.plan.remedy), {}, () => watch(run, base));
}

async function watch(run: PlanRun, base: WatchBase): Promise<Verified> {
  const { clock, stopping } = run.context;
  const { effect } = run.plan.sealed;
  const samples: EffectSample[] = [];
  let told: EffectJudgement | undefined;
  for (;;) {
    const judgement = judgeEffect({ effect, ...base, samples, now: clock.now() });
    if (isNews(judgement, told)) tell(run, judgement, base, samples.at(-1));
    told = judgement;
    if (judgement.isFinal) return finish(run, judgement);
    const untilMs = judgement.until.getTime() - clock.now().getTime();
    const pauseMs =
      judgement.state === 'settling' ? untilMs : Math.min(intervalMs(effect), untilMs);
    await clock.sleep(Math.max(1, pauseMs), stopping);
    if (stopping.aborted)
      return { end: 'stopped', says: 'This orchestrator ends; the next one goes on.' };
    if (await isSuperseded(run)) return supersededBy(run);
    if (judgement.state !== 'settling' || clock.now() >= judgement.until) {
      const sample = await lookAfter(run, base);
      if (sample !== undefined) samples.push(sample);
    }
  }
}

function intervalMs({ holdMs }: { readonly holdMs: number }): number {
  return Math.min(Math.max(holdMs / LOOKS_IN_A_HOLD, INTERVAL_MS.least), INTERVAL_MS.most);
}

function isNews(now: EffectJudgement, before: EffectJudgement | undefined): boolean {
  return now.state !== before?.state || now.says !== before.says || now.value !== before.value;
}

const STATES = {
  settling: 'settling',
  waiting: 'waiting',
  holding: 'holding',
  established: 'established',
  missed: 'missed',
  worse: 'missed',
  'not-established': 'missed',
} as const satisfies Record<EffectJudgement['state'], EffectStateName>;

function tell(
  { events, context, plan }: PlanRun,
  judgement: EffectJudgement,
  { lastActAt }: WatchBase,
  last: EffectSample | undefined,
): void {
  const { settleMs, holdMs } = plan.sealed.effect;
  const nowMs = context.clock.now().getTime();
  const beginMs = judgement.since?.getTime() ?? Math.max(nowMs, lastActAt.getTime() + settleMs);
  events.push({
    kind: 'effect',
    state: STATES[judgement.state],
    says: judgement.says,
    ...(judgement.value !== undefined && { value: judgement.value }),
    ...(last !== undefined && { observedAt: last.at }),
    ...(!judgement.isFinal && { remainingMs: Math.max(0, beginMs + holdMs - nowMs) }),
  });
}

/** An absent store is no reason to stop looking. */
async function isSuperseded({ store, plan }: PlanRun): Promise<boolean> {
  const now = await store.plans.get(plan.id).catch(() => undefined);
  return now?.state === 'superseded';
}

async function supersededBy(run: PlanRun): Promise<Verified> {
  const { result } = await currentView(run);
  return { end: 'superseded', says: result ?? 'Another plan acted on the target.' };
}

async function finish(run: PlanRun, { state, says: judged }: EffectJudgement): Promise<Verified> {
  const { plan, store, context } = run;
  const end = state === 'established' || state === 'worse' ? state : 'missed';
  const says =
    end === 'established'
      ? `The effect is established: ${judged}.`
      : `The effect is ${wordsOf(state)}: ${judged}. ${adviceFor(run, end)}`;
  const kept: PlanState = end === 'established' ? 'established' : 'missed';
  await persist(() => store.plans.move(plan.id, ['verifying'], kept, keptResult(says)), {
    clock: context.clock,
    stopping: context.stopping,
    onAway: () => {
      notice(run, 'the store is away: how the effect ended is written when it is back');
    },
  });
  return { end, says };
}

function wordsOf(state: EffectJudgement['state']): string {
  return state === 'worse'
    ? 'missed, and things are worse'
    : state === 'not-established'
      ? 'not established'
      : 'missed';
}

function adviceFor({ plan }: PlanRun, end: 'missed' | 'worse'): string {
  if (end === 'worse' && plan.sealed.effect.onMiss === 'undo-if-worse')
    return 'It is taken back, as the remedy says for this case.';
  return plan.sealed.operations.some(({ reversible }) => reversible)
    ? `Nothing was taken back; to do so: starr undo ${plan.id}`
    : 'What was done cannot be taken back; sweep again.';
}
