import {
  defineDiagnostic,
  durationText,
  windowed,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Row,
} from '@starr/kernel';
import type { AttachedProcess } from '../attached-process.ts';
import { processEntity } from '../entities.ts';
import type { QueueView } from '../policy-view.ts';
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
const minuteMs = 60_000;

const thresholds = {
  depth: {
    value: 100,
    unit: 'count',
    says: 'more waiting than this in one process is a finding',
    source: 'troubleshooting guide, High Queue Depth: request queue > 100',
  },
  fillRatio: {
    value: 0.8,
    unit: 'ratio',
    says: 'a queue that is full to this share is a finding',
    source: 'troubleshooting guide, BackpressureHandler: alert_threshold 0.8',
  },
  lossPerMinute: {
    value: 1,
    unit: 'per-minute',
    says: 'so many works a minute that were rejected or timed out make it critical',
    source: 'Starr: from the first lost work on, users feel it',
  },
} as const;

type QueueLimits = Limits<typeof thresholds>;
type Group = PolicyGroup<QueueView>;
type Member = PolicyMember<QueueView>;

/** What a queue did between two looks, a minute. */
interface Flow {
  readonly processed: number;
  readonly lost: number;
}

export const queues = defineDiagnostic({
  id: 'resilience.queues',
  title: 'Work queues',
  explains:
    'Asks every attached process twice for its bounded queues and their workers. A queue that is deep or nearly full is a finding; it is critical when it is full or loses works. ' +
    'By hand: see whether the workers wait for a dependency before adding workers, since more of them press it harder.',
  replaces: ['QueueManager.get_instance("request_queue").get_metrics()'],
  reads: { processes: windowed(processesRead) },
  thresholds,
  measures: {
    depth: { unit: 'count', says: 'works that wait in the deepest of the processes' },
    waiting: { unit: 'count', says: 'works that wait in all processes' },
    fillRatio: { unit: 'ratio', says: 'share of the places taken in the fullest of the processes' },
    workersRatio: { unit: 'ratio', says: 'share of the workers that are busy, over all processes' },
    oldestWaitMs: { unit: 'ms', says: 'longest wait; 0: nothing waits' },
    processedPerMinute: { unit: 'per-minute', says: 'works that ended well' },
    lossPerMinute: { unit: 'per-minute', says: 'works rejected or timed out' },
    attachedProcesses: attachedProcessesSpec,
  },
  judge({ processes: { before, after, elapsedMs } }, limits, look) {
    const coverage = coverageOf(after, look);
    const groups = groupPolicies(after, 'queue').map(
      (group) => [group, flowOf(group, before, elapsedMs)] as const,
    );
    return {
      measured: [
        ...coverage.measured,
        ...groups.flatMap(([group, flow]) => measurementsOf(group, flow, limits)),
      ],
      findings: groups.flatMap(([group, flow]) => findingOf(group, flow, limits, look)),
      blind: coverage.blind,
    };
  },
});

/** Counters of one life of a process only grow, so those of a process in both looks can be compared. */
function flowOf(group: Group, before: readonly AttachedProcess[], elapsedMs: number): Flow {
  const earlier = new Map(
    groupPolicies(before, 'queue')
      .filter(({ about }) => about.name === group.about.name)
      .flatMap(({ members }) => members.map((member) => [member.process.instance, member.policy])),
  );
  const perMinute = (countOf: (queue: QueueView) => number) => {
    const grown = sumOf(group.members, ({ process, policy }) => {
      const then = earlier.get(process.instance);
      return then ? Math.max(0, countOf(policy) - countOf(then)) : 0;
    });
    return elapsedMs > 0 ? (grown * minuteMs) / elapsedMs : 0;
  };
  return {
    processed: perMinute((queue) => queue.processed),
    lost: perMinute((queue) => queue.rejected + queue.timedOut),
  };
}

function fillOf({ policy }: Member): number {
  return policy.maxSize === 0 ? 0 : policy.size / policy.maxSize;
}

function measurementsOf({ about, members }: Group, flow: Flow, limits: QueueLimits): Measurement[] {
  const workers = sumOf(members, ({ policy }) => policy.maxWorkers);
  const busy = sumOf(members, ({ policy }) => policy.activeWorkers);
  return [
    {
      name: 'depth',
      about,
      value: maxOf(members, ({ policy }) => policy.size),
      limit: limits.depth,
    },
    { name: 'waiting', about, value: sumOf(members, ({ policy }) => policy.size) },
    { name: 'fillRatio', about, value: maxOf(members, fillOf), limit: limits.fillRatio },
    { name: 'workersRatio', about, value: workers === 0 ? 0 : busy / workers },
    {
      name: 'oldestWaitMs',
      about,
      value: Math.floor(maxOf(members, ({ policy }) => policy.oldestWaitMs)),
    },
    { name: 'processedPerMinute', about, value: Math.round(flow.processed) },
    { name: 'lossPerMinute', about, value: flow.lost, limit: limits.lossPerMinute },
  ];
}

function findingOf(group: Group, flow: Flow, limits: QueueLimits, look: Look): Finding[] {
  const ill = group.members
    .filter((member) => member.policy.size > limits.depth || fillOf(member) >= limits.fillRatio)
    .sort((a, b) => fillOf(b) - fillOf(a) || b.policy.size - a.policy.size);
  const losing = flow.lost >= limits.lossPerMinute;
  if (ill.length === 0 && !losing) return [];
  const critical = losing || ill.some((member) => fillOf(member) >= 1);
  const shown = ill.length > 0 ? ill : group.members;
  const oldestMs = maxOf(shown, ({ policy }) => policy.oldestWaitMs);
  return [
    {
      severity: critical ? 'critical' : 'warning',
      about: group.about,
      says: sentence(group, ill, flow, oldestMs),
      ...(oldestMs > 0 && { since: new Date(look.now.getTime() - oldestMs) }),
      measured: measurementsOf(group, flow, limits),
      rows: shown.slice(0, maxRows).map(rowOf),
      involves: shown.map(({ process }) => processEntity(process.service, process.instance)),
    },
  ];
}

function sentence(
  { about, members }: Group,
  ill: readonly Member[],
  { lost }: Flow,
  oldestMs: number,
): string {
  const worst = ill[0]?.policy;
  const deep = worst
    ? `${worst.size} of ${worst.maxSize} places taken in the fullest of ${members.length} processes, ${worst.activeWorkers} of ${worst.maxWorkers} workers busy, the oldest waits ${durationText(oldestMs)}`
    : '';
  const losing = lost > 0 ? `${Math.round(lost)} works a minute rejected or timed out` : '';
  return `queue ${about.name}: ${[deep, losing].filter((part) => part !== '').join('; ')}`;
}

function rowOf({ process, policy }: Member): Row {
  return {
    process: process.instance,
    ...(process.pod?.name !== undefined && { pod: process.pod.name }),
    size: policy.size,
    maxSize: policy.maxSize,
    activeWorkers: policy.activeWorkers,
    maxWorkers: policy.maxWorkers,
    oldestWait: { durationMs: Math.round(policy.oldestWaitMs) },
    failed: policy.failed,
    timedOut: policy.timedOut,
    rejected: policy.rejected,
  };
}
