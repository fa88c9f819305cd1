import { isBlindSpot, type BlindSpot } from '@starr/kernel';
import { dateOf, type Deployment, type KubeObject, type Pod, type ReplicaSet } from '../objects.ts';
import type { Listed, SeenHealthy, WorkloadsAnswer } from '../request.ts';

/** A Deployment with all that belongs to it. */
export interface Workload {
  readonly namespace: string;
  readonly name: string;
  /** Absent: Deployments could not be seen; known from its pods alone. */
  readonly deployment?: Deployment;
  /** Oldest first. Empty: ReplicaSets could not be seen. */
  readonly revisions: readonly Revision[];
  readonly pods: readonly WorkloadPod[];
  /** The service that it provides, by label or by its own name. */
  readonly service: string;
  /** Of the template that the Deployment asks for. Absent: Deployments could not be seen. */
  readonly templateHash?: string;
}

export interface Revision {
  readonly number: number;
  readonly name: string;
  readonly uid: string;
  readonly replicaSet: ReplicaSet;
  readonly createdAt?: Date;
  /** Revisions that this ReplicaSet was before, when a rollback made it current again. */
  readonly earlierNumbers: readonly number[];
  readonly templateHash?: string;
  readonly seenHealthy?: SeenHealthy;
}

export interface WorkloadPod {
  readonly namespace: string;
  readonly name: string;
  readonly pod: Pod;
  /** Name of the owning ReplicaSet. Absent: another owner, or none. */
  readonly replicaSet?: string;
  /** Absent: not of a Deployment, or ReplicaSets could not be seen. */
  readonly revision?: number;
}

export interface Workloads {
  readonly pods: Listed<Pod> | BlindSpot;
  readonly replicaSets: Listed<ReplicaSet> | BlindSpot;
  readonly deployments: Listed<Deployment> | BlindSpot;
  /** By namespace and name. */
  readonly workloads: readonly Workload[];
  /** Pods of no Deployment. */
  readonly loosePods: readonly WorkloadPod[];
}

const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
const TEMPLATE_HASH = 'pod-template-hash';

export function namespaceOf(object: KubeObject): string {
  return object.metadata?.namespace ?? '';
}

export function nameOf(object: KubeObject): string {
  return object.metadata?.name ?? '';
}

export function revisionNumberOf(object: KubeObject): number | undefined {
  const text = object.metadata?.annotations?.[REVISION];
  const number = Number(text);
  return text !== undefined && Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

export function controllerOf(object: KubeObject, kind: string): string | undefined {
  return object.metadata?.ownerReferences?.find((o) => o.controller === true && o.kind === kind)
    ?.name;
}

/** The items that were seen; none when the whole part is blind. */
export function itemsOf<T>(part: Listed<T> | BlindSpot): readonly T[] {
  return isBlindSpot(part) ? [] : part.items;
}

/** The blind spots of a part, whole or in some namespaces. */
export function blindOf(part: Listed<unknown> | BlindSpot): readonly BlindSpot[] {
  return isBlindSpot(part) ? [part] : part.blind;
}

/** Joins pods, ReplicaSets and Deployments by their owners; tolerates that some of them could not be seen. */
export function joinWorkloads(answer: WorkloadsAnswer): Workloads {
  const sets = new Map(itemsOf(answer.replicaSets).map((set) => [keyOf(set), set]));
  const drafts = new Map<string, Draft>();
  const draft = (namespace: string, name: string): Draft => {
    const key = `${namespace}/${name}`;
    const known = drafts.get(key) ?? { namespace, name, revisions: [], pods: [] };
    drafts.set(key, known);
    return known;
  };
  for (const deployment of itemsOf(answer.deployments)) {
    draft(namespaceOf(deployment), nameOf(deployment)).deployment = deployment;
  }
  for (const set of sets.values()) {
    const owner = controllerOf(set, 'Deployment');
    const revision = owner === undefined ? undefined : revisionFrom(set, answer);
    if (owner !== undefined && revision) draft(namespaceOf(set), owner).revisions.push(revision);
  }
  const loosePods: WorkloadPod[] = [];
  for (const pod of itemsOf(answer.pods)) {
    const { member, deployment } = placeOf(pod, sets);
    if (deployment === undefined) loosePods.push(member);
    else draft(member.namespace, deployment).pods.push(member);
  }
  return {
    pods: answer.pods,
    replicaSets: answer.replicaSets,
    deployments: answer.deployments,
    loosePods,
    workloads: [...drafts.values()].map((one) => finish(one, answer)).sort(byName),
  };
}

interface Draft {
  readonly namespace: string;
  readonly name: string;
  deployment?: Deployment;
  readonly revisions: Revision[];
  readonly pods: WorkloadPod[];
}

function keyOf(object: KubeObject): string {
  return `${namespaceOf(object)}/${nameOf(object)}`;
}

function byName(a: Workload, b: Workload): number {
  return `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`);
}

