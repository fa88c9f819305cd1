import {
  defineDiagnostic,
  isBlindSpot,
  optional,
  type Entity,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Row,
} from '@starr/kernel';
import { podEntity, revisionEntity } from '../entities.ts';
import {
  errorsPerMinute,
  errorTrends,
  type ErrorTrend,
  type TrendQuestion,
} from '../logs/error-trends.ts';
import { groupStreams, type LogGroup } from '../logs/group-streams.ts';
import { coverageBlindSpots } from '../logs/coverage.ts';
import { blindOf } from '../model/workloads.ts';
import { logsRead } from '../reads/logs.ts';
import { workloadsRead } from '../reads/workloads.ts';

const MAX_ROWS = 10;
const MAX_SAMPLE = 300;
const MAX_PODS_INVOLVED = 20;

const thresholds = {
  minCount: {
    value: 5,
    unit: 'count',
    says: 'A template that came less often within the window is no finding.',
    source: 'own; fewer lines carry no trend',
  },
  riseFactor: {
    value: 3,
    unit: 'ratio',
    says: 'A template rises when it comes so many times as often as before.',
    source: 'own; above the daily swing of traffic',
  },
  evidence: {
    value: 8,
    unit: 'log-likelihood ratio',
    says: 'A step must explain the lines so much better than one steady rate (8: 3,000 times likelier).',
    source: 'own; quasi-Poisson, with 60 places to put the step',
  },
  activeMs: {
    value: 120_000,
    unit: 'ms',
    says: 'A template that has not come for so long has ended.',
    source: 'own',
  },
  warmUpMs: {
    value: 60_000,
    unit: 'ms',
    says: 'Silence shorter than this after the start of a container is not a time without errors.',
    source: 'own; probes and first traffic take up to a minute',
  },
  sinceRolloutPerMinute: {
    value: 10,
    unit: 'per-minute',
    says: 'With nothing of the earlier revision left to compare with, a template of a new revision must come so often.',
    source: 'own',
  },
  criticalPerMinute: {
    value: 30,
    unit: 'per-minute',
    says: 'Critical: new and rising errors come so often, and are the share of all lines below.',
    source: 'own',
  },
  criticalRatio: {
    value: 0.05,
    unit: 'ratio',
    says: 'Critical: new and rising errors are such a share of all lines.',
    source: 'troubleshooting guide, "High Error Rates": above 5 %',
  },
} as const;

export const errorDistribution = defineDiagnostic({
  id: 'k8s.error-distribution',
  title: 'Error templates in the logs that are new or rise',
  replaces: [
    'kubectl logs deployment/api-server --tail=1000 | grep ERROR | sort | uniq -c | sort -rn',
    'kubectl logs deployment/api-server --since=10m | grep ERROR',
    'python scripts/monitoring/analyze_errors.py --period=30m',
  ],
  explains:
    'Reads the newest log lines of every pod, current and previous container, and counts error messages by template, per revision ' +
    'and per pod, with the moment at which each became new or more frequent. Old errors at their old rate are measured, never a ' +
    'finding. By hand: kubectl logs with --since and --previous for each pod, compared with the time before.',
  reads: { workloads: optional(workloadsRead), logs: logsRead },
  thresholds,
  measures: {
    errorsPerMinute: { unit: 'per-minute', says: 'Error lines over the last minute, all pods.' },
    risingPerMinute: { unit: 'per-minute', says: 'Of these, of templates that are new or rise.' },
    errorRatio: { unit: 'ratio', says: 'Error lines of all lines that were read.' },
    risingTemplates: { unit: 'count', says: 'Templates that are new or rise.' },
    logLines: { unit: 'count', says: 'Lines that were read.' },
  },
  judge({ workloads, logs }, limits, look) {
    const known = isBlindSpot(workloads) ? [] : workloads.workloads;
    const groups = groupStreams(logs.streams, known, look);
    const judged = groups.map((group) => judgeGroup(group, limits, look));
    const lines = logs.streams.reduce((sum, s) => sum + (s.remembered ? 0 : s.lineCount), 0);
    const cluster = { kind: 'cluster', name: look.target };
    return {
      measured: [
        { name: 'logLines', about: cluster, value: lines },
        ...judged.flatMap(({ measured }) => measured),
      ],
      findings: judged.flatMap(({ finding }) => finding ?? []),
      blind: [
        ...logs.blind,
        ...(isBlindSpot(workloads) ? [workloads] : blindOf(workloads.replicaSets)),
        ...groups.flatMap((group) => coverageBlindSpots(group, limits, look)),
      ],
    };
  },
});

type InForce = Limits<typeof thresholds>;

