import { randomBytes } from 'node:crypto';
import type { KubeApi } from '../kubernetes/kube-api.ts';
import { kubeTime } from './pod-status.ts';
import type { Pod } from './pod-types.ts';

export interface PodEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** The container it is about; the pod itself when absent. */
  readonly container?: string;
}

/** Writes events as a kubelet does: the same thing again raises the count of the first. */
export interface EventRecorder {
  record(pod: Pod, event: PodEvent): void;
  /** When all that was recorded has been written or refused. */
  idle(): Promise<void>;
}

interface Written {
  readonly name: string;
  count: number;
}

export function createEventRecorder(api: KubeApi, node: string): EventRecorder {
  const written = new Map<string, Written>();
  let queue = Promise.resolve();

  const write = async (pod: Pod, event: PodEvent, at: Date): Promise<void> => {
    const key = [pod.metadata.uid, event.container, event.reason, event.message].join('\n');
    const before = written.get(key);
    const collection = `/api/v1/namespaces/${pod.metadata.namespace ?? 'default'}/events`;
    if (before !== undefined) {
      before.count += 1;
      const answer = await api.send({
        method: 'PATCH',
        path: `${collection}/${before.name}`,
        body: { count: before.count, lastTimestamp: kubeTime(at) },
      });
      if (answer.status < 400) return;
    }
    // new, or the first has outlived its time to live
    const name = `${pod.metadata.name}.${randomBytes(8).toString('hex')}`;
    const body = eventBody({ pod, event, at, node, name });
    const answer = await api.send({ method: 'POST', path: collection, body });
    if (answer.status < 400) written.set(key, { name, count: 1 });
  };

  return {
    record(pod, event) {
      const at = new Date();
      // one after another, or a count would overtake its event; a lost event is only that
      queue = queue.then(() => write(pod, event, at)).catch(() => undefined);
    },
    idle: () => queue,
  };
}

interface EventParts {
  readonly pod: Pod;
  readonly event: PodEvent;
  readonly at: Date;
  readonly node: string;
  readonly name: string;
}

function eventBody({ pod, event, at, node, name }: EventParts): unknown {
  const { namespace, uid, resourceVersion } = pod.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace,
      name: pod.metadata.name,
      uid,
      resourceVersion,
      ...(event.container === undefined
        ? {}
        : { fieldPath: `spec.containers{${event.container}}` }),
    },
    type: event.type,
    reason: event.reason,
    message: event.message,
    source: { component: 'kubelet', host: node },
    reportingComponent: 'kubelet',
    reportingInstance: node,
    firstTimestamp: kubeTime(at),
    lastTimestamp: kubeTime(at),
    count: 1,
  };
}
