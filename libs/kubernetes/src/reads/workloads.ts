import type { Look, Read, Relation } from '@starr/kernel';
import {
  addressEntity,
  deploymentEntity,
  podEntity,
  revisionEntity,
  serviceEntity,
} from '../entities.ts';
import {
  joinWorkloads,
  type WorkloadPod,
  type Workload,
  type Workloads,
} from '../model/workloads.ts';
import { dateOf } from '../objects.ts';
import type { KubernetesRequest, WorkloadsAnswer } from '../request.ts';

/** Pods, ReplicaSets and Deployments of all configured namespaces, joined by their owners. */
export const workloadsRead: Read<Workloads, KubernetesRequest> = {
  id: 'k8s.workloads',
  timeoutMs: 4000,
  maxRows: 10_000,
  request: () => ({ kind: 'workloads' }),
  parse: (raw) => joinWorkloads(raw as WorkloadsAnswer),
  relate: (workloads, look) => [
    ...workloads.workloads.flatMap((workload) => relationsOf(workload, look)),
    ...workloads.loosePods.flatMap((pod) => addressOf(pod, look)),
  ],
};

function relationsOf(workload: Workload, look: Look): Relation[] {
  const { namespace, name } = workload;
  const deployment = deploymentEntity(look.target, namespace, name);
  const revision = (number: number) => revisionEntity(look.target, namespace, name, number);
  return [
    { from: deployment, is: 'provides', to: serviceEntity(workload.service) },
    ...workload.revisions.map(({ number, createdAt }) => ({
      from: revision(number),
      is: 'of',
      to: deployment,
      ...(createdAt && { since: createdAt }),
    })),
    ...workload.pods.flatMap((member) => {
      const pod = podEntity(look.target, namespace, member.name);
      return [
        ...addressOf(member, look),
        { from: pod, is: 'of', to: deployment },
        ...(member.revision === undefined
          ? []
          : [{ from: pod, is: 'runs', to: revision(member.revision) }]),
      ];
    }),
  ];
}

/** A pod that has ended no longer holds its address: somebody else may have it by now. */
function addressOf(member: WorkloadPod, look: Look): Relation[] {
  const { podIP, phase, startTime } = member.pod.status ?? {};
  if (podIP === undefined || phase === 'Succeeded' || phase === 'Failed') return [];
  const since = dateOf(startTime);
  return [
    {
      from: podEntity(look.target, member.namespace, member.name),
      is: 'at',
      to: addressEntity(podIP),
      ...(since && { since }),
    },
  ];
}
