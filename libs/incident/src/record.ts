import type { JournalOutcome, PlanRole, PlanState, Severity } from '@starr/kernel';
import type { Answer, CauseAnswer } from './answer.ts';
import type { Standing } from './cause.ts';
import { isFelt } from './felt.ts';
import type { Incident } from './incident.ts';

/** A plan and what came of it, as a record tells it. */
export interface RecordPlan {
  /** INC-7.1. */
  readonly id: string;
  readonly role: PlanRole;
  readonly says: string;
  readonly remedy: string;
  readonly target: string;
  readonly state: PlanState;
  readonly hash?: string;
  readonly approval?: { readonly actor: string; readonly reason: string; readonly at: Date };
  readonly operations: readonly {
    readonly says: string;
    /** Absent: never begun. */
    readonly begunAt?: Date;
    readonly outcome?: JournalOutcome;
    readonly endedAt?: Date;
  }[];
  /** The registered effect and how it was judged. Absent: not planned, or not judged yet. */
  readonly effect?: { readonly wanted: string; readonly says?: string };
  readonly endedAt?: Date;
}

export interface RecordInput {
  readonly incident: Incident;
  /** Of the sweep that met it first. */
  readonly first: Answer;
  /** Of its newest sweep. Default: the first. */
  readonly last?: Answer;
  /** In the order of their numbers. Default: none. */
  readonly plans?: readonly RecordPlan[];
  /** Of its sweeps and remedies, in hex. Default: none. */
  readonly traceIds?: readonly string[];
}

/** Situation, Task, Action, Result, Reflection: what is left when the night is over. Plain data; version 1. */
export interface StarrRecord {
  readonly version: 1;
  readonly incident: string;
  readonly environment: string;
  readonly title: string;
  readonly status: 'open' | 'resolved';
  readonly situation: Situation;
  readonly task: { readonly hypotheses: readonly Hypothesis[] };
  readonly action: { readonly timeline: readonly RecordedMoment[] };
  readonly result: RecordedResult;
  readonly reflection: Reflection;
  readonly traceIds: readonly string[];
}

interface Situation {
  readonly headline: string;
  readonly severity: Severity | 'none';
  /** The onset of the first cause. Absent: not known. */
  readonly beganAt?: Date;
  readonly detectedAt: Date;
  /** alert HighErrorRate, person anna, sweep schedule. */
  readonly detectedBy: string;
  /** What users felt; empty: nothing that was measured. */
  readonly impact: readonly string[];
  readonly path: readonly string[];
}

interface Hypothesis {
  readonly playbook: string;
  readonly title: string;
  readonly standing: Standing;
  readonly explains: number;
  readonly against: number;
  readonly doubts: readonly string[];
}

interface RecordedMoment {
  readonly at: Date;
  /** The patient, Starr, or the person. */
  readonly who: string;
  readonly says: string;
}

interface RecordedResult {
  readonly plans: readonly {
    readonly id: string;
    readonly says: string;
    readonly state: PlanState;
    readonly wanted?: string;
    readonly effect?: string;
  }[];
  /** What the newest sweep still finds; when it is older than the end of the last plan, that nobody has looked since. */
  readonly remaining: readonly string[];
}

interface Reflection {
  /** The change that set it off. Absent: none was found. */
  readonly trigger?: string;
  readonly contributing: readonly string[];
  readonly ruledOut: readonly string[];
  readonly unproven: readonly string[];
  readonly notLookedAt: readonly string[];
  readonly items: readonly string[];
}

export function writeRecord(input: RecordInput): StarrRecord {
  const { incident, first, last = first, plans = [], traceIds = [] } = input;
  const [cause] = first.causes;
  return {
    version: 1,
    incident: incident.id,
    environment: incident.environment,
    title: incident.title,
    status: incident.status,
    situation: situationOf(incident, first, cause),
    task: { hypotheses: [...first.causes, ...first.possible].map(hypothesisOf) },
    action: { timeline: timelineOf(incident, first, plans) },
    result: {
      plans: plans.map(({ id, says, state, effect }) => ({
        id,
        says,
        state,
        ...(effect !== undefined && { wanted: effect.wanted }),
        ...(effect?.says !== undefined && { effect: effect.says }),
      })),
      remaining: remainingOf(last, last !== first, plans),
    },
    reflection: reflectionOf(first),
    traceIds,
  };
}

