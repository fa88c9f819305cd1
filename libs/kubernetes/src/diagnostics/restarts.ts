import {
  defineDiagnostic,
  isBlindSpot,
  type Entity,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Row,
} from '@starr/kernel';
import { deploymentEntity, podEntity, revisionEntity } from '../entities.ts';
import { containerEnds, endText, type ContainerEnds } from '../model/container-ends.ts';
import { blindOf, type WorkloadPod } from '../model/workloads.ts';
import { workloadsRead } from '../reads/workloads.ts';

const MAX_ROWS = 20;

const thresholds = {
  restarts: {
    value: 2,
    unit: 'count',
    says: 'Restarts of a workload within the window from which they are a finding.',
    source:
      'robusta crash loop trigger: restartCount ≥ 2 (2026-08-16), here within the window only',
  },
  criticalRestarts: {
    value: 5,
    unit: 'count',
    says: 'Restarts within the window from which the finding is critical.',
    source: 'popeye restarts > 5 (v0.22.1), there over the whole life of the pod',
  },
  oomKills: {
    value: 1,
    unit: 'count',
    says: 'Kills for want of memory from which they are a finding.',
    source: 'own; a kill for memory comes back while the limit and the load are the same',
  },
} as const;

export const restarts = defineDiagnostic({
  id: 'k8s.restarts',
  title: 'Containers that restart or are killed for memory',
  replaces: [
    'kubectl get pods -n production | grep OOMKilled',
    'kubectl get pods --sort-by=.status.containerStatuses[0].restartCount',
  ],
  explains:
    'Counts restarts within the window by the moment of the last end, never by the counter of a pod’s life, and kills for want ' +
    'of memory from the current and the last state. Kubernetes keeps one last state, so that for an old pod the count is "at least". ' +
    'By hand: kubectl describe the pod, then its log with --previous.',
  reads: { workloads: workloadsRead },
  thresholds,
  measures: {
    restarts: { unit: 'count', says: 'Restarts within the window, at least.' },
    oomKills: {
      unit: 'count',
      says: 'Kills for want of memory within the window that are still known.',
    },
  },
  judge({ workloads }, limits, look) {
    const blind = blindOf(workloads.pods);
    if (isBlindSpot(workloads.pods)) return { measured: [], blind };
    const groups: Group[] = [
      ...workloads.workloads.map(({ namespace, name, pods }) => ({
        about: deploymentEntity(look.target, namespace, name),
        revision: (n: number) => revisionEntity(look.target, namespace, name, n),
        pods,
      })),
      ...workloads.loosePods.map((pod) => ({
        about: podEntity(look.target, pod.namespace, pod.name),
        pods: [pod],
      })),
    ];
    const judged = groups.map((group) => judgeGroup(group, limits, look));
    const cluster = { kind: 'cluster', name: look.target };
    const total = judged.reduce((sum, { ends }) => sum + countOf(ends), 0);
    return {
      measured: [
        { name: 'restarts', about: cluster, value: total },
        ...judged.flatMap(({ measured }) => measured),
      ],
      findings: judged.flatMap(({ finding }) => finding ?? []),
      blind,
    };
  },
});

interface Group {
  readonly about: Entity;
  readonly pods: readonly WorkloadPod[];
  /** Absent: not a Deployment. */
  readonly revision?: (number: number) => Entity;
}

interface Judged {
  readonly ends: readonly ContainerEnds[];
  readonly measured: readonly Measurement[];
  readonly finding?: Finding;
}

function judgeGroup(group: Group, limits: Limits<typeof thresholds>, look: Look): Judged {
  const windowStart = new Date(look.now.getTime() - look.windowMs);
  const ends = group.pods.flatMap((pod) => containerEnds(pod, windowStart));
  const count = countOf(ends);
  const oomKills = ends.reduce((sum, end) => sum + end.oomKills, 0);
  const { about } = group;
  const measured = [
    { name: 'restarts', about, value: count, limit: limits.restarts },
    { name: 'oomKills', about, value: oomKills, limit: limits.oomKills },
  ];
  if (count < limits.restarts && oomKills < limits.oomKills) {
    // a pod of no Deployment is told of only when there is something to tell
    return { ends, measured: group.revision || ends.length > 0 ? measured : [] };
  }
  const since = ends
    .flatMap(({ first }) => first ?? [])
    .sort((a, b) => a.getTime() - b.getTime())[0];
  const oomAgain = oomKills >= limits.oomKills && (oomKills > 1 || count >= limits.restarts);
  const critical = count >= limits.criticalRestarts || oomAgain;
  return {
    ends,
    measured,
    finding: {
      severity: critical ? 'critical' : 'warning',
      about,
      says: sentence(about, ends, count, oomKills),
      ...(since && { since }),
      measured,
      rows: ends.toSorted(gravestFirst).slice(0, MAX_ROWS).map(rowOf),
      involves: involvedIn(group, ends, look),
    },
  };
}

function countOf(ends: readonly ContainerEnds[]): number {
  return ends.reduce((sum, end) => sum + end.restarts, 0);
}

function gravestFirst(a: ContainerEnds, b: ContainerEnds): number {
  return (
    b.oomKills - a.oomKills || b.restarts - a.restarts || a.member.name.localeCompare(b.member.name)
  );
}

function sentence(
  about: Entity,
  ends: readonly ContainerEnds[],
  count: number,
  oomKills: number,
): string {
  const pods = new Set(ends.map(({ member }) => member.name)).size;
  const least = ends.every(({ exact }) => exact) ? '' : 'at least ';
  const reasons = [...new Set(ends.flatMap(({ last }) => (last ? [endText(last)] : [])))];
  const memory = oomKills > 0 ? `, ${oomKills} killed for memory` : '';
  return `${about.name}: ${least}${count} restarts on ${pods} pods${memory}; ended by ${reasons.join(', ')}`;
}

function rowOf(end: ContainerEnds): Row {
  const { member, last } = end;
  return {
    pod: member.name,
    container: end.container,
    restarts: end.restarts,
    exact: end.exact,
    oomKills: end.oomKills,
    down: end.down,
    ...(member.revision !== undefined && { revision: member.revision }),
    ...(end.memoryLimit !== undefined && { memoryLimit: end.memoryLimit }),
    ...(last && { ended: endText(last) }),
    ...(last?.exitCode !== undefined && { exitCode: last.exitCode }),
    ...(last?.finishedAt !== undefined && { finishedAt: { moment: last.finishedAt } }),
  };
}

function involvedIn(group: Group, ends: readonly ContainerEnds[], look: Look): readonly Entity[] {
  const members = new Map(ends.map(({ member }) => [member.name, member]));
  const revisions = new Set([...members.values()].flatMap(({ revision }) => revision ?? []));
  return [
    ...(group.revision ? [...revisions].map(group.revision) : []),
    ...[...members.values()]
      .slice(0, MAX_ROWS)
      .map(({ namespace, name }) => podEntity(look.target, namespace, name)),
  ];
}
