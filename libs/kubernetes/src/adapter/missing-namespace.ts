import { blindFromError, blindSpot, type BlindSpot, type Limit } from '@starr/kernel';
import { namespaceOf } from '../model/workloads.ts';
import type { KubeObject } from '../objects.ts';
import type { Asker } from './ask.ts';
import type { Deadline } from './deadline.ts';
import { Failed, type SeenIn } from './list-everywhere.ts';

/**
 * A list in a namespace that does not exist is empty, not an error: a misspelt name would look healthy for ever. So a
 * namespace that holds nothing is asked for by its name.
 */
export async function blindWhenMissing(
  ask: Asker,
  pods: SeenIn<KubeObject> | Failed,
  deployments: SeenIn<KubeObject> | Failed,
  { signal }: Deadline,
  limit: Limit,
): Promise<BlindSpot[]> {
  if (pods instanceof Failed || deployments instanceof Failed) return [];
  const holding = new Set([...pods.items, ...deployments.items].map(namespaceOf));
  const empty = pods.namespaces.filter(
    (namespace) => deployments.namespaces.includes(namespace) && !holding.has(namespace),
  );
  const spots = await Promise.all(
    empty.map(async (namespace) => {
      const what = `look whether namespace ${namespace} exists`;
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
      const permission = { verb: 'get', group: '', resource: 'namespaces', namespace } as const;
      try {
        const answer = await ask(
          { path, signal, what, spends: 'reads', permission, accepts: [404] },
          limit,
        );
        return answer.status === 404 ? [missing(namespace)] : [];
      } catch (thrown) {
        return [blindFromError(thrown)];
      }
    }),
  );
  return spots.flat();
}

function missing(namespace: string): BlindSpot {
  return blindSpot(
    'unsupported',
    `There is no namespace ${namespace} in this cluster`,
    'Correct `namespaces` of the target in starr.yaml: kubectl get namespaces',
  );
}