/** What was found before the cure is no longer known to be there after it. */
function remainingOf(
  { endedAt: lookedAt, findings }: Answer,
  isFollowUp: boolean,
  plans: readonly RecordPlan[],
): readonly string[] {
  const ended = plans.flatMap(({ id, endedAt }) =>
    endedAt === undefined ? [] : [{ id, endedAt }],
  );
  const newest = ended.toSorted((a, b) => b.endedAt.getTime() - a.endedAt.getTime())[0];
  if (newest !== undefined && newest.endedAt > lookedAt)
    return [`not known: no sweep since ${newest.id} ended`];
  return isFollowUp || plans.length > 0 ? findings.map(({ says }) => says) : [];
}

function situationOf(
  incident: Incident,
  answer: Answer,
  cause: CauseAnswer | undefined,
): Situation {
  const { kind, name } = incident.openedBy;
  return {
    headline: answer.headline,
    severity: answer.severity,
    ...(cause?.onset !== undefined && { beganAt: cause.onset }),
    detectedAt: incident.openedAt,
    detectedBy: `${kind} ${name}`,
    impact: answer.findings.filter(({ about }) => isFelt(about)).map(({ says }) => says),
    path: cause?.path ?? [],
  };
}

function hypothesisOf(cause: CauseAnswer): Hypothesis {
  return {
    playbook: cause.playbook,
    title: cause.title,
    standing: cause.standing,
    explains: cause.explains.length,
    against: cause.against.length,
    doubts: cause.doubts,
  };
}

function timelineOf(
  { openedAt, openedBy, resolvedAt, id }: Incident,
  answer: Answer,
  plans: readonly RecordPlan[],
): readonly RecordedMoment[] {
  const moments: RecordedMoment[] = [
    ...momentsOf(answer),
    { at: openedAt, who: openedBy.name, says: `${id} opened by ${openedBy.kind}` },
    { at: answer.endedAt, who: 'starr', says: answer.headline },
    ...plans.flatMap(planMoments),
    ...(resolvedAt === undefined ? [] : [{ at: resolvedAt, who: 'starr', says: `${id} resolved` }]),
  ];
  return moments.sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** What several causes share stands once. */
function momentsOf(answer: Answer): readonly RecordedMoment[] {
  const entries = answer.causes.flatMap(({ timeline }) => timeline);
  const unique = new Map(
    entries.map((entry) => [`${entry.at.toISOString()} ${entry.says}`, entry]),
  );
  return [...unique.values()].map(({ at, says }) => ({ at, who: 'patient', says }));
}

function planMoments(plan: RecordPlan): readonly RecordedMoment[] {
  const { id, approval, operations, effect, endedAt, state } = plan;
  return [
    ...(approval === undefined
      ? []
      : [{ at: approval.at, who: approval.actor, says: `approved ${id}: ${approval.reason}` }]),
    ...operations.flatMap(({ says, begunAt, outcome, endedAt: at }) => [
      ...(begunAt === undefined ? [] : [{ at: begunAt, who: 'starr', says: `${id}: ${says}` }]),
      ...(at === undefined || outcome === undefined
        ? []
        : [{ at, who: 'starr', says: `${id}: ${outcome}` }]),
    ]),
    ...(endedAt === undefined
      ? []
      : [
          {
            at: endedAt,
            who: 'starr',
            says: `${id}: ${state}${effect?.says === undefined ? '' : `, ${effect.says}`}`,
          },
        ]),
  ];
}

function reflectionOf(answer: Answer): Reflection {
  const { causes, blind } = answer;
  const trigger = causes[0]?.timeline.find(({ kind }) => kind === 'change')?.says;
  return {
    ...(trigger !== undefined && { trigger }),
    contributing: unique(causes.slice(1).map(({ title }) => title)),
    ruledOut: unique(causes.flatMap(({ ruledOut }) => ruledOut)),
    unproven: unique(causes.flatMap(({ unproven }) => unproven)),
    notLookedAt: blind.map(
      ({ diagnostic, target, why, detail }) => `${diagnostic} on ${target}: ${why}, ${detail}`,
    ),
    items: unique([
      ...causes.flatMap(({ reflect }) => reflect),
      ...blind.flatMap(({ cure }) => (cure === undefined ? [] : [`Let Starr see: ${cure}`])),
    ]),
  };
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
