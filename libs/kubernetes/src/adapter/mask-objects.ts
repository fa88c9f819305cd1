import { createHash, createHmac, randomBytes } from 'node:crypto';
import { canonicalJson, maskText, type Json } from '@starr/kernel';
import type {
  Condition,
  Container,
  ContainerState,
  ContainerStatus,
  Deployment,
  KubeEvent,
  ObjectMeta,
  Pod,
  PodTemplate,
  ReplicaSet,
} from '../objects.ts';

/**
 * Objects as they leave the adapter: what judges need, without what may hold secrets. Values of environment variables,
 * commands and arguments become digests that compare equal but tell nothing; texts are masked.
 */
const key = (() => {
  let made: Buffer | undefined;
  // made at the first use, since importing a module does nothing
  return () => (made ??= randomBytes(32));
})();

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export function maskPod(pod: Pod): Pod {
  const { spec, status } = pod;
  return {
    metadata: withoutFields(pod.metadata),
    spec: {
      ...(spec?.nodeName !== undefined && { nodeName: spec.nodeName }),
      ...(spec?.hostNetwork !== undefined && { hostNetwork: spec.hostNetwork }),
      containers: (spec?.containers ?? []).map(({ name, image, resources }) => ({
        ...(name !== undefined && { name }),
        ...(image !== undefined && { image }),
        ...(resources && { resources }),
      })),
    },
    status: {
      ...status,
      ...(status?.message !== undefined && { message: maskText(status.message) }),
      conditions: (status?.conditions ?? []).map(maskCondition),
      containerStatuses: (status?.containerStatuses ?? []).map(maskStatus),
      initContainerStatuses: (status?.initContainerStatuses ?? []).map(maskStatus),
    },
  };
}

export function maskReplicaSet(set: ReplicaSet): ReplicaSet {
  return {
    metadata: withoutFields(set.metadata),
    spec: { ...set.spec, ...(set.spec?.template && { template: maskTemplate(set.spec.template) }) },
    ...(set.status && { status: set.status }),
  };
}

/** Keeps managedFields: they tell who wrote the template. */
export function maskDeployment(deployment: Deployment): Deployment {
  const { spec, status } = deployment;
  return {
    metadata: withoutApplied(deployment.metadata),
    spec: { ...spec, ...(spec?.template && { template: maskTemplate(spec.template) }) },
    status: { ...status, conditions: (status?.conditions ?? []).map(maskCondition) },
  };
}

export function maskEvent(event: KubeEvent): KubeEvent {
  return {
    ...event,
    metadata: withoutFields(event.metadata),
    ...(event.message !== undefined && { message: maskText(event.message) }),
    ...(event.note !== undefined && { note: maskText(event.note) }),
  };
}

/** SHA-256 of a pod template as the API server holds it, without the label that a ReplicaSet adds. */
export function hashTemplate(template: PodTemplate): string {
  const text = canonicalJson(templateWithoutHash(template) as Json);
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

export function templateWithoutHash(template: PodTemplate): PodTemplate {
  const { 'pod-template-hash': _hash, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

function maskTemplate(template: PodTemplate): PodTemplate {
  const { spec } = template;
  return {
    ...template,
    spec: {
      ...spec,
      ...(spec?.containers && { containers: spec.containers.map(maskContainer) }),
      ...(spec?.initContainers && { initContainers: spec.initContainers.map(maskContainer) }),
    },
  };
}

function maskContainer(container: Container): Container {
  const { command, args, env } = container;
  return {
    ...container,
    ...(command && { command: [digest(command)] }),
    ...(args && { args: [digest(args)] }),
    ...(env && {
      env: env.map((entry) => ({
        ...(entry.name !== undefined && { name: entry.name }),
        value: digest(entry),
      })),
    }),
  };
}

function digest(value: unknown): string {
  return createHmac('sha256', key()).update(JSON.stringify(value)).digest('base64url').slice(0, 22);
}

function maskCondition(condition: Condition): Condition {
  return condition.message === undefined
    ? condition
    : { ...condition, message: maskText(condition.message) };
}

function maskStatus(status: ContainerStatus): ContainerStatus {
  return {
    ...status,
    ...(status.state && { state: maskState(status.state) }),
    ...(status.lastState && { lastState: maskState(status.lastState) }),
  };
}

function maskState(state: ContainerState): ContainerState {
  const { waiting, terminated } = state;
  return {
    ...state,
    ...(waiting?.message !== undefined && {
      waiting: { ...waiting, message: maskText(waiting.message) },
    }),
    ...(terminated?.message !== undefined && {
      terminated: { ...terminated, message: maskText(terminated.message) },
    }),
  };
}

function withoutFields(meta: ObjectMeta | undefined): ObjectMeta {
  const { managedFields: _managedFields, ...rest } = withoutApplied(meta);
  return rest;
}

/** The annotation of `kubectl apply` repeats the whole object, values of variables included. */
function withoutApplied(meta: ObjectMeta | undefined): ObjectMeta {
  if (meta?.annotations?.[LAST_APPLIED] === undefined) return meta ?? {};
  const { [LAST_APPLIED]: _applied, ...annotations } = meta.annotations;
  return { ...meta, annotations };
}
