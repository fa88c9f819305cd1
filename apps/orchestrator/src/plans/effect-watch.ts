import { guardsOf, readSample, type EffectSample, type Guard } from '@starr/incident';
import { toDoctorError, type CheckResult, type Json } from '@starr/kernel';
import { z } from 'zod';
import type { RosterMember } from '../doctors/doctor-roster.ts';
import { examineDoctor } from '../sweep/examine-doctor.ts';
import type { PlanRun } from './plan-run.ts';

/** What users feel: a measurement a service, and how high it may be. */
export interface UsersGuard {
  readonly diagnostic: string;
  readonly measurement: string;
  readonly below: number;
}

/** What verifying compares with; kept with the plan, so that a restart judges alike. */
export interface WatchBase {
  /** When the last operation took place, in our clock. */
  readonly lastActAt: Date;
  /** The effect's measurement before the act; absent: not known. */
  readonly baseline?: number;
  readonly guards: readonly Guard[];
}

const guardSchema = z.object({
  diagnostic: z.string(),
  about: z.object({ kind: z.string(), name: z.string(), scope: z.string().optional() }),
  measurement: z.string(),
  below: z.number().optional(),
  above: z.number().optional(),
  says: z.string(),
});
const keptSchema = z.object({
  watch: z.object({
    lastActAt: z.iso.datetime(),
    baseline: z.number().optional(),
    guards: z.array(guardSchema),
  }),
});

/**
 * Not shorter than it takes a trace to arrive; growing with the time since the act has settled, so that quiet services
 * come to enough requests for a judgement.
 */
const WINDOW_MS = { least: 5000, before: 60_000, most: 300_000 };
/** Before the act somebody waits; after it there is time. */
const BUDGET_MS = { before: 1500, after: 3000 };

export function keptFromBase({ lastActAt, baseline, guards }: WatchBase): Json {
  return {
    lastActAt: lastActAt.toISOString(),
    ...(baseline !== undefined && { baseline }),
    guards: guards.map(({ about, ...guard }) => ({ ...guard, about: { ...about } })),
  };
}

/** Undefined: nothing was kept, or in another form. */
export function baseFromKept(result: unknown): WatchBase | undefined {
  const parsed = keptSchema.safeParse(result);
  if (!parsed.success) return undefined;
  const { lastActAt, baseline, guards } = parsed.data.watch;
  return {
    lastActAt: new Date(lastActAt),
    ...(baseline !== undefined && { baseline }),
    guards: guards.map(({ about: { scope, ...about }, below, above, ...guard }) => ({
      ...guard,
      about: scope === undefined ? about : { ...about, scope },
      ...(below !== undefined && { below }),
      ...(above !== undefined && { above }),
    })),
  };
}

/** The state before the act: what would be worse than it, and whose users must be well. Never fails. */
export async function lookBefore(run: PlanRun): Promise<Omit<WatchBase, 'lastActAt'>> {
  const { effect } = run.plan.sealed;
  const { users } = run.context;
  const [results, felt] = await Promise.all([
    look(run, users === undefined ? [] : [users.diagnostic], {
      notBefore: run.context.clock.now(),
      windowMs: WINDOW_MS.before,
      budgetMs: BUDGET_MS.before,
    }),
    feltGuards(run),
  ]);
  const guards = felt.length > 0 || users === undefined ? felt : wellGuards(users, results);
  const before = readSample(effect, [], results)?.effect;
  return { guards, ...(before?.state === 'seen' && { baseline: before.value }) };
}

/** One look after the act. Undefined: nobody could be asked. */
export async function lookAfter(run: PlanRun, base: WatchBase): Promise<EffectSample | undefined> {
  const { effect } = run.plan.sealed;
  const settledAt = new Date(base.lastActAt.getTime() + effect.settleMs);
  const others = base.guards.map(({ diagnostic }) => diagnostic);
  const sinceMs = run.context.clock.now().getTime() - settledAt.getTime();
  const results = await look(run, others, {
    notBefore: settledAt,
    windowMs: Math.min(Math.max(sinceMs, WINDOW_MS.least), WINDOW_MS.most),
    budgetMs: BUDGET_MS.after,
  });
  return readSample(effect, base.guards, results);
}

