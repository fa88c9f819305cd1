import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { type Exit, type Leashed, freePort, startLeashed, waitUntilReady } from '../leash.ts';
import {
  type FlagSources,
  type KubernetesComponent,
  type Ports,
  componentFlags,
} from './component-flags.ts';

const READY_WITHIN_MS = 60_000;
const PROBE_TIMEOUT_MS = 2000;

/** The four servers of a cluster, each on its own leash and on a port that it keeps. */
export interface ControlPlane {
  pid(component: KubernetesComponent): number;
  /** Its own last lines. */
  log(component: KubernetesComponent, lines?: number): string;
  pause(component: KubernetesComponent): void;
  resume(component: KubernetesComponent): void;
  kill(component: KubernetesComponent): Promise<Exit>;
  /** Starts it again with the same flags and data, after `kill` or while it runs; waits until it is ready. */
  restart(component: KubernetesComponent): Promise<void>;
  stop(): Promise<void>;
}

export interface ControlPlaneOptions extends FlagSources {
  /** Where the programs are. */
  readonly programs: string;
  readonly caPem: string;
  /** Deleted when the owner is killed. */
  readonly folder: string;
}

export async function freePorts(): Promise<Ports> {
  const ports = new Set<number>();
  while (ports.size < 5) ports.add(await freePort());
  const [etcd = 0, etcdPeer = 0, apiServer = 0, controllerManager = 0, scheduler = 0] = ports;
  return {
    etcd,
    etcdPeer,
    'kube-apiserver': apiServer,
    'kube-controller-manager': controllerManager,
    'kube-scheduler': scheduler,
  };
}

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const running = new Map<KubernetesComponent, Leashed>();
  const start = async (component: KubernetesComponent): Promise<void> => {
    const leashed = launch(component, options);
    running.set(component, leashed);
    await waitUntilReady(
      leashed,
      { kind: 'probe', probe: (signal) => answersOk(component, options, signal) },
      READY_WITHIN_MS,
    );
  };
  const stop = async (): Promise<void> => {
    // by force: nothing of it is kept, and a polite API server waits for its watchers
    await Promise.all([...running.values()].map((leashed) => leashed.kill()));
  };
  try {
    await start('etcd');
    await start('kube-apiserver');
    await Promise.all([start('kube-controller-manager'), start('kube-scheduler')]);
  } catch (error) {
    await stop();
    throw error;
  }
  return planeFrom(running, start, stop);
}

function planeFrom(
  running: ReadonlyMap<KubernetesComponent, Leashed>,
  start: (component: KubernetesComponent) => Promise<void>,
  stop: () => Promise<void>,
): ControlPlane {
  const the = (component: KubernetesComponent): Leashed => {
    const leashed = running.get(component);
    if (leashed === undefined) throw new Error(`${component} was never started`);
    return leashed;
  };
  return {
    pid: (component) => the(component).pid,
    log: (component, lines) => the(component).tail(lines),
    pause: (component) => {
      the(component).pause();
    },
    resume: (component) => {
      the(component).resume();
    },
    kill: (component) => the(component).kill(),
    async restart(component) {
      await the(component).kill();
      await start(component);
    },
    stop,
  };
}

function launch(component: KubernetesComponent, options: ControlPlaneOptions): Leashed {
  return startLeashed({
    name: component,
    command: join(options.programs, component),
    args: componentFlags(component, options),
    cwd: options.folder,
    env: { PATH: '/usr/bin:/bin', HOME: options.folder },
    ...(component === 'etcd' ? { orphanFolders: [options.folder] } : {}),
  });
}

/** Each has its own page that says so; none of them asks who wants to know. */
function answersOk(
  component: KubernetesComponent,
  { ports, caPem }: ControlPlaneOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
  const path =
    component === 'etcd' ? '/health' : component === 'kube-apiserver' ? '/readyz' : '/healthz';
  const where = { host: '127.0.0.1', port: ports[component], path, agent: false, signal: bounded };
  return new Promise((resolve, reject) => {
    const request = component === 'etcd' ? httpGet(where) : httpsGet({ ...where, ca: caPem });
    request.on('error', reject).on('response', (response) => {
      response.resume().on('error', reject);
      resolve(response.statusCode === 200);
    });
  });
}
