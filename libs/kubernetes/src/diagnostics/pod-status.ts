import {
  defineDiagnostic,
  isBlindSpot,
  optional,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Row,
} from '@starr/kernel';
import { deploymentEntity, podEntity, revisionEntity } from '../entities.ts';
import { podTrouble, type PodTrouble } from '../model/pod-trouble.ts';
import { podWarning, type Warnings } from '../model/warnings.ts';
import { rolloutTrouble } from '../model/rollout-trouble.ts';
import {
  blindOf,
  controllerOf,
  itemsOf,
  type Workload,
  type WorkloadPod,
} from '../model/workloads.ts';
import { warningsRead } from '../reads/warnings.ts';
import { workloadsRead } from '../reads/workloads.ts';

const MAX_ROWS = 20;

const thresholds = {
  notReadyMs: {
    value: 60_000,
    unit: 'ms',
    says: 'A running pod may be not ready for so long.',
    source:
      'kube-prometheus KubePodNotReady holds 15 min (2026-08-10); an incident cannot wait that long',
  },
  unscheduledMs: {
    value: 30_000,
    unit: 'ms',
    says: 'A pod may wait for a node for so long.',
    source: 'own; the scheduler retries within seconds, a node pool grows in about a minute',
  },
  startingMs: {
    value: 120_000,
    unit: 'ms',
    says: 'A pod may take so long from creation to running (images, volumes).',
    source: 'robusta image pull trigger: 120 s (2026-08-16)',
  },
  terminatingMs: {
    value: 60_000,
    unit: 'ms',
    says: 'A pod may outlive its grace period by so much.',
    source: 'own',
  },
  unavailableMs: {
    value: 15_000,
    unit: 'ms',
    says: 'A Deployment may lack its minimum of available pods for so long.',
    source: 'own; kube-prometheus KubeDeploymentReplicasMismatch holds 15 min (2026-08-10)',
  },
} as const;

export const podStatus = defineDiagnostic({
  id: 'k8s.pod-status',
  title: 'Pods that do not do their work',
  replaces: [
    'kubectl get pods',
    'kubectl get deployments',
    'kubectl describe pod',
    'kubectl get events',
  ],
  explains:
    'Looks at every pod and Deployment: crash loops, images that cannot be pulled, pods that no node takes, pods that run ' +
    'without being ready, rollouts that are stuck, Deployments below their minimum. A trouble that may pass by itself is a ' +
    'finding only when it lasts. By hand: kubectl describe the pod, then its events and previous log.',
  reads: { workloads: workloadsRead, warnings: optional(warningsRead) },
  thresholds,
  measures: {
    pods: { unit: 'count', says: 'Pods seen.' },
    desiredReplicas: { unit: 'count', says: 'Replicas that a Deployment asks for.' },
    availableReplicas: { unit: 'count', says: 'Replicas that are available.' },
    availableRatio: { unit: 'ratio', says: 'Available of desired; 1 when none are desired.' },
    troubledPods: { unit: 'count', says: 'Pods with a trouble that counts.' },
  },
  judge({ workloads, warnings }, limits, look) {
    const events = isBlindSpot(warnings) ? undefined : warnings.byObject;
    const lost = isBlindSpot(warnings) ? [warnings] : warnings.blind;
    const blind = [...blindOf(workloads.pods), ...blindOf(workloads.deployments), ...lost];
    if (isBlindSpot(workloads.pods) && isBlindSpot(workloads.deployments)) {
      return { measured: [], blind };
    }
    const podsUnseen = isBlindSpot(workloads.pods);
    const seen = workloads.workloads.map((workload) =>
      judgeWorkload(workload, podsUnseen, limits, look, events),
    );
    const loose = workloads.loosePods.flatMap((pod) => judgeLoose(pod, limits, look, events));
    return {
      measured: [
        ...podCount(itemsOf(workloads.pods).length, podsUnseen, look),
        ...seen.flatMap(({ measured }) => measured),
      ],
      findings: [...seen.flatMap(({ finding }) => finding ?? []), ...loose],
      blind,
    };
  },
});

type InForce = Limits<typeof thresholds>;

function podCount(count: number, unseen: boolean, look: Look): Measurement[] {
  if (unseen) return [];
  return [{ name: 'pods', about: { kind: 'cluster', name: look.target }, value: count }];
}

function windowStartOf(look: Look): Date {
  return new Date(look.now.getTime() - look.windowMs);
}

