import { randomUUID } from 'node:crypto';
import type { Span } from '@opentelemetry/api';
import { answerSweep, catalogIndex, type Acceptance, type Answer } from '@starr/incident';
import { maskText, toDoctorError, type CheckResult, type Clock } from '@starr/kernel';
import type { Opener, Store, StoredSweep, SweepEvidence } from '@starr/store';
import { ATTRIBUTE, inSpan, SPAN, traceIdOf, type Log } from '@starr/telemetry';
import type { SweepEvent } from '@starr/wire';
import type { DescribedMember, DoctorRoster } from '../doctors/doctor-roster.ts';
import type { EventLog } from '../event-log.ts';
import type { LoadedPlaybooks } from '../playbooks/load-playbooks.ts';
import { answerView } from './answer-view.ts';
import { doctorAsks, type Asks } from './doctor-asks.ts';
import { examineDoctor } from './examine-doctor.ts';
import { numberSteps, recordSweep } from './record-sweep.ts';
import { secondPass } from './second-pass.ts';
import type { SweepPlan } from './sweep-request.ts';
import { withinMs } from './within-ms.ts';

export interface SweepContext {
  readonly environment: string;
  readonly roster: DoctorRoster;
  /** Absent: none is configured; sweeps then go unrecorded. */
  readonly store: Store | undefined;
  readonly loadPlaybooks: () => Promise<LoadedPlaybooks>;
  readonly clock: Clock;
  readonly log: Log;
  readonly bounds?: Partial<SweepBounds>;
  /** Told once a run, whoever waits for it. */
  readonly onEnded?: (ended: Extract<SweepEvent, { kind: 'ended' }>) => void;
}

/** Together with the budget (4 s) they stay below the 5 s in which every sweep answers. */
export interface SweepBounds {
  /** For doctors that never described themselves; taken from the budget. Default 1500: the first sweep after a start opens all channels. */
  readonly describeMs: number;
  /** Default 300. */
  readonly secondPassMs: number;
  /** Saving, incident and proposals together. Default 400. */
  readonly recordMs: number;
}

const BOUNDS: SweepBounds = { describeMs: 1500, secondPassMs: 300, recordMs: 400 };

/** What a run gathers on its way. */
interface Run {
  readonly id: string;
  readonly startedAt: Date;
  readonly startedMs: number;
  readonly traceId: string | undefined;
  readonly requester: Opener;
  readonly plan: SweepPlan;
  readonly events: EventLog<SweepEvent>;
  readonly signal: AbortSignal;
  readonly bounds: SweepBounds;
}

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
        bounds: { ...BOUNDS, ...context.bounds },
      }),
    );
    events.close();
  } catch (error) {
    events.fail(error);
  }
}

async function sweepIn(span: Span, context: SweepContext, run: Run): Promise<void> {
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
  run: Run,
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

interface Made {
  readonly answer: Answer;
  readonly evidence: SweepEvidence;
}

async function answerOf(context: SweepContext, run: Run, seen: Seen): Promise<Made> {
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

/** True: the store has it. The answer is told in any case. */
async function recordAndTell(
  context: SweepContext,
  run: Run,
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

function storedSweep(context: SweepContext, run: Run, state: StoredSweep['state']): StoredSweep {
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
async function saveSweep(context: SweepContext, sweep: StoredSweep): Promise<boolean> {
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
async function acceptedStates(context: SweepContext, run: Run): Promise<readonly Acceptance[]> {
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
