import {
  defineDiagnostic,
  durationText,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Row,
} from '@starr/kernel';
import { dependencyEntity, processEntity } from '../entities.ts';
import type { BreakerView } from '../policy-view.ts';
import { processesRead } from '../reads/processes.ts';
import { attachedProcessesSpec, coverageOf } from './coverage.ts';
import { forcedOpenOf, isForcedOpen } from './forced-open.ts';
import {
  groupPolicies,
  maxOf,
  sumOf,
  type PolicyGroup,
  type PolicyMember,
} from './group-policies.ts';

const maxRows = 10;

const thresholds = {
  openProcesses: {
    value: 1,
    unit: 'count',
    says: 'a breaker that is not closed in so many processes is a finding',
    source: 'troubleshooting guide, Circuit Breaker Stuck Open: any breaker whose state is open',
  },
  openRatio: {
    value: 0.5,
    unit: 'ratio',
    says: 'not closed in this share of the processes is critical',
    source: 'Starr: from half of the processes on, most users are refused',
  },
  stuckMs: {
    value: 60_000,
    unit: 'ms',
    says: 'not closed for so long in any process is critical',
    source: 'troubleshooting guide, Circuit Breaker Stuck Open: recovery_timeout 60 s',
  },
} as const;

type BreakerLimits = Limits<typeof thresholds>;
type Group = PolicyGroup<BreakerView>;

export const breakers = defineDiagnostic({
  id: 'resilience.breakers',
  title: 'Circuit breakers',
  explains:
    'Asks every attached process for its circuit breakers. A breaker that is not closed is a finding; it is critical when at least half of the processes of the service have it so, or when it lasts. ' +
    'Open in most processes points at the dependency, open in one of many at that process. ' +
    'By hand: find out whether the dependency answers before anything is reset.',
  replaces: ['python scripts/reliability/check_circuit_breakers.py'],
  reads: { processes: processesRead },
  thresholds,
  measures: {
    openProcesses: { unit: 'count', says: 'processes in which the breaker is not closed' },
    openRatio: { unit: 'ratio', says: 'share of the reporting processes that have it so' },
    notClosedForMs: {
      unit: 'ms',
      says: 'longest time that it has not been closed; 0: closed everywhere',
    },
    rejectedCalls: { unit: 'count', says: 'calls rejected since the present state was entered' },
    attachedProcesses: attachedProcessesSpec,
  },
  judge({ processes }, limits, look) {
    const groups = groupPolicies(processes, 'breaker');
    const coverage = coverageOf(processes, look);
    return {
      measured: [...coverage.measured, ...groups.flatMap((group) => measurementsOf(group, limits))],
      findings: groups.flatMap((group) => findingOf(group, limits, look)),
      changes: groups.flatMap(forcedOpenOf),
      blind: coverage.blind,
    };
  },
});

function notClosed({ members }: Group): PolicyMember<BreakerView>[] {
  return members.filter(({ policy }) => policy.state !== 'closed' && !isForcedOpen(policy));
}

function longestMs(members: readonly PolicyMember<BreakerView>[]): number {
  return maxOf(members, ({ policy }) => policy.notClosedForMs ?? 0);
}

function measurementsOf(group: Group, limits: BreakerLimits): Measurement[] {
  const { about, members } = group;
  const open = notClosed(group);
  return [
    { name: 'openProcesses', about, value: open.length, limit: limits.openProcesses },
    { name: 'openRatio', about, value: open.length / members.length, limit: limits.openRatio },
    { name: 'notClosedForMs', about, value: Math.floor(longestMs(open)), limit: limits.stuckMs },
    { name: 'rejectedCalls', about, value: sumOf(open, ({ policy }) => policy.rejectedInState) },
  ];
}

function findingOf(group: Group, limits: BreakerLimits, look: Look): Finding[] {
  const open = notClosed(group);
  if (open.length < limits.openProcesses || open.length === 0) return [];
  const forMs = longestMs(open);
  const critical =
    open.length >= group.members.length * limits.openRatio || forMs >= limits.stuckMs;
  const guarded = new Set(open.map(({ policy }) => policy.guards));
  return [
    {
      severity: critical ? 'critical' : 'warning',
      about: group.about,
      says: sentence(group, open, forMs),
      since: new Date(look.now.getTime() - forMs),
      measured: measurementsOf(group, limits),
      rows: open.slice(0, maxRows).map(rowOf),
      involves: [
        ...[...guarded].map(dependencyEntity),
        ...open.map(({ process }) => processEntity(process.service, process.instance)),
      ],
    },
  ];
}

function sentence(
  { about, service, members }: Group,
  open: readonly PolicyMember<BreakerView>[],
  forMs: number,
): string {
  const guards = open[0]?.policy.guards ?? '';
  const share = `${open.length} of ${members.length} processes of ${service}`;
  const points =
    members.length < 2
      ? ''
      : open.length * 2 >= members.length
        ? `; that points at ${guards}`
        : '; that points at the process, not at ' + guards;
  const unused = open.every(
    ({ policy }) => policy.rejectedInState === 0 && policy.timeUntilRetryMs === 0,
  );
  const idle = unused ? '; its probe is due, but nobody calls' : '';
  return `breaker ${about.name} to ${guards} is not closed in ${share} for ${durationText(forMs)}${points}${idle}`;
}

function rowOf({ process, policy }: PolicyMember<BreakerView>): Row {
  return {
    process: process.instance,
    ...(process.pod?.name !== undefined && { pod: process.pod.name }),
    state: policy.state,
    notClosedFor: { durationMs: Math.round(policy.notClosedForMs ?? policy.stateAgeMs) },
    ...(policy.timeUntilRetryMs !== undefined && {
      timeUntilRetry: { durationMs: Math.round(policy.timeUntilRetryMs) },
    }),
    windowCalls: policy.windowCalls,
    windowFailures: policy.windowFailures,
    rejected: policy.rejectedInState,
    ...(policy.lastFailure && { lastFailure: policy.lastFailure.name }),
  };
}