function finish(draft: Draft, answer: WorkloadsAnswer): Workload {
  const templateHash = answer.templateHashes[draft.deployment?.metadata?.uid ?? ''];
  return {
    ...draft,
    revisions: draft.revisions.sort((a, b) => a.number - b.number),
    service: serviceOf(draft),
    ...(templateHash !== undefined && { templateHash }),
  };
}

function serviceOf(draft: Draft): string {
  const labels = [
    draft.deployment?.metadata?.labels,
    draft.deployment?.spec?.template?.metadata?.labels,
    draft.pods[0]?.pod.metadata?.labels,
  ];
  const labelled = (key: string) => labels.map((l) => l?.[key]).find((v) => v !== undefined);
  return labelled('app.kubernetes.io/name') ?? labelled('app') ?? draft.name;
}

function revisionFrom(set: ReplicaSet, answer: WorkloadsAnswer): Revision | undefined {
  const number = revisionNumberOf(set);
  const uid = set.metadata?.uid;
  if (number === undefined || uid === undefined) return undefined;
  const createdAt = dateOf(set.metadata?.creationTimestamp);
  const templateHash = answer.templateHashes[uid];
  const seenHealthy = answer.seenHealthy[uid];
  return {
    number,
    uid,
    name: nameOf(set),
    replicaSet: set,
    earlierNumbers: (set.metadata?.annotations?.[REVISION_HISTORY] ?? '')
      .split(',')
      .map(Number)
      .filter((n) => Number.isSafeInteger(n) && n > 0),
    ...(createdAt && { createdAt }),
    ...(templateHash !== undefined && { templateHash }),
    ...(seenHealthy && { seenHealthy }),
  };
}

function placeOf(
  pod: Pod,
  sets: ReadonlyMap<string, ReplicaSet>,
): { member: WorkloadPod; deployment?: string } {
  const namespace = namespaceOf(pod);
  const member = { namespace, name: nameOf(pod), pod };
  const replicaSet = controllerOf(pod, 'ReplicaSet');
  if (replicaSet === undefined) return { member };
  const set = sets.get(`${namespace}/${replicaSet}`);
  const deployment = set ? controllerOf(set, 'Deployment') : nameWithoutHash(pod, replicaSet);
  const revision = set && revisionNumberOf(set);
  return {
    member: { ...member, replicaSet, ...(revision !== undefined && { revision }) },
    ...(deployment !== undefined && { deployment }),
  };
}

/** Without the ReplicaSet itself its name tells: the Deployment's name, a dash, the hash that its pods carry as a label. */
function nameWithoutHash(pod: Pod, replicaSet: string): string | undefined {
  const hash = pod.metadata?.labels?.[TEMPLATE_HASH];
  if (hash === undefined || !replicaSet.endsWith(`-${hash}`)) return undefined;
  return replicaSet.slice(0, -hash.length - 1);
}