function judgeGroup(
  group: LogGroup,
  limits: InForce,
  look: Look,
): { measured: readonly Measurement[]; finding?: Finding } {
  const question = questionFrom(group, look);
  const trends = errorTrends(question, limits);
  const bad = trends.filter(({ trend }) => trend !== 'steady' && trend !== 'ended');
  const measured = measure(group, question, bad);
  if (bad.length === 0) return { measured };
  const since = bad.map((t) => t.since).reduce((a, b) => (a < b ? a : b));
  return {
    measured,
    finding: {
      severity: isCritical(group, bad, limits) ? 'critical' : 'warning',
      about: group.about,
      says: sentence(group, bad),
      since,
      measured,
      rows: [...bad, ...trends.filter(({ trend }) => trend === 'steady')]
        .slice(0, MAX_ROWS)
        .map((trend) => rowOf(trend, group)),
      involves: involvedIn(group, bad, look),
    },
  };
}

function questionFrom(group: LogGroup, look: Look): TrendQuestion {
  return {
    streams: group.streams,
    now: look.now,
    windowMs: look.windowMs,
    revisionOf: (replicaSet) => group.revisions.get(replicaSet ?? ''),
    ...(group.reached !== undefined && { reached: group.reached }),
  };
}

function measure(
  { about, streams }: LogGroup,
  question: TrendQuestion,
  bad: readonly ErrorTrend[],
): Measurement[] {
  const live = streams.filter(({ remembered }) => !remembered);
  const lines = live.reduce((sum, { lineCount }) => sum + lineCount, 0);
  const errors = live.reduce((sum, stream) => sum + stream.errors.length, 0);
  const rate = errorsPerMinute(question);
  if (rate === undefined) return [];
  return [
    { name: 'errorsPerMinute', about, value: round(rate) },
    { name: 'risingPerMinute', about, value: round(totalRate(bad)) },
    { name: 'errorRatio', about, value: lines === 0 ? 0 : round(errors / lines) },
    { name: 'risingTemplates', about, value: bad.length },
  ];
}

/** Only what was compared with a time before: without that, nobody knows whether it is the trouble. */
function isCritical(group: LogGroup, bad: readonly ErrorTrend[], limits: InForce): boolean {
  const compared = bad.filter(({ trend }) => trend !== 'since-rollout');
  const lines = group.streams.reduce((sum, s) => sum + (s.remembered ? 0 : s.lineCount), 0);
  const errors = compared.reduce((sum, { count }) => sum + count, 0);
  const ratio = lines === 0 ? 1 : errors / lines;
  return totalRate(compared) >= limits.criticalPerMinute && ratio >= limits.criticalRatio;
}

function totalRate(trends: readonly ErrorTrend[]): number {
  return trends.reduce((sum, { perMinute }) => sum + perMinute, 0);
}

function sentence(group: LogGroup, bad: readonly ErrorTrend[]): string {
  const [worst, ...others] = bad;
  if (!worst) return '';
  const revisions = [...worst.perRevision.keys()].filter((n) => n > 0).sort((a, b) => a - b);
  const where = revisions.length > 0 ? `, revision ${revisions.join(' and ')}` : '';
  const how = {
    new: `new since ${clockOf(worst.since)}`,
    rising: `more since ${clockOf(worst.since)}`,
    'since-rollout': 'since the revision runs, nothing earlier to compare with',
    steady: 'as ever',
    ended: 'ended',
  }[worst.trend];
  const more = others.length > 0 ? `; ${others.length} more templates` : '';
  return `${group.name} logs "${worst.template}" ×${worst.count}, ${how}, on ${worst.pods.length} of ${podsOf(group, worst)} pods${where}${more}`;
}

/** Pods that have gone meanwhile count too. */
function podsOf({ podCount }: LogGroup, { pods }: ErrorTrend): number {
  return Math.max(podCount, pods.length);
}

function rowOf(trend: ErrorTrend, group: LogGroup): Row {
  const revisions = [...trend.perRevision].sort(([a], [b]) => b - a);
  return {
    template: trend.template.slice(0, MAX_SAMPLE),
    trend: trend.trend,
    count: trend.count,
    perMinute: round(trend.perMinute),
    since: { moment: trend.since.toISOString() },
    lastSeen: { moment: trend.lastSeen.toISOString() },
    pods: trend.pods.length,
    podsOf: podsOf(group, trend),
    perRevision: revisions.map(([n, count]) => `${n === 0 ? '?' : n}: ${count}`).join(', '),
    sample: trend.sample.text.slice(0, MAX_SAMPLE),
    ...(trend.sample.traceId !== undefined && { traceId: trend.sample.traceId }),
  };
}

function involvedIn(group: LogGroup, bad: readonly ErrorTrend[], look: Look): readonly Entity[] {
  const { namespace, deployment } = group;
  const revisions = new Set(bad.flatMap(({ perRevision }) => [...perRevision.keys()]));
  revisions.delete(0);
  const pods = new Set(bad.flatMap((trend) => trend.pods));
  return [
    ...(deployment === undefined
      ? []
      : [...revisions].map((n) => revisionEntity(look.target, namespace, deployment, n))),
    ...[...pods].slice(0, MAX_PODS_INVOLVED).map((pod) => podEntity(look.target, namespace, pod)),
  ];
}

function clockOf(at: Date): string {
  return at.toISOString().slice(11, 19);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
