import { describe, expect, it } from '@jest/globals';
import { blindSpot, isPartial, statusOf, type BlindSpot, type Severity } from '@starr/kernel';
import type { Workloads } from '../model/workloads.ts';
import type { Condition, ContainerStatus, Pod } from '../objects.ts';
import type { SeenWarnings } from '../reads/warnings.ts';
import {
  ago,
  cluster,
  deployment,
  limitsOf,
  listed,
  lookAt,
  pod,
  type PodParts,
} from '../test/make-objects.ts';
import { podStatus } from './pod-status.ts';

const quiet: SeenWarnings = { byObject: new Map(), blind: [] };

function judge(workloads: Workloads, warnings: SeenWarnings | BlindSpot = quiet) {
  return podStatus.judge({ workloads, warnings }, limitsOf(podStatus.thresholds), lookAt());
}

const waiting = (reason: string): ContainerStatus => ({
  name: 'app',
  restartCount: 4,
  state: { waiting: { reason } },
  lastState: { terminated: { exitCode: 1, reason: 'Error', finishedAt: ago(5000) } },
});
const unscheduled = (sinceMs: number, reason = 'Unschedulable'): Condition => ({
  type: 'PodScheduled',
  status: 'False',
  reason,
  message: '0/3 nodes are available: 3 Insufficient memory.',
  lastTransitionTime: ago(sinceMs),
});
const condition = (type: string, status: string, sinceMs: number, reason: string): Condition => ({
  type,
  status,
  reason,
  lastTransitionTime: ago(sinceMs),
});

