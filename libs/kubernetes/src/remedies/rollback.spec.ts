import { describe, expect, it } from '@jest/globals';
import {
  blindSpot,
  type BlindSpot,
  type Plan,
  type PlanRefused,
  type Receipt,
} from '@starr/kernel';
import type { LogLine } from '../logs/parse-log-line.ts';
import type { Workloads } from '../model/workloads.ts';
import type { Autoscaler, Deployment } from '../objects.ts';
import type { Logs } from '../reads/logs.ts';
import type { AutoscalersAnswer, KubernetesAct, SeenHealthy } from '../request.ts';
import {
  ago,
  cluster,
  deployment,
  listed,
  lookAt,
  NOW,
  replicaSet,
  TWO_REVISIONS,
} from '../test/make-objects.ts';
import { rollback } from './rollback.ts';

const PARAMS = { namespace: 'shop', deployment: 'checkout' };
const SIX_DAYS: SeenHealthy = { from: ago(6 * 86_400_000), to: ago(420_000), looks: 9000 };
const HEALTHY = { 'rs-1': SIX_DAYS };

interface Case {
  readonly workloads?: Workloads;
  readonly autoscalers?: AutoscalersAnswer | BlindSpot;
  readonly logs?: Logs | BlindSpot;
  readonly toRevision?: number;
}

type Planned = Plan<KubernetesAct> | PlanRefused;

function plan({
  workloads = cluster({ healthy: HEALTHY }),
  toRevision,
  ...more
}: Case = {}): Planned {
  const params = toRevision === undefined ? PARAMS : { ...PARAMS, toRevision };
  const { autoscalers = listed(), logs = { streams: [], blind: [] } } = more;
  return rollback.plan(
    params,
    { workloads, autoscalers, logs },
    lookAt({ options: { context: 'prod-eu' } }),
  );
}

function planned(made: Planned): Plan<KubernetesAct> {
  if ('refused' in made) throw new Error(made.refused);
  return made;
}

const meta = (more: Deployment['metadata']) => ({
  name: 'checkout',
  namespace: 'shop',
  uid: 'deploy',
  ...more,
});
const withMeta = (more: Deployment['metadata']) =>
  cluster({ healthy: HEALTHY, deployments: listed(deployment({ meta: meta(more) })) });

