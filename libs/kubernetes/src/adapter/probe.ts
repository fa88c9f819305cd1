import { isDoctorError, type Clock, type Json, type Limit, type Probed } from '@starr/kernel';
import { OPERATION_ANNOTATION } from '../annotations.ts';
import { revisionNumberOf } from '../model/workloads.ts';
import type { Deployment } from '../objects.ts';
import type { KubernetesAct, RollbackAct } from '../request.ts';
import type { Asker } from './ask.ts';
import { hashTemplate } from './mask-objects.ts';
import { readDeployment, readReplicaSet } from './read-objects.ts';

/** A request that the server had before ours is carried out by then: it answers again, and etcd takes milliseconds. */
const SECOND_LOOK_MS = 1500;

/** Whether an act took place, by what it leaves on the object. Never repeats it. Fails with DoctorError when nobody answers. */
export function probeAct(
  ask: Asker,
  act: KubernetesAct,
  operationId: string,
  clock: Clock,
  limit: Limit,
): Promise<Probed> {
  switch (act.kind) {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- one kind so far; a second one must not compile without its case
    case 'rollback':
      return probeRollback(ask, act, operationId, clock, limit);
  }
}

async function probeRollback(
  ask: Asker,
  act: RollbackAct,
  operationId: string,
  clock: Clock,
  limit: Limit,
): Promise<Probed> {
  const first = await lookOnce(ask, act, operationId, limit);
  if (first.state !== 'not-applied') return first;
  // The answer may have been lost on a server that had stopped, with the request still in its hands.
  await clock.sleep(SECOND_LOOK_MS, limit.signal);
  return lookOnce(ask, act, operationId, limit);
}

async function lookOnce(
  ask: Asker,
  act: RollbackAct,
  operationId: string,
  limit: Limit,
): Promise<Probed> {
  const name = `${act.namespace}/${act.deployment}`;
  const deployment = await existing(() => readDeployment(ask, act, limit));
  if (deployment?.metadata?.uid !== act.deploymentUid) {
    return { state: 'indeterminate', says: `${name} is gone, and what was written on it with it` };
  }
  const stamp = (object: Deployment | undefined) =>
    object?.metadata?.annotations?.[OPERATION_ANNOTATION];
  if (stamp(deployment) === operationId) return applied(act, deployment);
  // A later act of ours has its own stamp on the Deployment; the ReplicaSet that was reached keeps the old one.
  const replicaSet = await existing(() => readReplicaSet(ask, act, limit));
  if (stamp(replicaSet) === operationId) return applied(act, deployment);
  return { state: 'not-applied', says: `${name} does not carry the stamp of this operation` };
}

async function existing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (thrown) {
    if (isDoctorError(thrown) && thrown.code === 'TARGET_UNSUPPORTED') return undefined;
    throw thrown;
  }
}

function applied(act: RollbackAct, deployment: Deployment): Probed {
  return { state: 'applied', before: beforeOf(act), after: afterOf(deployment) };
}

/** What a receipt keeps of the state that was left. */
export function beforeOf(act: RollbackAct, evidence?: Json): Json {
  const { deploymentUid, from } = act;
  return { deploymentUid, ...from, ...(evidence !== undefined && { evidence }) };
}

/** And of the state that was reached, as far as it is seen. */
export function afterOf(deployment: Deployment | undefined): Json {
  const { spec, status, metadata } = deployment ?? {};
  const revision = deployment && revisionNumberOf(deployment);
  return {
    ...(spec?.template && { templateHash: hashTemplate(spec.template) }),
    ...(revision !== undefined && { revision }),
    ...(metadata?.generation !== undefined && { generation: metadata.generation }),
    replicas: status?.replicas ?? 0,
    updatedReplicas: status?.updatedReplicas ?? 0,
    availableReplicas: status?.availableReplicas ?? 0,
  };
}
