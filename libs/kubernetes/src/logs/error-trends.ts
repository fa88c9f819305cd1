import type { LogStream } from '../reads/logs.ts';
import { bestStep, compareRates, type LogSample, type Step } from './change-point.ts';
import type { LogLine } from './parse-log-line.ts';
import { mineTemplates } from './template-miner.ts';

/**
 * How often an error template comes. `new`: not before its onset. `rising`: more often since its onset.
 * `since-rollout`: as long as the revision runs, and too little of an earlier revision was seen to compare with.
 * `steady`: as ever. `ended`: not any more.
 */
export type Trend = 'new' | 'rising' | 'since-rollout' | 'steady' | 'ended';

export interface ErrorTrend {
  readonly template: string;
  readonly trend: Trend;
  /** Within the window, in the logs as they are now. */
  readonly count: number;
  /** Over the last minute of what was seen. */
  readonly perMinute: number;
  /** When it became new or rose; for the others its first moment within the window. */
  readonly since: Date;
  readonly lastSeen: Date;
  readonly pods: readonly string[];
  /** Revision → count within the window; 0: the revision is not known. */
  readonly perRevision: ReadonlyMap<number, number>;
  readonly sample: LogLine;
}

export interface TrendRules {
  readonly minCount: number;
  readonly riseFactor: number;
  readonly evidence: number;
  readonly activeMs: number;
  readonly warmUpMs: number;
  readonly sinceRolloutPerMinute: number;
}

export interface TrendQuestion {
  readonly streams: readonly LogStream[];
  readonly now: Date;
  readonly windowMs: number;
  /** Revision of a ReplicaSet; undefined: not known. */
  readonly revisionOf: (replicaSet: string | undefined) => number | undefined;
  /** The revision that was reached within the window; absent: none was. */
  readonly reached?: number;
}

/** A new template counts as new when it was less than a fiftieth before: a late line must not make it old. */
const NEW_RATIO = 0.02;
const MINUTE_MS = 60_000;
/** So much log of an earlier revision is something to compare with. */
const LEAST_COMPARISON_MS = 30_000;

interface Occurrence {
  readonly line: LogLine;
  readonly stream: LogStream;
}

/** The error templates of one workload with what became of them. Most frequent first. */
export function errorTrends(question: TrendQuestion, rules: TrendRules): readonly ErrorTrend[] {
  const windowStart = question.now.getTime() - question.windowMs;
  const occurrences = question.streams
    .flatMap((stream) => stream.errors.map((line) => ({ line, stream })))
    .sort((a, b) => a.line.at.getTime() - b.line.at.getTime());
  return mineTemplates(occurrences.map(({ line }) => line.text)).flatMap((template) => {
    const all = template.members.flatMap((index) => occurrences[index] ?? []);
    // what is remembered tells old from new; pods that are gone do not complain any more
    const inWindow = all.filter(
      ({ line, stream }) => !stream.remembered && line.at.getTime() >= windowStart,
    );
    const first = inWindow[0];
    const last = inWindow.at(-1);
    if (!first || !last) return [];
    const { trend, onset } = judgeTrend(all, inWindow, question, rules);
    return [
      {
        template: template.text,
        trend,
        count: inWindow.length,
        perMinute: recentRate(inWindow, question),
        since: onset ?? first.line.at,
        lastSeen: last.line.at,
        pods: [...new Set(inWindow.map(({ stream }) => stream.pod))].sort(),
        perRevision: countByRevision(inWindow, question),
        sample: last.line,
      },
    ];
  });
}

/** Errors a minute over the last minute of what was seen live; undefined: no log was read. */
export function errorsPerMinute(question: TrendQuestion): number | undefined {
  const live = question.streams.filter(({ remembered }) => !remembered);
  if (live.length === 0) return undefined;
  const lines = live.flatMap((stream) => stream.errors.map((line) => ({ line, stream })));
  return recentRate(lines, question);
}

function recentRate(occurrences: readonly Occurrence[], { streams, now }: TrendQuestion): number {
  const from = now.getTime() - MINUTE_MS;
  const seenMs = streams
    .filter(({ remembered }) => !remembered)
    .reduce((most, { covered }) => Math.max(most, covered.to - Math.max(covered.from, from)), 0);
  if (seenMs <= 0) return 0;
  const count = occurrences.filter(({ line }) => line.at.getTime() > from).length;
  return (count / Math.max(seenMs, MINUTE_MS / 12)) * MINUTE_MS;
}

