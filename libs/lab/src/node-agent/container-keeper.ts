import { join } from 'node:path';
import { systemClock } from '@starr/kernel';
import { type BackOff, type BackOffSettings, createBackOff } from './back-off.ts';
import { goDuration, isRestarted } from './container-end.ts';
import { containerIdOf } from './container-id.ts';
import { type ContainerLog, createContainerLog } from './container-log.ts';
import { type ContainerRun, runContainer } from './container-run.ts';
import type { PodEvent } from './event-recorder.ts';
import {
  type Launch,
  type LoadData,
  type PodPlace,
  imageProgram,
  resolveLaunch,
} from './pod-env.ts';
import { type ContainerView, kubeTime } from './pod-status.ts';
import type { Container, ContainerState, ImageTable, Pod, Terminated } from './pod-types.ts';

/** How often a container that lacks its ConfigMap or Secret looks again. */
const CONFIG_RETRY_MS = 1000;
/** How long a missing image shows as ErrImagePull before it shows as ImagePullBackOff. */
const PULL_TRY_MS = 1000;

export interface KeeperOptions {
  readonly pod: Pod;
  readonly container: Container;
  readonly place: PodPlace;
  readonly images: ImageTable;
  readonly load: LoadData;
  readonly backOff: BackOffSettings;
  /** Its logs lie here, one file a run. */
  readonly logFolder: string;
  readonly onChange: () => void;
  readonly record: (event: PodEvent) => void;
}

/** Keeps the process of one container as its pod's restart policy wants it. */
export interface ContainerKeeper {
  view(): ContainerView;
  /** `undefined`: there is no such run. */
  log(which: 'current' | 'previous'): ContainerLog | undefined;
  pid(): number | undefined;
  /** SIGTERM, after the grace SIGKILL; no restart any more. Resolves when the process is gone. */
  stop(graceMs: number): Promise<void>;
}

export function keepContainer(options: KeeperOptions): ContainerKeeper {
  const keeper = new Keeper(options);
  const kept = keeper.keep();
  return {
    view: () => keeper.view(),
    log: (which) => keeper.logs[which],
    pid: () => keeper.run?.process.pid,
    async stop(graceMs) {
      await keeper.stop(graceMs);
      await kept;
    },
  };
}