describe('k8s.pod-status', () => {
  it('measures a healthy Deployment and finds nothing', () => {
    const verdict = judge(cluster());
    expect(statusOf(verdict)).toBe('healthy');
    expect(
      verdict.measured.map(({ name, about, value }) => `${name} ${about.name} ${value}`),
    ).toEqual([
      'pods prod 1',
      'troubledPods shop/checkout 0',
      'desiredReplicas shop/checkout 1',
      'availableReplicas shop/checkout 1',
      'availableRatio shop/checkout 1',
    ]);
  });

  it.each<[string, PodParts, string | undefined]>([
    ['crash loop', { container: waiting('CrashLoopBackOff'), ready: false }, 'CrashLoopBackOff'],
    [
      'image cannot be pulled',
      { container: waiting('ImagePullBackOff'), phase: 'Pending', ready: false },
      'ImagePullBackOff',
    ],
    [
      'missing config',
      { container: waiting('CreateContainerConfigError'), phase: 'Pending', ready: false },
      'CreateContainerConfigError',
    ],
    [
      'being created',
      {
        container: waiting('ContainerCreating'),
        phase: 'Pending',
        ready: false,
        readySinceMs: 120_000,
      },
      undefined,
    ],
    [
      'created for too long',
      {
        container: waiting('ContainerCreating'),
        phase: 'Pending',
        ready: false,
        readySinceMs: 120_001,
      },
      'ContainerCreating',
    ],
    ['not ready for a minute', { ready: false, readySinceMs: 60_000 }, undefined],
    ['not ready for longer', { ready: false, readySinceMs: 60_001 }, 'NotReady'],
    [
      'no node for 30 s',
      {
        phase: 'Pending',
        ready: false,
        readySinceMs: 0,
        more: { conditions: [unscheduled(30_000)] },
      },
      undefined,
    ],
    [
      'no node for longer',
      { phase: 'Pending', ready: false, more: { conditions: [unscheduled(30_001)] } },
      'Unschedulable',
    ],
    [
      'held by a gate',
      {
        phase: 'Pending',
        ready: false,
        readySinceMs: 1000,
        more: {
          conditions: [
            unscheduled(900_000, 'SchedulingGated'),
            {
              type: 'Ready',
              status: 'False',
              reason: 'SchedulingGated',
              lastTransitionTime: ago(900_000),
            },
          ],
        },
      },
      undefined,
    ],
    [
      'ending within its grace',
      { meta: { deletionTimestamp: ago(-10_000) }, ready: false },
      undefined,
    ],
    ['ending a minute late', { meta: { deletionTimestamp: ago(60_000) }, ready: false }, undefined],
    [
      'ending later still',
      { meta: { deletionTimestamp: ago(60_001) }, ready: false },
      'Terminating',
    ],
    ['lost with its node', { phase: 'Unknown', ready: false }, 'Unknown'],
    [
      'evicted within the window',
      {
        phase: 'Failed',
        ready: false,
        more: { reason: 'Evicted', conditions: [], containerStatuses: [], startTime: ago(60_000) },
      },
      'Evicted',
    ],
    [
      'evicted long ago',
      {
        phase: 'Failed',
        ready: false,
        more: {
          reason: 'Evicted',
          conditions: [],
          containerStatuses: [],
          startTime: ago(31 * 60_000),
        },
      },
      undefined,
    ],
    ['done', { phase: 'Succeeded', ready: false }, undefined],
    [
      'without any status',
      { more: { phase: 'Running', conditions: [], containerStatuses: [], startTime: ago(1000) } },
      undefined,
    ],
  ])('a pod: %s', (_what, parts, reason) => {
    const { pods } = {
      pods: listed(
        pod({
          ...parts,
          meta: {
            name: 'checkout-2-a',
            namespace: 'shop',
            creationTimestamp: ago(1000),
            ownerReferences: [{ kind: 'ReplicaSet', name: 'checkout-2', controller: true }],
            ...parts.meta,
          },
        }),
      ),
    };
    const [finding] = judge(cluster({ pods })).findings ?? [];
    expect(finding?.rows?.[0]?.['reason']).toBe(reason);
  });

  it.each<
    [
      string,
      { replicas: number; available: number; conditions: readonly Condition[] },
      Severity | undefined,
    ]
  >([
    [
      'below its minimum for 15 s',
      {
        replicas: 3,
        available: 1,
        conditions: [condition('Available', 'False', 15_000, 'MinimumReplicasUnavailable')],
      },
      undefined,
    ],
    [
      'below its minimum for longer',
      {
        replicas: 3,
        available: 1,
        conditions: [condition('Available', 'False', 15_001, 'MinimumReplicasUnavailable')],
      },
      'critical',
    ],
    [
      'scaled to none',
      {
        replicas: 0,
        available: 0,
        conditions: [condition('Available', 'False', 900_000, 'MinimumReplicasUnavailable')],
      },
      undefined,
    ],
    [
      'stuck while old pods serve',
      {
        replicas: 3,
        available: 3,
        conditions: [condition('Progressing', 'False', 60_000, 'ProgressDeadlineExceeded')],
      },
      'warning',
    ],
    [
      'stuck with nobody left',
      {
        replicas: 3,
        available: 0,
        conditions: [condition('Progressing', 'False', 60_000, 'ProgressDeadlineExceeded')],
      },
      'critical',
    ],
    [
      'refused by a quota',
      {
        replicas: 3,
        available: 2,
        conditions: [condition('ReplicaFailure', 'True', 5000, 'FailedCreate')],
      },
      'warning',
    ],
  ])('a Deployment: %s', (_what, parts, severity) => {
    const verdict = judge(cluster({ deployments: listed(deployment(parts)) }));
    expect(verdict.findings?.[0]?.severity).toBe(severity);
  });

  it('is critical when all pods have stopped and none is available', () => {
    const pods = listed(pod({ container: waiting('CrashLoopBackOff'), ready: false }));
    const bad = deployment({ replicas: 1, available: 0 });
    const [finding] = judge(cluster({ pods, deployments: listed(bad) })).findings ?? [];
    expect(finding).toMatchObject({
      severity: 'critical',
      about: { kind: 'deployment', name: 'shop/checkout', scope: 'prod' },
      says: 'shop/checkout: 1 of 1 pods CrashLoopBackOff',
      involves: [
        { kind: 'revision', name: 'shop/checkout#2' },
        { kind: 'pod', name: 'shop/checkout-2-a' },
      ],
    });
    expect(finding?.since?.toISOString()).toBe(ago(5000));
  });

  it('is a warning when one of several pods has stopped', () => {
    const pods = listed(
      pod({ name: 'checkout-2-a', container: waiting('CrashLoopBackOff'), ready: false }),
      pod({ name: 'checkout-2-b' }),
    );
    const verdict = judge(
      cluster({ pods, deployments: listed(deployment({ replicas: 2, available: 1 })) }),
    );
    expect(verdict.findings?.[0]).toMatchObject({
      severity: 'warning',
      says: 'shop/checkout: 1 of 2 pods CrashLoopBackOff',
    });
    expect(verdict.measured).toContainEqual(
      expect.objectContaining({ name: 'availableRatio', value: 0.5 }),
    );
  });

  it.each<[string, string, Severity]>([
    ['a StatefulSet', 'StatefulSet', 'critical'],
    ['a Job', 'Job', 'warning'],
  ])('tells of a stopped pod of %s by the pod itself', (_what, kind, severity) => {
    const owned: Pod = pod({
      name: 'db-0',
      container: waiting('CrashLoopBackOff'),
      ready: false,
      meta: {
        name: 'db-0',
        namespace: 'shop',
        ownerReferences: [{ kind, name: 'db', controller: true }],
      },
    });
    const [finding] =
      judge(cluster({ pods: listed(owned), deployments: listed(), sets: [] })).findings ?? [];
    expect(finding).toMatchObject({ severity, about: { kind: 'pod', name: 'shop/db-0' } });
  });

  it('shows the newest Warning beside the pod', () => {
    const pods = listed(pod({ ready: false, readySinceMs: 90_000 }));
    const text = 'Readiness probe failed: connection refused';
    const byObject = new Map([
      ['Pod/shop/checkout-2-a', { reason: 'Unhealthy', text, at: new Date(ago(1000)), count: 9 }],
    ]);
    const [finding] = judge(cluster({ pods }), { byObject, blind: [] }).findings ?? [];
    expect(finding?.rows?.[0]).toMatchObject({ event: `Unhealthy: ${text}`, eventCount: 9 });
  });

  it('goes on without events and says so', () => {
    const verdict = judge(cluster(), blindSpot('denied', 'may not list events', 'kubectl …'));
    expect(statusOf(verdict)).toBe('healthy');
    expect(isPartial(verdict)).toBe(true);
  });

  it('judges Deployments when pods are denied, and measures no pod that it did not see', () => {
    const verdict = judge(cluster({ pods: blindSpot('denied', 'may not list pods') }));
    expect(verdict.measured.map(({ name }) => name)).toEqual([
      'desiredReplicas',
      'availableReplicas',
      'availableRatio',
    ]);
    expect(verdict.blind).toEqual([blindSpot('denied', 'may not list pods')]);
  });

  it('is blind when neither can be seen', () => {
    const spot = blindSpot('timeout', 'no answer');
    expect(statusOf(judge(cluster({ pods: spot, deployments: spot, replicaSets: spot })))).toBe(
      'blind',
    );
  });

  it('is healthy in a namespace that holds nothing', () => {
    const verdict = judge(cluster({ pods: listed(), deployments: listed(), sets: [] }));
    expect(statusOf(verdict)).toBe('healthy');
    expect(verdict.measured).toEqual([
      { name: 'pods', about: { kind: 'cluster', name: 'prod' }, value: 0 },
    ]);
  });
});