function judgeTrend(
  all: readonly Occurrence[],
  inWindow: readonly Occurrence[],
  question: TrendQuestion,
  rules: TrendRules,
): { readonly trend: Trend; readonly onset?: Date } {
  const now = question.now.getTime();
  const lastAt = inWindow.at(-1)?.line.at.getTime() ?? 0;
  if (now - lastAt > rules.activeMs) return { trend: 'ended' };
  if (inWindow.length < rules.minCount) return { trend: 'steady' };
  const step = bestStep(
    all.map(({ line }) => line.at.getTime()),
    question.streams.map(({ covered }) => covered),
  );
  const inTime = step && step.onset >= now - question.windowMs && isRise(step, rules);
  if (
    inTime &&
    (wasQuiet(step, all, question, rules) ||
      !beganWithContainers(step.onset, question.streams, rules))
  ) {
    return riseFrom(step);
  }
  return sinceRollout(all, question, rules) ?? { trend: 'steady' };
}

function riseFrom(step: Step): { trend: Trend; onset: Date } {
  const trend = step.rateBefore < step.rateAfter * NEW_RATIO ? 'new' : 'rising';
  return { trend, onset: new Date(step.onset) };
}

function isRise(step: Step, rules: TrendRules): boolean {
  return (
    step.evidence >= rules.evidence &&
    step.after >= rules.minCount &&
    step.rateAfter >= step.rateBefore * rules.riseFactor
  );
}

/** An error that comes as soon as there is traffic has no "before": nothing older than the warm-up was seen. */
function beganWithContainers(
  onset: number,
  streams: readonly LogStream[],
  rules: TrendRules,
): boolean {
  return streams
    .filter(({ covered }) => covered.from < onset)
    .every(({ covered, fromStart }) => fromStart && onset - covered.from <= rules.warmUpMs);
}

/** The revision that was reached against all before it; with nothing left of these, only what is loud counts. */
function sinceRollout(
  all: readonly Occurrence[],
  question: TrendQuestion,
  rules: TrendRules,
): { trend: Trend; onset: Date } | undefined {
  const { reached, revisionOf, streams } = question;
  if (reached === undefined) return undefined;
  const isOwn = (stream: LogStream) => revisionOf(stream.replicaSet) === reached;
  const own = all.filter(({ stream }) => isOwn(stream));
  const onset = own[0]?.line.at;
  if (!onset || own.length < rules.minCount) return undefined;
  const older = olderStreams(question);
  const before = sampleOf(older, all);
  // A short look proves no silence, but what it did hear was there before.
  if (!isComparable(older) && before.moments.length < rules.minCount) {
    const isLoud = recentRate(own, question) >= rules.sinceRolloutPerMinute;
    return isLoud ? { trend: 'since-rollout', onset } : undefined;
  }
  const step = compareRates(before, sampleOf(streams.filter(isOwn), all));
  return step && isRise(step, rules) ? riseFrom(step) : undefined;
}

/** Whether an earlier revision was seen for long enough, and had it less often: then a short silence at the start counts. */
function wasQuiet(
  step: Step,
  all: readonly Occurrence[],
  question: TrendQuestion,
  rules: TrendRules,
): boolean {
  const older = olderStreams(question);
  if (!isComparable(older)) return false;
  const { moments } = sampleOf(older, all);
  return (moments.length / seenMs(older)) * MINUTE_MS * rules.riseFactor <= step.rateAfter;
}

/** Of revisions before the one that was reached within the window; none when none was. */
function olderStreams({ reached, revisionOf, streams }: TrendQuestion): readonly LogStream[] {
  if (reached === undefined) return [];
  return streams.filter(({ replicaSet }) => revisionOf(replicaSet) !== reached);
}

function isComparable(older: readonly LogStream[]): boolean {
  return seenMs(older) >= LEAST_COMPARISON_MS;
}

function seenMs(streams: readonly LogStream[]): number {
  return streams.reduce((sum, { covered }) => sum + (covered.to - covered.from), 0);
}

function sampleOf(streams: readonly LogStream[], all: readonly Occurrence[]): LogSample {
  return {
    exposures: streams.map(({ covered }) => covered),
    moments: all
      .filter(({ stream }) => streams.includes(stream))
      .map(({ line }) => line.at.getTime()),
  };
}

function countByRevision(
  occurrences: readonly Occurrence[],
  { revisionOf }: TrendQuestion,
): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { stream } of occurrences) {
    const revision = revisionOf(stream.replicaSet) ?? 0;
    counts.set(revision, (counts.get(revision) ?? 0) + 1);
  }
  return counts;
}
