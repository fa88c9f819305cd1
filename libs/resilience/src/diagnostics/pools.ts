import {
  defineDiagnostic,
  durationText,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Row,
} from '@starr/kernel';
import { processEntity } from '../entities.ts';
import type { PoolView } from '../policy-view.ts';
import { processesRead } from '../reads/processes.ts';
import { attachedProcessesSpec, coverageOf } from './coverage.ts';
import {
  groupPolicies,
  maxOf,
  sumOf,
  type PolicyGroup,
  type PolicyMember,
} from './group-policies.ts';

const maxRows = 10;

const thresholds = {
  waitMs: {
    value: 250,
    unit: 'ms',
    says: 'a caller that waits for a connection for so long is a finding',
    source: 'Starr: a wait that users can feel; a pool that is merely all in use is none',
  },
  criticalWaitMs: {
    value: 1000,
    unit: 'ms',
    says: 'a caller that waits for so long is critical',
    source: 'Starr: as long as a whole request may usually take',
  },
  failedPerMinute: {
    value: 1,
    unit: 'per-minute',
    says: 'so many callers without a connection in the newest minute are a finding, and critical when the pool is exhausted',
    source:
      'node-postgres 8.23 documentation, pg.Pool: connectionTimeoutMillis ends a wait with an error',
  },
} as const;

type PoolLimits = Limits<typeof thresholds>;
type Group = PolicyGroup<PoolView>;
type Member = PolicyMember<PoolView>;

export const pools = defineDiagnostic({
  id: 'resilience.pools',
  title: 'Connection pools',
  explains:
    'Asks every attached process for its connection pools. Callers that wait for a connection, or got none, are a finding; a pool that is all in use without anybody waiting is healthy. ' +
    'By hand: find who does not give connections back before making a pool bigger, and keep the sum of all pools below the usable slots of the server.',
  replaces: ['ConnectionPoolManager().get_metrics()'],
  reads: { processes: processesRead },
  thresholds,
  measures: {
    useRatio: { unit: 'ratio', says: 'connections out / max, in the fullest of the processes' },
    waiting: { unit: 'count', says: 'callers that wait in all processes' },
    oldestWaitMs: { unit: 'ms', says: 'longest wait; 0: nobody waits' },
    failedPerMinute: {
      unit: 'per-minute',
      says: 'callers without a connection in the newest minute',
    },
    oldestHeldMs: { unit: 'ms', says: 'how long the connection that is out longest has been out' },
    attachedProcesses: attachedProcessesSpec,
  },
  judge({ processes }, limits, look) {
    const groups = groupPolicies(processes, 'pool');
    const coverage = coverageOf(processes, look);
    return {
      measured: [...coverage.measured, ...groups.flatMap((group) => measurementsOf(group, limits))],
      findings: groups.flatMap((group) => findingOf(group, limits, look)),
      blind: coverage.blind,
    };
  },
});

function usedOf({ policy }: Member): number {
  return Math.max(0, policy.size - policy.idle);
}

function isExhausted(member: Member): boolean {
  return usedOf(member) >= member.policy.max;
}

/** Waiters alone: connecting anew is no wait for somebody else's connection. */
function waitOf({ policy }: Member): number {
  return policy.waiting > 0 ? policy.oldestWaitMs : 0;
}

function measurementsOf({ about, members }: Group, limits: PoolLimits): Measurement[] {
  const useRatio = maxOf(members, (member) =>
    member.policy.max === 0 ? 0 : usedOf(member) / member.policy.max,
  );
  const failed = sumOf(members, ({ policy }) => policy.lastMinute.failed);
  return [
    { name: 'useRatio', about, value: useRatio },
    { name: 'waiting', about, value: sumOf(members, ({ policy }) => policy.waiting) },
    {
      name: 'oldestWaitMs',
      about,
      value: Math.floor(maxOf(members, waitOf)),
      limit: limits.waitMs,
    },
    { name: 'failedPerMinute', about, value: failed, limit: limits.failedPerMinute },
    {
      name: 'oldestHeldMs',
      about,
      value: Math.floor(maxOf(members, ({ policy }) => policy.oldestHeldMs)),
    },
  ];
}

function findingOf(group: Group, limits: PoolLimits, look: Look): Finding[] {
  const ill = group.members
    .filter(
      (member) =>
        waitOf(member) >= limits.waitMs ||
        member.policy.lastMinute.failed >= limits.failedPerMinute,
    )
    .sort(
      (a, b) => waitOf(b) - waitOf(a) || b.policy.lastMinute.failed - a.policy.lastMinute.failed,
    );
  if (ill.length === 0) return [];
  const critical = ill.some(
    (member) =>
      waitOf(member) >= limits.criticalWaitMs ||
      (isExhausted(member) && member.policy.lastMinute.failed >= limits.failedPerMinute),
  );
  const waitMs = maxOf(ill, waitOf);
  return [
    {
      severity: critical ? 'critical' : 'warning',
      about: group.about,
      says: sentence(group, ill, waitMs),
      ...(waitMs > 0 && { since: new Date(look.now.getTime() - waitMs) }),
      measured: measurementsOf(group, limits),
      rows: ill.slice(0, maxRows).map(rowOf),
      involves: ill.map(({ process }) => processEntity(process.service, process.instance)),
    },
  ];
}

function sentence({ about, members }: Group, ill: readonly Member[], waitMs: number): string {
  const exhausted = ill.filter(isExhausted).length;
  const failed = sumOf(ill, ({ policy }) => policy.lastMinute.failed);
  const waiting = sumOf(ill, ({ policy }) => policy.waiting);
  const parts = [
    ...(exhausted > 0
      ? [`all connections are out in ${exhausted} of ${members.length} processes`]
      : []),
    ...(waitMs > 0 ? [`${waiting} callers wait, the oldest for ${durationText(waitMs)}`] : []),
    ...(failed > 0 ? [`${failed} callers got no connection in the last minute`] : []),
  ];
  return `pool ${about.name}: ${parts.join(', ')}`;
}

function rowOf(member: Member): Row {
  const { process, policy } = member;
  return {
    process: process.instance,
    ...(process.pod?.name !== undefined && { pod: process.pod.name }),
    used: usedOf(member),
    max: policy.max,
    idle: policy.idle,
    waiting: policy.waiting,
    oldestWait: { durationMs: Math.round(policy.oldestWaitMs) },
    oldestHeld: { durationMs: Math.round(policy.oldestHeldMs) },
    failedInMinute: policy.lastMinute.failed,
  };
}
