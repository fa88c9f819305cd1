import {
  blindSpot,
  type AnyDiagnostic,
  type CheckResult,
  type Clock,
  type ExamineRequest,
} from '@starr/kernel';
import type { Log } from '@starr/telemetry';
import { blindVerdict, check } from './check.ts';
import { checkExamineRequest, thresholdsOf } from './check-request.ts';
import type { HostedTarget } from './hosted-target.ts';
import { add, Reading } from './reading.ts';
import type { Samples } from './samples.ts';
import { settleAsDone } from './settle-as-done.ts';
import type { SharedWork } from './shared-work.ts';
import { shrink } from './shrink.ts';
import { within } from './within.ts';

/** What the host keeps for one target between runs. */
export interface TargetState {
  readonly target: HostedTarget;
  readonly samples: Samples;
  readonly shared: SharedWork;
}

export interface ExamineContext {
  readonly diagnostics: readonly AnyDiagnostic[];
  readonly states: readonly TargetState[];
  readonly clock: Clock;
  readonly log: Log;
  readonly pairGapMs: number;
}

/** Kept back from the budget, so that the answer is on its way when the budget ends. */
const RESERVE_MS = 100;

/** All checks at once; each answers within the budget, whatever its patient does. */
export async function* examine(
  context: ExamineContext,
  request: ExamineRequest,
  signal: AbortSignal,
): AsyncGenerator<CheckResult> {
  checkExamineRequest(
    request,
    context.diagnostics,
    context.states.map(({ target }) => target),
  );
  const states = context.states.filter(({ target }) => wanted(request.targets, target.name));
  const diagnostics = context.diagnostics.filter(({ id }) => wanted(request.diagnostics, id));
  const work = states.flatMap((state) => startTarget(context, state, diagnostics, request, signal));
  for await (const result of settleAsDone(work)) {
    if (signal.aborted) return;
    yield shrink(result);
  }
}

function wanted(names: readonly string[] | undefined, name: string): boolean {
  return names === undefined || names.length === 0 || names.includes(name);
}

function startTarget(
  context: ExamineContext,
  state: TargetState,
  diagnostics: readonly AnyDiagnostic[],
  request: ExamineRequest,
  signal: AbortSignal,
): Promise<CheckResult>[] {
  const { clock, log } = context;
  const budgetMs = request.budgetMs - Math.min(RESERVE_MS, request.budgetMs / 4);
  const reading = startReading(context, state, request, budgetMs, signal);
  return diagnostics.map(async (diagnostic, index) => {
    const limits = limitsFor(diagnostic, state.target, request);
    const { target, samples } = state;
    const work = check(diagnostic, { target, reading, samples, limits, clock, log });
    const result = await within(clock, budgetMs, work, () =>
      tooLate(diagnostic, target, limits, request.budgetMs, clock),
    );
    // First contact is paid for once, by the first check.
    return index === 0
      ? { ...result, footprint: add(result.footprint, reading.greetingCost) }
      : result;
  });
}

export function startReading(
  context: Pick<ExamineContext, 'clock' | 'pairGapMs'>,
  state: TargetState,
  request: Pick<ExamineRequest, 'windowMs' | 'evidenceNotBefore'>,
  budgetMs: number,
  signal: AbortSignal,
): Reading {
  const { clock, pairGapMs } = context;
  const ageMs = request.evidenceNotBefore
    ? clock.now().getTime() - request.evidenceNotBefore.getTime()
    : Infinity;
  return new Reading({
    ...state,
    clock,
    pairGapMs,
    windowMs: request.windowMs,
    deadlineMs: clock.monotonicMs() + budgetMs,
    notBeforeMs: clock.monotonicMs() - ageMs,
    signal,
  });
}

/** Request over target over default. */
function limitsFor(
  diagnostic: AnyDiagnostic,
  target: HostedTarget,
  request: ExamineRequest,
): Record<string, number> {
  const defaults = Object.entries(thresholdsOf(diagnostic)).map(
    ([name, { value }]) => [name, value] as const,
  );
  return {
    ...Object.fromEntries(defaults),
    ...target.thresholds?.[diagnostic.id],
    ...request.thresholds?.[diagnostic.id],
  };
}

function tooLate(
  diagnostic: AnyDiagnostic,
  target: HostedTarget,
  limits: Readonly<Record<string, number>>,
  budgetMs: number,
  clock: Clock,
): CheckResult {
  const now = clock.now();
  const spot = blindSpot(
    'timeout',
    `${target.name} did not let ${diagnostic.id} finish within the budget of ${budgetMs} ms`,
  );
  return {
    diagnostic: diagnostic.id,
    target: target.name,
    verdict: blindVerdict([spot]),
    relations: [],
    observedFrom: now,
    observedTo: now,
    thresholds: limits,
    footprint: {},
  };
}
