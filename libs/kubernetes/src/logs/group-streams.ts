import type { Entity, Look } from '@starr/kernel';
import { deploymentEntity, podEntity, qualifiedName } from '../entities.ts';
import { rolloutsOf } from '../model/rollouts.ts';
import type { Workload } from '../model/workloads.ts';
import type { LogStream } from '../reads/logs.ts';

/** The logs of one Deployment, or of one pod that belongs to none. */
export interface LogGroup {
  readonly about: Entity;
  readonly name: string;
  readonly namespace: string;
  readonly deployment?: string;
  readonly streams: readonly LogStream[];
  /** Name of a ReplicaSet → revision. */
  readonly revisions: ReadonlyMap<string, number>;
  /** Pods that are there now. */
  readonly podCount: number;
  /** The revision reached within the window. */
  readonly reached?: number;
}

/** By Deployment, also for pods that are gone; a Deployment without any log is left out. */
export function groupStreams(
  streams: readonly LogStream[],
  workloads: readonly Workload[],
  look: Look,
): readonly LogGroup[] {
  const owners = ownersOf(workloads);
  const byWorkload = new Map<Workload, LogStream[]>();
  const byPod = new Map<string, LogStream[]>();
  for (const stream of streams) {
    const { namespace, pod, replicaSet } = stream;
    const owner =
      owners.get(qualifiedName(namespace, pod)) ??
      owners.get(`rs:${qualifiedName(namespace, replicaSet ?? '')}`);
    if (owner) push(byWorkload, owner, stream);
    else push(byPod, qualifiedName(namespace, pod), stream);
  }
  return [
    ...[...byWorkload].map(([workload, own]) => workloadGroup(workload, own, look)),
    ...[...byPod].map(([name, own]) => podGroup(name, own, look)),
  ].sort((a, b) => a.name.localeCompare(b.name));
}

function ownersOf(workloads: readonly Workload[]): ReadonlyMap<string, Workload> {
  const owners = new Map<string, Workload>();
  for (const workload of workloads) {
    for (const { namespace, name, replicaSet } of workload.pods) {
      owners.set(qualifiedName(namespace, name), workload);
      if (replicaSet !== undefined)
        owners.set(`rs:${qualifiedName(namespace, replicaSet)}`, workload);
    }
    for (const { name } of workload.revisions) {
      owners.set(`rs:${qualifiedName(workload.namespace, name)}`, workload);
    }
  }
  return owners;
}

function push<K>(map: Map<K, LogStream[]>, key: K, stream: LogStream): void {
  const list = map.get(key) ?? [];
  list.push(stream);
  map.set(key, list);
}

function workloadGroup(workload: Workload, streams: readonly LogStream[], look: Look): LogGroup {
  const { namespace, name } = workload;
  const reached = rolloutsOf(workload, look).at(-1)?.to;
  return {
    about: deploymentEntity(look.target, namespace, name),
    name: qualifiedName(namespace, name),
    namespace,
    deployment: name,
    streams,
    revisions: new Map(workload.revisions.map((revision) => [revision.name, revision.number])),
    podCount: workload.pods.length,
    ...(reached !== undefined && { reached }),
  };
}

function podGroup(name: string, streams: readonly LogStream[], look: Look): LogGroup {
  const [{ namespace, pod } = { namespace: '', pod: name }] = streams;
  return {
    about: podEntity(look.target, namespace, pod),
    name: `pod ${name}`,
    namespace,
    streams,
    revisions: new Map(),
    podCount: 1,
  };
}