describe('k8s.rollback', () => {
  it('plans one act that is bound to what was seen', () => {
    const { operations, effect, touches, warnings } = planned(plan());
    expect(operations).toEqual([
      {
        act: {
          kind: 'rollback',
          namespace: 'shop',
          deployment: 'checkout',
          deploymentUid: 'deploy',
          from: {
            revision: 2,
            replicaSet: 'checkout-2',
            replicaSetUid: 'rs-2',
            templateHash: 'hash of rs-2',
          },
          to: {
            revision: 1,
            replicaSet: 'checkout-1',
            replicaSetUid: 'rs-1',
            templateHash: 'hash of rs-1',
          },
          waitMs: 300_000,
        },
        says: 'roll shop/checkout back from revision 2 to revision 1 (seen healthy for 6 d until 2026-11-24T03:05Z; image 1.8.2→1.8.1)',
        byHand:
          'kubectl --context prod-eu -n shop rollout undo deployment/checkout --to-revision=1',
        reversible: true,
        onRefused: 'stop',
        onFailed: 'stop',
      },
    ]);
    expect(effect).toEqual({
      diagnostic: 'k8s.pod-status',
      about: { kind: 'deployment', name: 'shop/checkout', scope: 'prod' },
      measurement: 'availableRatio',
      above: 0.99,
      settleMs: 15_000,
      holdMs: 30_000,
      withinMs: 240_000,
      onMiss: 'ask',
    });
    expect(touches).toEqual([expect.objectContaining({ name: 'podsReplaced', value: 1 })]);
    expect(warnings).toEqual([
      "not checked: whether revision 1 still fits today's database schema, ConfigMaps and Secrets",
    ]);
  });

  const three = [...TWO_REVISIONS, replicaSet({ revision: 3, createdMs: 60_000 })];
  const seenFor = (ms: number): SeenHealthy => ({ from: ago(ms + 1000), to: ago(1000), looks: 2 });
  it.each<[string, Case, number, RegExp]>([
    [
      'the newest that was seen healthy, not the one before',
      { workloads: cluster({ sets: three, healthy: HEALTHY }) },
      1,
      /seen healthy for 6 d/,
    ],
    [
      'the one before when it was seen healthy too',
      { workloads: cluster({ sets: three, healthy: { ...HEALTHY, 'rs-2': seenFor(60_000) } }) },
      2,
      /seen healthy for 60 s/,
    ],
    [
      'not the one before when it was healthy for less than a minute',
      { workloads: cluster({ sets: three, healthy: { ...HEALTHY, 'rs-2': seenFor(59_000) } }) },
      1,
      /seen healthy for 6 d/,
    ],
    [
      'the one that was seen at all when none is proven',
      { workloads: cluster({ sets: three, healthy: { 'rs-1': seenFor(5000) } }) },
      1,
      /unproven: seen healthy only for 5\.0 s/,
    ],
    [
      'the newest, said to be unproven, when nothing is known',
      { workloads: cluster({ sets: three }) },
      2,
      /unproven: nobody saw revision 2 healthy/,
    ],
    [
      'the one that is asked for',
      { workloads: cluster({ sets: three, healthy: HEALTHY }), toRevision: 2 },
      2,
      /unproven/,
    ],
    [
      'not the one that our last rollback left',
      {
        workloads: cluster({
          sets: three,
          healthy: { 'rs-2': SIX_DAYS },
          deployments: listed(
            deployment({ meta: meta({ annotations: { 'starr.dev/left': 'checkout-2' } }) }),
          ),
        }),
      },
      1,
      /unproven/,
    ],
  ])('chooses %s', (_what, parts, revision, says) => {
    const [operation] = planned(plan(parts)).operations;
    expect(operation?.act.to.revision).toBe(revision);
    expect(operation?.says).toMatch(says);
  });

  it('warns that the revision is unproven', () => {
    expect(planned(plan({ workloads: cluster() })).warnings[0]).toBe(
      'unproven: nobody saw revision 1 healthy',
    );
  });

  const same = [
    replicaSet({ revision: 1, createdMs: 9e8 }),
    replicaSet({ revision: 2, createdMs: 9e7 }),
  ];
  it.each<[string, Case, RegExp]>([
    [
      'no such Deployment',
      { workloads: cluster({ deployments: listed(), sets: [] }) },
      /there is no Deployment shop\/checkout/,
    ],
    [
      'paused',
      { workloads: cluster({ deployments: listed(deployment({ spec: { paused: true } })) }) },
      /is paused.*kubectl -n shop rollout resume/,
    ],
    [
      'no history',
      { workloads: cluster({ sets: TWO_REVISIONS.slice(1) }) },
      /has no other revision/,
    ],
    [
      'templates equal',
      {
        workloads: cluster({
          sets: same,
          templateHashes: { 'rs-1': 'x', 'rs-2': 'x', deploy: 'x' },
        }),
      },
      /all that is kept of it has the same template/,
    ],
    [
      'the template asked for runs already',
      {
        workloads: cluster({
          sets: same,
          templateHashes: { 'rs-1': 'x', 'rs-2': 'x', deploy: 'x' },
        }),
        toRevision: 1,
      },
      /has the template that runs already/,
    ],
    [
      'a revision that is not kept',
      { toRevision: 9 },
      /revision 9 of shop\/checkout is not kept; there are 1, 2/,
    ],
    [
      'a rollout that has just begun',
      { workloads: cluster({ templateHashes: { 'rs-1': 'a', 'rs-2': 'b', deploy: 'c' } }) },
      /has just changed and has no revision yet/,
    ],
    [
      'only the revision that the last rollback left',
      {
        workloads: cluster({
          deployments: listed(
            deployment({ meta: meta({ annotations: { 'starr.dev/left': 'checkout-1' } }) }),
          ),
        }),
      },
      /the one that the last rollback left; give toRevision/,
    ],
    [
      'Deployments unseen',
      { workloads: cluster({ deployments: blindSpot('denied', 'may not list deployments') }) },
      /Deployments cannot be seen: may not list deployments/,
    ],
    [
      'revisions unseen',
      { workloads: cluster({ replicaSets: blindSpot('denied', 'may not list replicasets') }) },
      /revisions cannot be seen: may not list replicasets/,
    ],
  ])('refuses: %s', (_what, parts, says) => {
    expect(plan(parts)).toEqual({ refused: expect.stringMatching(says) });
  });

  const hpa: Autoscaler = {
    metadata: { name: 'checkout', namespace: 'shop' },
    spec: {
      minReplicas: 2,
      maxReplicas: 9,
      scaleTargetRef: { kind: 'Deployment', name: 'checkout' },
    },
  };
  it.each<[string, Case, RegExp]>([
    [
      'an autoscaler',
      { autoscalers: listed(hpa) },
      /HorizontalPodAutoscaler checkout goes on deciding the replicas \(2–9\)/,
    ],
    [
      'autoscalers that cannot be seen',
      { autoscalers: blindSpot('denied', 'may not list') },
      /autoscaler.*could not be seen: may not list/,
    ],
    [
      'Argo CD by its label',
      { workloads: withMeta({ labels: { 'argocd.argoproj.io/instance': 'shop' } }) },
      /^Argo CD owns it \(shop\)/,
    ],
    [
      'Argo CD by its tracking id',
      {
        workloads: withMeta({
          annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/checkout' },
        }),
      },
      /^Argo CD owns it \(shop\)/,
    ],
    [
      'Argo CD by what it wrote',
      { workloads: withMeta({ managedFields: [{ manager: 'argocd-controller' }] }) },
      /^Argo CD owns it:/,
    ],
    [
      'Flux',
      { workloads: withMeta({ labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }) },
      /^Flux owns it \(apps\)/,
    ],
    [
      "Flux's Helm",
      { workloads: withMeta({ labels: { 'helm.toolkit.fluxcd.io/name': 'apps' } }) },
      /^Flux's Helm controller owns it/,
    ],
    [
      'Helm',
      { workloads: withMeta({ annotations: { 'meta.helm.sh/release-name': 'shop' } }) },
      /^Helm installed it \(shop\)/,
    ],
    [
      'an operator',
      { workloads: withMeta({ ownerReferences: [{ kind: 'Shop', name: 'eu' }] }) },
      /^Shop eu owns it: its operator/,
    ],
    [
      'Recreate',
      {
        workloads: cluster({
          healthy: HEALTHY,
          deployments: listed(deployment({ spec: { strategy: { type: 'Recreate' } } })),
        }),
      },
      /all pods end before the first new one starts/,
    ],
  ])('warns of %s', (_what, parts, says) => {
    expect(planned(plan(parts)).warnings).toEqual(
      expect.arrayContaining([expect.stringMatching(says)]),
    );
  });

  it('warns of nobody where nobody fights', () => {
    const other = { ...hpa, metadata: { name: 'x', namespace: 'elsewhere' } };
    expect(planned(plan({ autoscalers: listed(other) })).warnings).toHaveLength(1);
  });

  const errorsEvery = (ms: number, fromMs: number): LogLine[] =>
    Array.from({ length: Math.floor(fromMs / ms) }, (_, n) => ({
      at: new Date(NOW.getTime() - fromMs + n * ms),
      level: 'error',
      text: `timeout acquiring client ${n}`,
    }));
  const logs = (errors: readonly LogLine[]): Logs => ({
    blind: [],
    streams: [
      {
        namespace: 'shop',
        pod: 'checkout-2-a',
        container: 'app',
        replicaSet: 'checkout-2',
        previous: false,
        remembered: false,
        fromStart: false,
        covered: { from: NOW.getTime() - 3_600_000, to: NOW.getTime() },
        lineCount: errors.length,
        errors,
      },
    ],
  });

  it('registers the errors that rise as its effect, a tenth of them left over', () => {
    const { effect } = planned(plan({ logs: logs(errorsEvery(500, 300_000)) }));
    expect(effect).toMatchObject({
      diagnostic: 'k8s.error-distribution',
      measurement: 'errorsPerMinute',
      about: { kind: 'deployment' },
    });
    expect(effect.below).toBe(12);
  });

  it('does not ask old errors to go away', () => {
    const sets = [1, 2].map((revision) => replicaSet({ revision, createdMs: 9e8 - revision }));
    const workloads = cluster({ sets, healthy: HEALTHY });
    const old = logs(errorsEvery(500, 3_600_000));
    expect(planned(plan({ workloads, logs: old })).effect.diagnostic).toBe('k8s.pod-status');
  });

  it('registers the missing replicas where some are missing, whatever the logs say', () => {
    const workloads = cluster({
      healthy: HEALTHY,
      deployments: listed(deployment({ replicas: 3, available: 1 })),
    });
    expect(
      planned(plan({ workloads, logs: logs(errorsEvery(500, 300_000)) })).effect,
    ).toMatchObject({ diagnostic: 'k8s.pod-status', above: 0.99 });
  });

  describe('undo', () => {
    const [operation] = planned(plan()).operations;
    const receipt = (act: unknown = operation?.act): Receipt => ({
      operationId: 'p1.1',
      remedy: 'k8s.rollback',
      target: 'prod',
      act: JSON.parse(JSON.stringify(act)) as Receipt['act'],
      before: {},
      after: {},
      appliedAt: NOW,
    });
    const back = [
      replicaSet({ revision: 2, createdMs: 420_000 }),
      {
        ...replicaSet({ revision: 3, createdMs: 9e8, history: '1' }),
        metadata: {
          ...replicaSet({ revision: 3, createdMs: 9e8 }).metadata,
          name: 'checkout-1',
          uid: 'rs-1',
        },
      },
    ];
    const undo = (workloads: Workloads, receipts: readonly Receipt[] = [receipt()]): Planned =>
      rollback.undo?.(
        receipts,
        { workloads, autoscalers: listed(), logs: { streams: [], blind: [] } },
        lookAt(),
      ) ?? { refused: 'no undo' };

    it('returns to the revision that was left', () => {
      const { operations, effect } = planned(undo(cluster({ sets: back })));
      expect(operations[0]?.act).toMatchObject({
        from: { replicaSetUid: 'rs-1', revision: 3 },
        to: { replicaSetUid: 'rs-2', revision: 2 },
      });
      expect(effect.measurement).toBe('availableRatio');
    });

    it.each<[string, Workloads, readonly Receipt[], RegExp]>([
      [
        'somebody rolled out since',
        cluster({ sets: [...back, replicaSet({ revision: 4, createdMs: 1000 })] }),
        [receipt()],
        /was rolled out again since/,
      ],
      [
        'the revision is no longer kept',
        cluster({ sets: back.slice(1) }),
        [receipt()],
        /no longer kept/,
      ],
      [
        'paused',
        cluster({ sets: back, deployments: listed(deployment({ spec: { paused: true } })) }),
        [receipt()],
        /is paused/,
      ],
      [
        'a receipt of something else',
        cluster({ sets: back }),
        [receipt({ kind: 'other' })],
        /does not name/,
      ],
      ['no receipt', cluster({ sets: back }), [], /does not name/],
    ])('refuses: %s', (_what, workloads, receipts, says) => {
      expect(undo(workloads, receipts)).toEqual({ refused: expect.stringMatching(says) });
    });
  });

  it.each([[{ namespace: 'shop' }], [{ ...PARAMS, toRevision: 0 }], [{ ...PARAMS, force: true }]])(
    'takes no other parameters: %j',
    (params) => {
      expect(rollback.params.safeParse(params).success).toBe(false);
    },
  );
});
