import { trace, type Attributes } from '@opentelemetry/api';
import { toDoctorError } from '@starr/kernel';
import type { Lease } from '@starr/store';
import { ATTRIBUTE, inSpan, SPAN } from '@starr/telemetry';
import { applyAll, probeAll, type Applied } from './apply-all.ts';
import { baseFromKept, keptFromBase, lookBefore, type WatchBase } from './effect-watch.ts';
import { persist } from './persist.ts';
import { notice, type PlanRun } from './plan-run.ts';
import { keptResult } from './plan-view.ts';
import { verifyPlan, type Verified } from './verify-plan.ts';

/** How a run ended; `not-verified`: nothing took place, or it cannot be told whether. `broken`: those who follow got the error. */
export interface RunEnd {
  readonly end: Verified['end'] | 'not-verified' | 'broken';
  readonly says: string;
}

type Before = Omit<WatchBase, 'lastActAt'>;

/** How long a lease holds; renewed well before, also during a long act. */
export const LEASE_MS = 30_000;
const RENEW_MS = 10_000;

/** Applies all operations of a plan that was just started, then verifies. Never rejects. */
export async function runPlan(run: PlanRun, lease: Lease): Promise<RunEnd> {
  return inRemedySpan(run, async () => {
    const before = await lookBefore(run);
    await keepBase(run, before);
    const applied = await whileHolding(run, lease, () => applyAll(run, lease));
    return endApplying(run, applied, { ...before, lastActAt: run.context.clock.now() });
  });
}

/** Takes over what was left behind: probes what was begun, begins nothing, then verifies what took place. Never rejects. */
export async function resumePlan(run: PlanRun, lease: Lease): Promise<RunEnd> {
  return inRemedySpan(run, async () => {
    const now = run.context.clock.now();
    const base = baseFromKept(run.plan.result) ?? { lastActAt: now, guards: [] };
    if (run.plan.state !== 'applying') return verifyPlan(run, base);
    const applied = await whileHolding(run, lease, () => probeAll(run));
    return endApplying(run, applied, { ...base, lastActAt: run.context.clock.now() });
  });
}

/** For whoever takes over after a crash. Without it nothing can be called worse, so a failure does not matter. */
async function keepBase({ store, plan, context }: PlanRun, before: Before): Promise<void> {
  const watch = keptFromBase({ ...before, lastActAt: context.clock.now() });
  await store.plans
    .move(plan.id, ['applying'], 'applying', keptResult('It is being applied.', { watch }))
    .catch(() => false);
}

/** A trace of its own, since hours may lie between: linked to who asked, and with the sweep that it came from. */
async function inRemedySpan(run: PlanRun, work: () => Promise<RunEnd>): Promise<RunEnd> {
  const asking = trace.getActiveSpan()?.spanContext();
  const options = {
    root: true,
    attributes: await spanAttributes(run),
    ...(asking && { links: [{ context: asking }] }),
  };
  try {
    return await inSpan(SPAN.apply(run.plan.remedy), options, work);
  } catch (error) {
    const { rawMessage } = toDoctorError(error);
    run.context.log.log('error', 'a plan could not be finished', {
      plan: run.plan.id,
      error: rawMessage,
    });
    run.events.fail(error);
    return { end: 'broken', says: rawMessage };
  }
}

async function spanAttributes({ plan, store }: PlanRun): Promise<Attributes> {
  const sweep =
    plan.sweep === undefined
      ? undefined
      : await store.sweeps.get(plan.sweep).catch(() => undefined);
  return {
    [ATTRIBUTE.incident]: plan.incident,
    [ATTRIBUTE.remedy]: plan.remedy,
    [ATTRIBUTE.target]: plan.target,
    ...(sweep?.traceId !== undefined && { [ATTRIBUTE.sweepTraceId]: sweep.traceId }),
  };
}

async function whileHolding<T>(run: PlanRun, lease: Lease, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {
    // A lease that cannot be renewed is noticed before the next act.
    run.store.leases.renew(lease, LEASE_MS).catch(() => undefined);
  }, RENEW_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

async function endApplying(
  run: PlanRun,
  { state, says }: Applied,
  base: WatchBase,
): Promise<RunEnd> {
  const { clock, stopping } = run.context;
  const isVerified = state === 'verifying';
  const result = keptResult(says, { watch: keptFromBase(base) });
  const moved = await persist(
    () => run.store.plans.move(run.plan.id, ['applying'], state, result),
    {
      clock,
      stopping,
      onAway: () => {
        notice(run, 'the store is away: how applying ended is written when it is back');
      },
    },
  );
  if (isVerified && moved) return verifyPlan(run, base);
  return { end: 'not-verified', says };
}