class Keeper {
  readonly #options: KeeperOptions;
  readonly #backOff: BackOff;
  readonly #stopping = new AbortController();
  #state: ContainerState = { waiting: { reason: 'ContainerCreating' } };
  #lastState: ContainerState = {};
  #restarts = 0;
  #ready = false;
  #containerId: string | undefined;
  run: ContainerRun | undefined;
  readonly logs: { current?: ContainerLog; previous?: ContainerLog } = {};

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#backOff = createBackOff(options.backOff);
    this.#takeUp();
  }

  view(): ContainerView {
    return {
      container: this.#options.container,
      state: this.#state,
      lastState: this.#lastState,
      restartCount: this.#restarts,
      ready: this.#ready,
      ...(this.#containerId === undefined ? {} : { containerId: this.#containerId }),
    };
  }

  async keep(): Promise<void> {
    for (;;) {
      const launch = await this.#prepare();
      if (launch === undefined || this.#isStopping()) return;
      const startedAt = performance.now();
      const end = await this.#runOnce(launch);
      if (this.#isStopping() || !isRestarted(this.#options.pod.spec.restartPolicy, end)) return;
      await this.#holdBack(performance.now() - startedAt, end);
      if (this.#isStopping()) {
        this.#enter({ terminated: end }); // it never came back: this is how it ended
        return;
      }
      this.#restarts += 1;
      this.#lastState = { terminated: end };
    }
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    await this.run?.stop(graceMs);
  }

  /** A run of an earlier life of this node ended with it. */
  #takeUp(): void {
    const { pod, container } = this.#options;
    const before = pod.status?.containerStatuses?.find((one) => one.name === container.name);
    if (before?.containerID === undefined) return;
    const now = kubeTime(new Date());
    this.#restarts = before.restartCount + 1;
    this.#lastState = {
      terminated: before.state.terminated ?? {
        exitCode: 255,
        reason: 'Unknown',
        startedAt: before.state.running?.startedAt ?? now,
        finishedAt: now,
        containerID: before.containerID,
      },
    };
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #enter(state: ContainerState, ready = false): void {
    this.#state = state;
    this.#ready = ready;
    this.#options.onChange();
  }

  #say(type: PodEvent['type'], reason: string, message: string): void {
    this.#options.record({ type, reason, message, container: this.#options.container.name });
  }

  /** Until image and variables are there; `undefined`: stopped before. */
  async #prepare(): Promise<Launch | undefined> {
    const { container, images, pod, place, load } = this.#options;
    const program = imageProgram(images, container.image);
    if (program === undefined) {
      await this.#lackImage();
      return undefined;
    }
    if ((pod.spec.initContainers ?? []).length > 0) return this.#refuse();
    this.#say(
      'Normal',
      'Pulled',
      `Container image "${container.image}" already present on machine`,
    );
    while (!this.#isStopping()) {
      const launch = await resolveLaunch(container, program, { pod, place, load }).catch(
        // the API server is away: the same to this container as a missing ConfigMap
        (error: unknown) => ({ kind: 'missing' as const, says: String(error) }),
      );
      if (launch.kind === 'ok') return launch.value;
      this.#enter({ waiting: { reason: 'CreateContainerConfigError', message: launch.says } });
      this.#say('Warning', 'Failed', `Error: ${launch.says}`);
      await systemClock.sleep(CONFIG_RETRY_MS, this.#stopping.signal);
    }
    return undefined;
  }

  /** The table of images never grows, so there is nothing to wait for but the end. */
  async #lackImage(): Promise<void> {
    const { image } = this.#options.container;
    const { signal } = this.#stopping;
    const says = `failed to resolve reference "${image}": not found`;
    this.#say('Normal', 'Pulling', `Pulling image "${image}"`);
    this.#say('Warning', 'Failed', `Failed to pull image "${image}": ${says}`);
    this.#say('Warning', 'Failed', 'Error: ErrImagePull');
    this.#enter({ waiting: { reason: 'ErrImagePull', message: says } });
    await systemClock.sleep(PULL_TRY_MS, signal);
    if (signal.aborted) return;
    this.#say('Normal', 'BackOff', `Back-off pulling image "${image}"`);
    this.#say('Warning', 'Failed', 'Error: ImagePullBackOff');
    const message = `Back-off pulling image "${image}": ErrImagePull: ${says}`;
    this.#enter({ waiting: { reason: 'ImagePullBackOff', message } });
    await this.#forTheEnd();
  }

  /** Better no pod than one that skipped half of what it was told. */
  async #refuse(): Promise<undefined> {
    const message = 'the node agent of the lab runs no init containers';
    this.#enter({ waiting: { reason: 'CreateContainerError', message } });
    this.#say('Warning', 'Failed', `Error: ${message}`);
    await this.#forTheEnd();
  }

  #forTheEnd(): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
  }

  /** One life of the process, from its start to its end. */
  async #runOnce(launch: Launch): Promise<Terminated> {
    const { container } = this.#options;
    const startedAt = kubeTime(new Date());
    const run = this.#start(launch);
    if (run === undefined) {
      const containerID = containerIdOf(0);
      const times = { startedAt, finishedAt: startedAt };
      const terminated = { exitCode: 128, reason: 'StartError', ...times, containerID };
      this.#enter({ terminated });
      return terminated;
    }
    this.run = run;
    const containerID = containerIdOf(run.process.pid);
    this.#containerId = containerID;
    this.#say('Normal', 'Created', 'Container created');
    this.#say('Normal', 'Started', 'Container started');
    this.#enter({ running: { startedAt } }, container.readinessProbe === undefined);
    const end = await run.ended;
    const terminated = { ...end, startedAt, finishedAt: kubeTime(new Date()), containerID };
    this.#enter({ terminated });
    return terminated;
  }

  /** `undefined`: no process could be made of it, e.g. its working folder is not there. */
  #start(launch: Launch): ContainerRun | undefined {
    const { logFolder, container, pod, place } = this.#options;
    try {
      return runContainer({
        ...{ pod, container, place, launch, log: this.#newLog(logFolder) },
        onReady: (ready) => {
          this.#enter(this.#state, ready);
        },
        say: (type, reason, message) => {
          this.#say(type, reason, message);
        },
      });
    } catch (error) {
      this.#say('Warning', 'Failed', `Error: failed to start container: ${String(error)}`);
      return undefined;
    }
  }

  /** The runs before the previous one are forgotten, as on a real node. */
  #newLog(folder: string): ContainerLog {
    void this.logs.previous?.remove();
    if (this.logs.current) this.logs.previous = this.logs.current;
    const path = join(folder, this.#options.container.name, `${this.#restarts}.log`);
    this.logs.current = createContainerLog(path);
    return this.logs.current;
  }

  /** Waits out the back-off after a run, visibly. */
  async #holdBack(ranForMs: number, end: Terminated): Promise<void> {
    const delayMs = this.#backOff.nextDelayMs(ranForMs);
    if (delayMs === 0) return;
    const { container, pod } = this.#options;
    const name = `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid ?? ''})`;
    const message = `back-off ${goDuration(delayMs)} restarting failed container=${container.name} pod=${name}`;
    this.#lastState = { terminated: end };
    this.#enter({ waiting: { reason: 'CrashLoopBackOff', message } });
    const says = `Back-off restarting failed container ${container.name} in pod ${name}`;
    this.#say('Warning', 'BackOff', says);
    await systemClock.sleep(delayMs, this.#stopping.signal);
  }
}