/** Nobody's users suffered: those that are well must stay so. One that was ill before does not hold the effect up. */
export function wellGuards(users: UsersGuard, before: readonly CheckResult[]): readonly Guard[] {
  return before
    .filter(({ diagnostic }) => diagnostic === users.diagnostic)
    .flatMap(({ verdict }) => verdict.measured)
    .filter(({ name, value }) => name === users.measurement && value < users.below)
    .map(({ about }) => ({
      diagnostic: users.diagnostic,
      about,
      measurement: users.measurement,
      below: users.below,
      says: `users of ${about.name}: ${users.measurement}`,
    }));
}

/** What the cause that proposed the plan says that users felt. Empty: nothing, or it is not known. Never fails. */
async function feltGuards({ store, plan, context }: PlanRun): Promise<readonly Guard[]> {
  if (plan.sweep === undefined) return [];
  try {
    const answer = (await store.sweeps.get(plan.sweep))?.answer;
    const cause = answer?.causes.find(({ playbook }) => playbook === plan.cause);
    return answer && cause ? guardsOf(answer, cause) : [];
  } catch (thrown) {
    context.log.log('warn', 'what users felt is not known', {
      error: toDoctorError(thrown).rawMessage,
    });
    return [];
  }
}

async function look(
  run: PlanRun,
  others: readonly string[],
  { notBefore, ...bounds }: { notBefore: Date; windowMs: number; budgetMs: number },
): Promise<readonly CheckResult[]> {
  const { clock, stopping } = run.context;
  const ids = [...new Set([run.plan.sealed.effect.diagnostic, ...others])];
  const results: CheckResult[] = [];
  const options = {
    ...bounds,
    evidenceNotBefore: notBefore,
    clock,
    signal: stopping,
  };
  const sink = {
    result: (result: CheckResult) => {
      results.push(result);
    },
    notice: () => undefined,
  };
  await Promise.all(
    askedMembers(run, ids).map(async ({ member, diagnostics }) => {
      const targets = diagnostics.some((id) => id === run.plan.sealed.effect.diagnostic)
        ? targetsOf(run, member)
        : [];
      const expected = diagnostics.flatMap((diagnostic) =>
        (targets.length === 0 ? [member.name] : targets).map((target) => ({
          diagnostic,
          target,
          doctor: member.name,
        })),
      );
      await examineDoctor({ member, targets, diagnostics, expected }, options, sink);
    }),
  );
  return results.filter((result) => !isPlaceholder(run, result, results));
}

/** Which targets another doctor has is not asked; its name stands for all, in case that it gives no answer at all. */
function isPlaceholder(
  run: PlanRun,
  { diagnostic, target }: CheckResult,
  results: readonly CheckResult[],
): boolean {
  return (
    run.context.roster.memberOfId(diagnostic)?.name === target &&
    results.some((other) => other.diagnostic === diagnostic && other.target !== target)
  );
}

function askedMembers(
  run: PlanRun,
  ids: readonly string[],
): readonly { member: RosterMember; diagnostics: readonly string[] }[] {
  const groups = new Map<RosterMember, string[]>();
  for (const id of ids) {
    const member = run.context.roster.memberOfId(id);
    // Nobody may say it any more: then nothing is seen, and nothing is established.
    if (member === undefined) continue;
    groups.set(member, [...(groups.get(member) ?? []), id]);
  }
  return [...groups].map(([member, diagnostics]) => ({ member, diagnostics }));
}

/** The plan's own target when its doctor measures the effect; otherwise all of the other doctor's. */
function targetsOf({ plan, member }: PlanRun, asked: RosterMember): readonly string[] {
  return asked === member ? [plan.target] : [];
}
