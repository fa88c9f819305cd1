import { judgeEffect, type EffectJudgement, type EffectSample } from '@starr/incident';
import type { PlanState } from '@starr/store';
import { inSpan, SPAN } from '@starr/telemetry';
import type { EffectStateName } from '@starr/wire';
import { lookAfter, type WatchBase } from './effect-watch.ts';
import { persist } from './persist.ts';
import { currentView, notice, type PlanRun } from './plan-run.ts';

/** How verifying ended. `superseded`: another plan acted on the target. `stopped`: this process ends; the next one goes on. */
export type Verified = 'established' | 'missed' | 'worse' | 'superseded' | 'stopped';

const INTERVAL_MS = { least: 250, most: 5000 };
const LOOKS_IN_A_HOLD = 6;

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
    if (stopping.aborted) return 'stopped';
    if (await isSuperseded(run)) return finishSuperseded(run);
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

async function finishSuperseded(run: PlanRun): Promise<Verified> {
  const plan = await currentView(run);
  run.events.push({
    kind: 'ended',
    plan,
    says: plan.result ?? 'Another plan acted on the target.',
  });
  return 'superseded';
}

async function finish(run: PlanRun, judgement: EffectJudgement): Promise<Verified> {
  const { plan, store, context } = run;
  const isEstablished = judgement.state === 'established';
  const state: PlanState = isEstablished ? 'established' : 'missed';
  const says = isEstablished
    ? `The effect is established: ${judgement.says}.`
    : `The effect is ${wordsOf(judgement.state)}: ${judgement.says}. ${adviceFor(run)}`;
  await persist(() => store.plans.move(plan.id, ['verifying'], state, { says }), {
    clock: context.clock,
    stopping: context.stopping,
    onAway: () => {
      notice(run, 'the store is away: how the effect ended is written when it is back');
    },
  });
  run.events.push({ kind: 'ended', plan: await currentView(run), says });
  return isEstablished ? 'established' : judgement.state === 'worse' ? 'worse' : 'missed';
}

function wordsOf(state: EffectJudgement['state']): string {
  return state === 'worse'
    ? 'missed, and things are worse'
    : state === 'not-established'
      ? 'not established'
      : 'missed';
}

function adviceFor({ plan }: PlanRun): string {
  const isReversible = plan.sealed.operations.some(({ reversible }) => reversible);
  return isReversible
    ? `Nothing was taken back; to do so: starr undo ${plan.id}`
    : 'What was done cannot be taken back; sweep again.';
}
