import type { Limits, Look, Thresholds } from '@starr/kernel';
import { joinWorkloads, type Workloads } from '../model/workloads.ts';
import type {
  Condition,
  ContainerStatus,
  Deployment,
  Pod,
  PodTemplate,
  ReplicaSet,
} from '../objects.ts';
import type { Listed, SeenHealthy, WorkloadsAnswer } from '../request.ts';

/** For specs: a moment, and the objects of one Deployment at it. */
export const NOW = new Date('2026-11-24T03:12:00.000Z');
export const WINDOW_MS = 30 * 60_000;

export function ago(ms: number): string {
  return new Date(NOW.getTime() - ms).toISOString();
}

export function lookAt(more: Partial<Look> = {}): Look {
  return {
    now: NOW,
    windowMs: WINDOW_MS,
    version: 'v1.36.3',
    target: 'prod',
    options: {},
    ...more,
  };
}

export function limitsOf<L extends Thresholds>(thresholds: L): Limits<L> {
  return Object.fromEntries(
    Object.entries(thresholds).map(([name, { value }]) => [name, value]),
  ) as Limits<L>;
}

export function listed<T>(...items: readonly T[]): Listed<T> {
  return { items, blind: [] };
}

export interface PodParts {
  readonly name?: string;
  readonly set?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  /** Since when the Ready condition is as it is. */
  readonly readySinceMs?: number;
  readonly startedMs?: number;
  readonly container?: ContainerStatus;
  readonly more?: Partial<Pod['status']>;
  readonly meta?: Pod['metadata'];
}

/** A pod of ReplicaSet checkout-2 that has been ready for ten minutes, unless said otherwise. */
export function pod(parts: PodParts = {}): Pod {
  const { name = 'checkout-2-a', set = 'checkout-2', phase = 'Running', ready = true } = parts;
  const { readySinceMs = 600_000, startedMs = 610_000 } = parts;
  return {
    metadata: {
      name,
      namespace: 'shop',
      uid: `pod-${name}`,
      creationTimestamp: ago(startedMs),
      labels: { app: 'checkout', 'pod-template-hash': '2' },
      ownerReferences: [{ kind: 'ReplicaSet', name: set, controller: true }],
      ...parts.meta,
    },
    spec: { containers: [{ name: 'app', resources: { limits: { memory: '64Mi' } } }] },
    status: {
      phase,
      podIP: '127.0.3.2',
      startTime: ago(startedMs),
      conditions: [readyCondition(ready, readySinceMs)],
      containerStatuses: [parts.container ?? runningContainer(startedMs)],
      ...parts.more,
    },
  };
}

export function runningContainer(startedMs = 610_000): ContainerStatus {
  return {
    name: 'app',
    ready: true,
    restartCount: 0,
    state: { running: { startedAt: ago(startedMs) } },
  };
}

function readyCondition(ready: boolean, sinceMs: number): Condition {
  return { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: ago(sinceMs) };
}

function template(image: string, env: Readonly<Record<string, string>> = {}): PodTemplate {
  const list = Object.entries(env).map(([name, value]) => ({ name, value }));
  return {
    metadata: { labels: { app: 'checkout' } },
    spec: { containers: [{ name: 'app', image, env: list }] },
  };
}

export interface SetParts {
  readonly revision: number;
  readonly createdMs: number;
  readonly image?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly history?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function replicaSet(parts: SetParts): ReplicaSet {
  const { revision, createdMs, image = `shop/checkout:1.8.${revision}`, history } = parts;
  return {
    metadata: {
      name: `checkout-${revision}`,
      namespace: 'shop',
      uid: `rs-${revision}`,
      creationTimestamp: ago(createdMs),
      annotations: {
        'deployment.kubernetes.io/revision': String(revision),
        ...(history !== undefined && { 'deployment.kubernetes.io/revision-history': history }),
        ...parts.annotations,
      },
      ownerReferences: [{ kind: 'Deployment', name: 'checkout', controller: true }],
    },
    spec: { template: template(image, parts.env) },
  };
}

export interface DeploymentParts {
  readonly replicas?: number;
  readonly available?: number;
  readonly conditions?: readonly Condition[];
  readonly meta?: Deployment['metadata'];
  readonly spec?: Partial<Deployment['spec']>;
}

export function deployment(parts: DeploymentParts = {}): Deployment {
  const { replicas = 1, available = replicas } = parts;
  return {
    metadata: { name: 'checkout', namespace: 'shop', uid: 'deploy', generation: 2, ...parts.meta },
    spec: { replicas, template: template('shop/checkout:1.8.2'), ...parts.spec },
    status: {
      observedGeneration: 2,
      replicas,
      updatedReplicas: replicas,
      availableReplicas: available,
      conditions: parts.conditions ?? [],
    },
  };
}

/** Six days ago revision 1, seven minutes ago revision 2. */
export const TWO_REVISIONS: readonly ReplicaSet[] = [
  replicaSet({ revision: 1, createdMs: 6 * 86_400_000 }),
  replicaSet({ revision: 2, createdMs: 420_000 }),
];

export interface ClusterParts extends Partial<Omit<WorkloadsAnswer, 'templateHashes'>> {
  readonly sets?: readonly ReplicaSet[];
  readonly templateHashes?: Readonly<Record<string, string>>;
  readonly healthy?: Readonly<Record<string, SeenHealthy>>;
}

/** A healthy Deployment of one pod at revision 2, unless said otherwise. */
export function cluster(parts: ClusterParts = {}): Workloads {
  const sets = parts.sets ?? TWO_REVISIONS;
  const newest = sets.at(-1)?.metadata?.uid ?? '';
  const hashes = Object.fromEntries(
    sets.map(({ metadata }) => [metadata?.uid ?? '', `hash of ${metadata?.uid ?? ''}`]),
  );
  return joinWorkloads({
    pods: parts.pods ?? listed(pod()),
    replicaSets: parts.replicaSets ?? listed(...sets),
    deployments: parts.deployments ?? listed(deployment()),
    seenHealthy: parts.healthy ?? {},
    templateHashes: parts.templateHashes ?? { ...hashes, deploy: `hash of ${newest}` },
  });
}