function judgeWorkload(
  workload: Workload,
  podsUnseen: boolean,
  limits: InForce,
  look: Look,
  events: Warnings | undefined,
): { measured: readonly Measurement[]; finding?: Finding } {
  const about = deploymentEntity(look.target, workload.namespace, workload.name);
  const troubled = workload.pods.flatMap((member) => {
    const trouble = podTrouble(member.pod, limits, look.now, windowStartOf(look));
    return trouble ? [{ member, trouble }] : [];
  });
  const rollout = workload.deployment && rolloutTrouble(workload.deployment, limits, look.now);
  const measured: Measurement[] = [
    ...(podsUnseen ? [] : [{ name: 'troubledPods', about, value: troubled.length }]),
    ...replicasOf(workload).map(([name, value]) => ({ name, about, value })),
  ];
  if (troubled.length === 0 && !rollout) return { measured };
  const since = earliest([rollout?.since, ...troubled.map(({ trouble }) => trouble.since)]);
  return {
    measured,
    finding: {
      severity: severityOf(workload, rollout?.severity, troubled),
      about,
      says: sentence(workload, rollout?.says, troubled),
      ...(since && { since }),
      measured,
      rows: troubled
        .slice(0, MAX_ROWS)
        .map(({ member, trouble }) => rowOf(member, trouble, events)),
      involves: involvedIn(workload, troubled, look),
    },
  };
}

interface Troubled {
  readonly member: WorkloadPod;
  readonly trouble: PodTrouble;
}

function replicasOf({ deployment }: Workload): [string, number][] {
  if (!deployment) return [];
  const desired = deployment.spec?.replicas ?? 1;
  const available = deployment.status?.availableReplicas ?? 0;
  return [
    ['desiredReplicas', desired],
    ['availableReplicas', available],
    ['availableRatio', desired === 0 ? 1 : available / desired],
  ];
}

/** Critical: users have nobody to serve them, or the minimum is missing. */
function severityOf(
  workload: Workload,
  rollout: 'warning' | 'critical' | undefined,
  troubled: readonly Troubled[],
): 'warning' | 'critical' {
  if (rollout === 'critical') return 'critical';
  const replicas = new Map(replicasOf(workload));
  const nobodyLeft =
    replicas.get('availableReplicas') === 0 && replicas.get('desiredReplicas') !== 0;
  const allStopped =
    troubled.length > 0 && troubled.every(({ trouble }) => trouble.kind === 'stops');
  return nobodyLeft && allStopped ? 'critical' : 'warning';
}

function sentence(
  workload: Workload,
  rollout: string | undefined,
  troubled: readonly Troubled[],
): string {
  const name = `${workload.namespace}/${workload.name}`;
  const counts = new Map<string, number>();
  for (const { trouble } of troubled)
    counts.set(trouble.reason, (counts.get(trouble.reason) ?? 0) + 1);
  const pods = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${count} of ${workload.pods.length} pods ${reason}`);
  return `${name}: ${[...(rollout === undefined ? [] : [rollout]), ...pods].join('; ')}`;
}

function involvedIn(workload: Workload, troubled: readonly Troubled[], look: Look) {
  const { namespace, name } = workload;
  const revisions = new Set(troubled.flatMap(({ member }) => member.revision ?? []));
  return [
    ...[...revisions].map((number) => revisionEntity(look.target, namespace, name, number)),
    ...troubled
      .slice(0, MAX_ROWS)
      .map(({ member }) => podEntity(look.target, namespace, member.name)),
  ];
}

function judgeLoose(
  member: WorkloadPod,
  limits: InForce,
  look: Look,
  events: Warnings | undefined,
): Finding[] {
  const trouble = podTrouble(member.pod, limits, look.now, windowStartOf(look));
  if (!trouble) return [];
  const ofJob = controllerOf(member.pod, 'Job') !== undefined;
  const about = podEntity(look.target, member.namespace, member.name);
  return [
    {
      severity: trouble.kind === 'stops' && !ofJob ? 'critical' : 'warning',
      about,
      says: `pod ${about.name}: ${trouble.says}`,
      ...(trouble.since && { since: trouble.since }),
      measured: [{ name: 'troubledPods', about, value: 1 }],
      rows: [rowOf(member, trouble, events)],
    },
  ];
}

function rowOf(member: WorkloadPod, trouble: PodTrouble, events: Warnings | undefined): Row {
  const event = podWarning(events, member.namespace, member.name);
  return {
    pod: member.name,
    reason: trouble.reason,
    says: trouble.says,
    ...(trouble.container !== undefined && { container: trouble.container }),
    ...(member.revision !== undefined && { revision: member.revision }),
    ...(trouble.since && { since: { moment: trouble.since.toISOString() } }),
    ...(event && { event: `${event.reason}: ${event.text}`, eventCount: event.count }),
  };
}

function earliest(moments: readonly (Date | undefined)[]): Date | undefined {
  return moments.filter((at) => at !== undefined).sort((a, b) => a.getTime() - b.getTime())[0];
}
