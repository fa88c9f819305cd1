import { join } from 'node:path';
import { systemClock } from '@starr/kernel';
import type { KubeApi } from '../kubernetes/kube-api.ts';
import type { BackOffSettings } from './back-off.ts';
import { type ContainerKeeper, keepContainer } from './container-keeper.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { LoadData } from './pod-env.ts';
import { OWN_CONDITIONS, podStatus } from './pod-status.ts';
import type { Condition, ImageTable, Pod, PodStatus } from './pod-types.ts';

const PUSH_RETRY_MS = 500;
const DEFAULT_GRACE_SECONDS = 30;

export interface PodWorkerOptions {
  readonly pod: Pod;
  readonly podIp: string;
  readonly hostIp: string;
  readonly api: KubeApi;
  readonly images: ImageTable;
  readonly backOff: BackOffSettings;
  readonly events: EventRecorder;
  readonly load: LoadData;
  readonly logFolder: string;
}

/** Does for one pod what a kubelet does, from its first sight of it to the last. */
export interface PodWorker {
  readonly podIp: string;
  pod(): Pod;
  container(name: string): ContainerKeeper | undefined;
  /** A newer version of the pod was seen; one with a deletion time starts its end. */
  update(pod: Pod): void;
  /** The pod is no longer in the API: its processes end at once. */
  gone(): Promise<void>;
}

export function startPodWorker(options: PodWorkerOptions): PodWorker {
  const worker = new Worker(options);
  worker.update(options.pod);
  return {
    podIp: options.podIp,
    pod: () => worker.pod,
    container: (name) => worker.keepers.get(name),
    update: (pod) => {
      worker.update(pod);
    },
    gone: () => worker.gone(),
  };
}

class Worker {
  readonly #options: PodWorkerOptions;
  readonly #startedAt = new Date();
  readonly keepers = new Map<string, ContainerKeeper>();
  pod: Pod;
  #conditions: readonly Condition[] = [];
  #phase: 'alive' | 'ending' | 'gone' = 'alive';
  #pushed = '';
  #pushing: Promise<void> | undefined;

  constructor(options: PodWorkerOptions) {
    this.#options = options;
    this.pod = options.pod;
    this.#conditions = ownConditions(options.pod.status);
    for (const container of options.pod.spec.containers) {
      const keeper = keepContainer({
        ...{ pod: options.pod, container, images: options.images, load: options.load },
        ...{ backOff: options.backOff, logFolder: join(options.logFolder, podFolder(options.pod)) },
        place: { podIp: options.podIp, hostIp: options.hostIp },
        onChange: () => {
          this.#push();
        },
        record: (event) => {
          options.events.record(this.pod, event);
        },
      });
      this.keepers.set(container.name, keeper);
    }
  }

  update(pod: Pod): void {
    this.pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined && this.#phase === 'alive') {
      this.#phase = 'ending';
      void this.#endGracefully();
    }
    this.#push();
  }

  async gone(): Promise<void> {
    this.#phase = 'gone';
    await this.#stopAll(0);
  }

  async #stopAll(graceMs: number): Promise<void> {
    await Promise.all([...this.keepers.values()].map((keeper) => keeper.stop(graceMs)));
  }

  async #endGracefully(): Promise<void> {
    const graceSeconds = this.pod.metadata.deletionGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
    for (const [name, keeper] of this.keepers) {
      if (keeper.view().state.running === undefined) continue;
      const message = `Stopping container ${name}`;
      this.#options.events.record(this.pod, {
        ...{ type: 'Normal', reason: 'Killing', message, container: name },
      });
    }
    await this.#stopAll(graceSeconds * 1000);
    await this.#pushing;
    await this.#confirmDeletion();
  }

  /** The last word of a kubelet: only now does the API forget the pod. */
  async #confirmDeletion(): Promise<void> {
    while (this.#phase === 'ending') {
      try {
        const answer = await this.#options.api.send({
          method: 'DELETE',
          path: podPath(this.pod),
          body: {
            apiVersion: 'v1',
            kind: 'DeleteOptions',
            gracePeriodSeconds: 0,
            preconditions: { uid: this.pod.metadata.uid },
          },
        });
        // 404, 409: it is gone, or another pod has its name
        if (answer.status < 400 || answer.status === 404 || answer.status === 409) return;
      } catch {
        // the API server is away: the pod stays terminating until it is back
      }
      await systemClock.sleep(PUSH_RETRY_MS);
    }
  }

  /** Writes the status if it changed; one write at a time, and the last state is always written. */
  #push(): void {
    this.#pushing ??= this.#pushUntilSame();
  }

  async #pushUntilSame(): Promise<void> {
    await Promise.resolve(); // changes of this very moment go out together
    while (this.#phase !== 'gone') {
      const status = this.#status();
      const text = JSON.stringify(status);
      if (text === this.#pushed) break;
      if (await this.#write(status)) this.#pushed = text;
      else await systemClock.sleep(PUSH_RETRY_MS);
    }
    this.#pushing = undefined; // in the same breath as the look: a change from now on pushes anew
  }

  #status(): PodStatus {
    const { pod } = this;
    const others = (pod.status?.conditions ?? []).filter(
      (one) => !OWN_CONDITIONS.includes(one.type),
    );
    const status = podStatus({
      // conditions as we wrote them last: what the watch shows may be older
      pod: { ...pod, status: { ...pod.status, conditions: [...this.#conditions, ...others] } },
      containers: [...this.keepers.values()].map((keeper) => keeper.view()),
      podIp: this.#options.podIp,
      hostIp: this.#options.hostIp,
      startedAt: this.#startedAt,
      now: new Date(),
    });
    this.#conditions = ownConditions(status);
    return status;
  }

  async #write(status: PodStatus): Promise<boolean> {
    try {
      const answer = await this.#options.api.send({
        method: 'PATCH',
        path: `${podPath(this.pod)}/status`,
        body: { metadata: { uid: this.pod.metadata.uid }, status },
      });
      return answer.status < 400 || answer.status === 404 || answer.status === 409;
    } catch {
      return false;
    }
  }
}

function ownConditions(status: PodStatus | undefined): readonly Condition[] {
  return (status?.conditions ?? []).filter((one) => OWN_CONDITIONS.includes(one.type));
}

function podPath(pod: Pod): string {
  return `/api/v1/namespaces/${pod.metadata.namespace ?? ''}/pods/${pod.metadata.name}`;
}

function podFolder(pod: Pod): string {
  return `${pod.metadata.namespace ?? ''}_${pod.metadata.name}_${pod.metadata.uid ?? ''}`;
}
