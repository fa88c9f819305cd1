import { randomUUID } from 'node:crypto';
import type { Span } from '@opentelemetry/api';
import { answerSweep, catalogIndex, type Acceptance } from '@starr/incident';
import type { CheckResult, EventLog } from '@starr/kernel';
import type { Opener, SweepEvidence } from '@starr/store';
import { ATTRIBUTE, inSpan, SPAN, traceIdOf } from '@starr/telemetry';
import type { SweepEvent } from '@starr/wire';
import type { DescribedMember } from '../doctors/doctor-roster.ts';
import { doctorAsks, type Asks } from './doctor-asks.ts';
import { examineDoctor } from './examine-doctor.ts';
import { acceptedStates, recordAndTell, saveSweep, storedSweep, type Made } from './keep-sweep.ts';
import { secondPass } from './second-pass.ts';
import type { SweepPlan } from './sweep-request.ts';
import { SWEEP_BOUNDS, type SweepContext, type SweepRun } from './sweep-run.ts';

/** One sweep from the question to its record. Closes or fails `events`; never rejects. */
export async function runSweep(
  context: SweepContext,
  plan: SweepPlan,
  requester: Opener,
  events: EventLog<SweepEvent>,
  signal: AbortSignal,
): Promise<void> {
  const attributes = { [ATTRIBUTE.environment]: context.environment };
  try {
    await inSpan(SPAN.sweep(context.environment), { attributes }, (span) =>
      sweepIn(span, context, {
        id: randomUUID(),
        startedAt: context.clock.now(),
        startedMs: context.clock.monotonicMs(),
        traceId: traceIdOf(span),
        requester,
        plan,
        events,
        signal,
        bounds: { ...SWEEP_BOUNDS, ...context.bounds },
      }),
    );
    events.close();
  } catch (error) {
    events.fail(error);
  }
}

async function sweepIn(span: Span, context: SweepContext, run: SweepRun): Promise<void> {
  span.setAttribute(ATTRIBUTE.sweepId, run.id);
  const described = await context.roster.described(
    Math.min(run.bounds.describeMs, run.plan.budgetMs / 2),
  );
  const asks = doctorAsks(described, run.plan);
  run.events.push({
    kind: 'started',
    sweepId: run.id,
    environment: context.environment,
    startedAt: run.startedAt,
    expected: asks.asks.flatMap(({ expected }) => expected),
    joined: false,
    ...(run.traceId !== undefined && { traceId: run.traceId }),
  });
  for (const { member, foreign } of described)
    if (foreign.length > 0)
      run.events.push({
        kind: 'notice',
        says: `${member.name} describes ${foreign.join(', ')}, which its prefixes in starr.yaml do not allow; left out`,
      });
  // Neither holds the examination up: a store may be away.
  const begun = saveSweep(context, storedSweep(context, run, 'running'));
  const acceptances = acceptedStates(context, run);
  const results = await examineAll(context, run, asks);
  if (run.signal.aborted) {
    const evidence = { results, endedAt: context.clock.now() };
    void saveSweep(context, { ...storedSweep(context, run, 'cancelled'), evidence });
    return;
  }
  const made = await answerOf(context, run, { described, asks, results, acceptances });
  const isRecorded = await recordAndTell(context, run, made, begun);
  const tookMs = context.clock.monotonicMs() - run.startedMs;
  const ended = { kind: 'ended', tookMs, recorded: isRecorded } as const;
  context.onEnded?.(ended);
  run.events.push(ended);
}

async function examineAll(
  context: SweepContext,
  run: SweepRun,
  { asks }: Asks,
): Promise<readonly CheckResult[]> {
  const { clock } = context;
  const results: CheckResult[] = [];
  const leftMs = run.plan.budgetMs - (clock.monotonicMs() - run.startedMs);
  const sink = {
    result: (result: CheckResult) => {
      results.push(result);
      run.events.push({ kind: 'check', result });
    },
    notice: (says: string) => {
      run.events.push({ kind: 'notice', says });
    },
  };
  const options = {
    windowMs: run.plan.windowMs,
    budgetMs: Math.max(100, leftMs),
    clock,
    signal: run.signal,
  };
  await Promise.all(asks.map((ask) => examineDoctor(ask, options, sink)));
  return results;
}

interface Seen {
  readonly described: readonly DescribedMember[];
  readonly asks: Asks;
  readonly results: readonly CheckResult[];
  readonly acceptances: Promise<readonly Acceptance[]>;
}

async function answerOf(context: SweepContext, run: SweepRun, seen: Seen): Promise<Made> {
  const reachable = seen.asks.asks.map(({ member }) => member);
  const [relations, { playbooks, problems }, acceptances] = await Promise.all([
    secondPass(reachable, seen.results, {
      withinMs: run.bounds.secondPassMs,
      clock: context.clock,
      signal: run.signal,
    }),
    context.loadPlaybooks(),
    seen.acceptances,
  ]);
  for (const problem of problems)
    run.events.push({ kind: 'notice', says: `playbook left out: ${problem}` });
  const evidence: SweepEvidence = {
    results: seen.results,
    relations,
    unseen: seen.asks.unseen,
    acceptances,
    endedAt: context.clock.now(),
  };
  const answer = answerSweep({
    ...evidence,
    environment: context.environment,
    startedAt: run.startedAt,
    playbooks,
    catalog: catalogIndex(
      seen.described.flatMap(({ description }) => description ?? []),
      context.roster.members.flatMap(({ prefixes }) => prefixes),
    ),
  });
  return { answer, evidence };
}
