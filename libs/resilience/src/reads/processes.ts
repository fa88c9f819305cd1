import { blindSpot, type Entity, type Read, type Relation } from '@starr/kernel';
import type { AttachedProcess } from '../attached-process.ts';
import {
  addressEntity,
  dependencyEntity,
  podEntity,
  policyEntity,
  postgresEntity,
  processEntity,
  serviceEntity,
} from '../entities.ts';
import type { PolicyView } from '../policy-view.ts';
import { processesOptionsOf, type ProcessesOptions } from '../processes-options.ts';
import type { ResilienceRequest } from '../request.ts';

const maxProcesses = 2000;

/** All attached processes, each asked for a report now: an older one could be from before an act. */
export const processesRead: Read<readonly AttachedProcess[], ResilienceRequest> = {
  id: 'resilience.processes',
  timeoutMs: 1200,
  maxRows: maxProcesses,
  request: () => ({ kind: 'processes' }),
  parse(raw) {
    const processes = raw as readonly AttachedProcess[];
    if (processes.length <= maxProcesses) return processes;
    return blindSpot(
      'truncated',
      `${processes.length} processes are attached; at most ${maxProcesses} are looked at`,
      'Attach them to several resilience services, one an environment.',
    );
  },
  relate: (processes, look) =>
    processes.flatMap((process) => relationsOf(process, processesOptionsOf(look))),
};

function relationsOf(process: AttachedProcess, options: ProcessesOptions): Relation[] {
  const { service, instance, pod, answer } = process;
  const from = processEntity(service, instance);
  const address = addressOf(process);
  const home = pod?.name === undefined ? undefined : podOf(pod.namespace, pod.name, options);
  return [
    { from, is: 'of', to: serviceEntity(service) },
    ...(address === undefined ? [] : [{ from, is: 'at', to: addressEntity(address) }]),
    ...(home ? [{ from, is: 'runs-in', to: home }] : []),
    ...(answer.kind === 'silent'
      ? []
      : answer.policies.flatMap((policy) => relationsOfPolicy(service, from, policy, options))),
  ];
}

function relationsOfPolicy(
  service: string,
  process: Entity,
  policy: PolicyView,
  options: ProcessesOptions,
): Relation[] {
  const from = policyEntity(policy.kind, service, policy.name);
  const home: Relation[] = [
    { from, is: 'in', to: process },
    { from, is: 'of', to: serviceEntity(service) },
  ];
  switch (policy.kind) {
    case 'breaker':
      return [...home, { from, is: 'guards', to: dependencyEntity(policy.guards) }];
    case 'queue':
      return home;
    case 'pool': {
      const { connectsTo } = policy;
      const target = connectsTo && options.databases[`${connectsTo.host}:${connectsTo.port}`];
      return target === undefined
        ? home
        : [...home, { from, is: 'connects-to', to: postgresEntity(target) }];
    }
  }
}

/** What the process says of itself before what its stream shows: a proxy may stand between. */
function addressOf({ pod, peerAddress }: AttachedProcess): string | undefined {
  return pod?.ip ?? peerAddress;
}

/** A pod's name is unique in one cluster only: no relation where more than one could be meant. */
function podOf(
  namespace: string | undefined,
  name: string,
  { clusters }: ProcessesOptions,
): Entity | undefined {
  if (namespace === undefined) return undefined;
  const [cluster, another] = clusters.filter(({ namespaces }) => namespaces.includes(namespace));
  return cluster && !another ? podEntity(cluster.target, namespace, name) : undefined;
}
