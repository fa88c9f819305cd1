import type { Limit } from '@starr/kernel';
import { DoctorError } from '@starr/kernel';
import type { Deployment, KubeObject, ReplicaSet } from '../objects.ts';
import type { RollbackAct } from '../request.ts';
import type { Asker } from './ask.ts';
import { pathOf, permissionOf, RESOURCES, type Resource } from './resources.ts';

const WITHIN_MS = 5000;

/** As the API server holds it, unmasked: for the adapter only. Fails with DoctorError; TARGET_UNSUPPORTED: it does not exist. */
export function readDeployment(ask: Asker, act: RollbackAct, limit: Limit): Promise<Deployment> {
  return readObject(ask, RESOURCES.deployments, act.namespace, act.deployment, limit);
}

export function readReplicaSet(ask: Asker, act: RollbackAct, limit: Limit): Promise<ReplicaSet> {
  return readObject(ask, RESOURCES.replicaSets, act.namespace, act.to.replicaSet, limit);
}

async function readObject<T extends KubeObject>(
  ask: Asker,
  resource: Resource,
  namespace: string,
  name: string,
  limit: Limit,
): Promise<T> {
  const what = `get ${resource.plural} ${namespace}/${name}`;
  const answer = await ask(
    {
      path: pathOf(resource, namespace, name),
      signal: AbortSignal.timeout(WITHIN_MS),
      what,
      spends: 'reads',
      permission: permissionOf('get', resource, namespace),
    },
    limit,
  );
  try {
    return JSON.parse(answer.text) as T;
  } catch (cause) {
    throw new DoctorError('EVIDENCE_MALFORMED', {
      message: `The answer is no object (${what})`,
      cause,
    });
  }
}
