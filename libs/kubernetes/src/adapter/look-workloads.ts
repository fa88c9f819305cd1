import {
  blindFromError,
  isBlindSpot,
  toDoctorError,
  type BlindSpot,
  type Limit,
} from '@starr/kernel';
import { itemsOf } from '../model/workloads.ts';
import type { Deployment, Pod, ReplicaSet } from '../objects.ts';
import type { Listed, WorkloadsAnswer } from '../request.ts';
import { deadlineWithin } from './deadline.ts';
import type { HealthMemory } from './health-memory.ts';
import { Failed, listEverywhere, type Looking, type SeenIn } from './list-everywhere.ts';
import { hashTemplate, maskDeployment, maskPod, maskReplicaSet } from './mask-objects.ts';
import { blindWhenMissing } from './missing-namespace.ts';
import { RESOURCES } from './resources.ts';

/** Pods, ReplicaSets and Deployments of all namespaces at once. Fails only when none of them could be seen at all. */
export async function lookWorkloads(
  looking: Looking,
  memory: HealthMemory,
  limit: Limit,
): Promise<WorkloadsAnswer> {
  const deadline = deadlineWithin(limit);
  const hashes = new Map<string, string>();
  const keepHash = <T extends Deployment | ReplicaSet>(object: T): T => {
    const { uid } = object.metadata ?? {};
    const template = object.spec?.template;
    if (uid !== undefined && template) hashes.set(uid, hashTemplate(template));
    return object;
  };
  const [pods, replicaSets, deployments] = await Promise.all([
    listEverywhere<Pod>(looking, RESOURCES.pods, deadline, limit),
    listEverywhere<ReplicaSet>(looking, RESOURCES.replicaSets, deadline, limit),
    listEverywhere<Deployment>(looking, RESOURCES.deployments, deadline, limit),
  ]);
  if (pods instanceof Failed && replicaSets instanceof Failed && deployments instanceof Failed) {
    throw toDoctorError(pods.thrown);
  }
  const answer = {
    pods: mapped(pods, maskPod),
    replicaSets: mapped(replicaSets, (set: ReplicaSet) => maskReplicaSet(keepHash(set))),
    deployments: mapped(deployments, (one: Deployment) => maskDeployment(keepHash(one))),
  };
  if (!isBlindSpot(answer.pods)) {
    memory.learn(itemsOf(answer.replicaSets), answer.pods.items, new Date());
  }
  const missing = await blindWhenMissing(looking.ask, pods, deployments, deadline, limit);
  return {
    ...answer,
    pods: isBlindSpot(answer.pods)
      ? answer.pods
      : { ...answer.pods, blind: [...answer.pods.blind, ...missing] },
    seenHealthy: memory.recall(),
    templateHashes: Object.fromEntries(hashes),
  };
}

function mapped<T>(listed: SeenIn<T> | Failed, mask: (item: T) => T): Listed<T> | BlindSpot {
  if (listed instanceof Failed) return blindFromError(listed.thrown);
  return { items: listed.items.map(mask), blind: listed.blind };
}
