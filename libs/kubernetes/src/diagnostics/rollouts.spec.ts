import { describe, expect, it } from '@jest/globals';
import { blindSpot, isPartial, statusOf } from '@starr/kernel';
import type { Workloads } from '../model/workloads.ts';
import type { ManagedFields } from '../objects.ts';
import {
  ago,
  cluster,
  deployment,
  listed,
  lookAt,
  replicaSet,
  WINDOW_MS,
} from '../test/make-objects.ts';
import { rollouts } from './rollouts.ts';

function judge(workloads: Workloads) {
  return rollouts.judge({ workloads }, {}, lookAt());
}

const wrote = (manager: string, ms: number, more: Partial<ManagedFields> = {}): ManagedFields => ({
  manager,
  operation: 'Update',
  time: ago(ms),
  fieldsV1: { 'f:spec': { 'f:template': {} } },
  ...more,
});

describe('k8s.rollouts', () => {
  it('names the revision reached, the moment, what changed and who wrote it', () => {
    const sets = [
      replicaSet({ revision: 1, createdMs: 6 * 86_400_000, env: { A: 'x', GONE: 'y' } }),
      replicaSet({ revision: 2, createdMs: 420_000, env: { A: 'other', LEAK: 'secret' } }),
    ];
    const writers = [
      wrote('kubectl-client-side-apply', 86_400_000),
      wrote('deploy-bot', 420_000),
      wrote('kube-controller-manager', 1000, { subresource: 'status' }),
      wrote('kubectl-scale', 500, { fieldsV1: { 'f:spec': { 'f:replicas': {} } } }),
    ];
    const verdict = judge(
      cluster({
        sets,
        deployments: listed(
          deployment({
            replicas: 3,
            meta: { name: 'checkout', namespace: 'shop', uid: 'deploy', managedFields: writers },
          }),
        ),
      }),
    );
    expect(verdict.findings ?? []).toEqual([]);
    expect(verdict.changes).toEqual([
      {
        about: { kind: 'revision', name: 'shop/checkout#2', scope: 'prod' },
        at: new Date(ago(420_000)),
        says: 'rollout 1→2 of shop/checkout, image 1.8.1→1.8.2, env A, env GONE, env LEAK, by deploy-bot',
        facts: {
          namespace: 'shop',
          deployment: 'checkout',
          service: 'checkout',
          from: 1,
          to: 2,
          fromReplicaSet: 'checkout-1',
          replicaSet: 'checkout-2',
          replicas: 3,
          by: 'deploy-bot',
          changed: 'image, env A, env GONE, env LEAK',
          fromImage: 'shop/checkout:1.8.1',
          toImage: 'shop/checkout:1.8.2',
        },
      },
    ]);
    expect(JSON.stringify(verdict)).not.toMatch(/secret|other/);
  });

  it.each<[string, number, number]>([
    ['at the edge of the window', WINDOW_MS, 1],
    ['before the window', WINDOW_MS + 1, 0],
  ])('%s', (_what, createdMs, changes) => {
    const sets = [
      replicaSet({ revision: 1, createdMs: 9 * WINDOW_MS }),
      replicaSet({ revision: 2, createdMs }),
    ];
    expect(judge(cluster({ sets })).changes).toHaveLength(changes);
  });

  it('does not take the making of a Deployment for a rollout', () => {
    const verdict = judge(cluster({ sets: [replicaSet({ revision: 1, createdMs: 60_000 })] }));
    expect(verdict.changes).toEqual([]);
    expect(statusOf(verdict)).toBe('healthy');
    expect(verdict.measured).toContainEqual(
      expect.objectContaining({ name: 'revision', value: 1 }),
    );
  });

  it('knows a rollback by its old ReplicaSet, and its moment by who wrote the template', () => {
    const sets = [
      replicaSet({ revision: 2, createdMs: 420_000 }),
      replicaSet({
        revision: 3,
        createdMs: 6 * 86_400_000,
        history: '1',
        image: 'shop/checkout:1.8.1',
      }),
    ];
    const meta = {
      name: 'checkout',
      namespace: 'shop',
      uid: 'deploy',
      managedFields: [wrote('k8s-doctor', 60_000)],
    };
    const { changes } = judge(cluster({ sets, deployments: listed(deployment({ meta })) }));
    expect(changes?.map(({ says, at }) => [says, at.toISOString()])).toEqual([
      ['rollout 1→2 of shop/checkout, image 1.8.1→1.8.2', ago(420_000)],
      [
        'rollout 2→3 of shop/checkout, back to the template of revision 1, image 1.8.2→1.8.1, by k8s-doctor',
        ago(60_000),
      ],
    ]);
  });

  it('names a predecessor whose ReplicaSet is no longer kept', () => {
    const { changes } = judge(cluster({ sets: [replicaSet({ revision: 5, createdMs: 60_000 })] }));
    expect(changes?.[0]?.says).toBe('rollout 4→5 of shop/checkout');
  });

  it('calls a restart by its name', () => {
    const annotations = (at: string) => ({
      metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': at }, labels: {} },
      spec: { containers: [] },
    });
    const [one, two] = [
      replicaSet({ revision: 1, createdMs: 9e8 }),
      replicaSet({ revision: 2, createdMs: 1000 }),
    ];
    const sets = [
      { ...one, spec: { template: annotations('a') } },
      { ...two, spec: { template: annotations('b') } },
    ];
    expect(judge(cluster({ sets })).changes?.[0]?.says).toBe(
      'rollout 1→2 of shop/checkout, restart',
    );
  });

  it('is blind without ReplicaSets, and partial without Deployments', () => {
    const spot = blindSpot('denied', 'no');
    expect(statusOf(judge(cluster({ replicaSets: spot })))).toBe('blind');
    const partial = judge(cluster({ deployments: spot }));
    expect(partial.changes).toHaveLength(1);
    expect(isPartial(partial)).toBe(true);
  });
});
