import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubeApi } from '../kubernetes/kube-api.ts';
import type { LabKubernetes } from '../kubernetes/start-kubernetes.ts';
import { type Exit, type Leashed, startLeashed, waitUntilReady } from '../leash.ts';
import { waitUntil } from '../wait-until.ts';
import { type BackOffSettings, KUBELET_BACK_OFF } from './back-off.ts';
import { pidOfContainer } from './container-id.ts';
import type { NodeAgentConfig } from './node-agent.ts';
import type { ImageTable, Pod } from './pod-types.ts';

const AGENT_USER = 'starr-node-agent';
const READY_WITHIN_MS = 30_000;

export interface LabNodesOptions {
  /** What images stand for. A pod of any other image stays in ImagePullBackOff. */
  readonly images: ImageTable;
  /** How many nodes, at most 250. Default 2. */
  readonly nodes?: number;
  /** The name of the agent and the beginning of its nodes' names. Default `node`. */
  readonly name?: string;
  /** What each node claims to have. Default `4` and `8Gi`. */
  readonly cpu?: string;
  readonly memory?: string;
  /** Default the kubelet's: 10 s doubling to 300 s; tests want it faster. */
  readonly backOff?: Partial<BackOffSettings>;
}

export interface LabNode {
  readonly name: string;
  readonly address: string;
}

/** Nodes whose pods are processes, played by one agent in a process of its own. */
export interface LabNodes extends AsyncDisposable {
  readonly nodes: readonly LabNode[];
  readonly pid: number;
  /** The agent's own last lines. */
  log(lines?: number): string;
  /** The process of a pod's container as the API server shows it; the first container by default. */
  processOf(namespace: string, pod: string, container?: string): Promise<number>;
  /** The machines freeze, with all their pods. */
  pause(): void;
  resume(): void;
  /** The machines lose their power: agent and pods are gone, and nobody tells the API server. */
  kill(): Promise<Exit>;
  /** After `kill`: the nodes come back and start the pods that are still bound to them. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Joins nodes to a cluster; resolves when they are registered and ready. */
export async function startLabNodes(
  kubernetes: LabKubernetes,
  options: LabNodesOptions,
): Promise<LabNodes> {
  await allowAgent(kubernetes);
  const name = options.name ?? 'node';
  const folder = join(kubernetes.dataFolder, `agent-${name}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const config = configOf(kubernetes, options, name, folder);
  const configPath = join(folder, 'agent.json');
  await writeFile(configPath, JSON.stringify(config), { mode: 0o600 });
  const api = kubernetes.api();
  const start = async (): Promise<Leashed> => {
    const agent = await launch(name, configPath);
    for (const node of config.nodes) await schedulable(api, node.name);
    return agent;
  };
  let agent = await start();
  const stop = async (): Promise<void> => {
    await agent.stop();
  };
  return {
    nodes: config.nodes.map((node) => ({ name: node.name, address: node.address })),
    get pid() {
      return agent.pid;
    },
    log: (lines) => agent.tail(lines),
    async processOf(namespace, pod, container) {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}`;
      return pidOf(await api.ask<Pod>({ method: 'GET', path }), container);
    },
    pause: () => {
      agent.pause();
    },
    resume: () => {
      agent.resume();
    },
    kill: () => agent.kill(),
    async restart() {
      await agent.kill();
      agent = await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function launch(name: string, configPath: string): Promise<Leashed> {
  const agent = startLeashed({
    name: `node agent ${name}`,
    command: process.execPath,
    args: [
      '--conditions=@starr/source',
      fileURLToPath(new URL('./main.ts', import.meta.url)),
      configPath,
    ],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  });
  const isReady = (line: string): boolean => line === 'node agent ready';
  await waitUntilReady(agent, { kind: 'line', matches: isReady }, READY_WITHIN_MS);
  return agent;
}

/** A new node is tainted until the node controller has seen that it is ready; pods would all go elsewhere. */
async function schedulable(api: KubeApi, node: string): Promise<void> {
  const path = `/api/v1/nodes/${node}`;
  await waitUntil(
    async () => {
      const { spec } = await api.ask<{ spec: { taints?: unknown[] } }>({ method: 'GET', path });
      return (spec.taints ?? []).length === 0 ? true : undefined;
    },
    { what: `node ${node} without a taint`, withinMs: READY_WITHIN_MS },
  );
}

function configOf(
  kubernetes: LabKubernetes,
  options: LabNodesOptions,
  name: string,
  folder: string,
): NodeAgentConfig {
  const nodes = Array.from({ length: options.nodes ?? 2 }, (_, index) => ({
    name: `${name}-${index + 1}`,
    address: `127.0.100.${index + 1}`,
    cpu: options.cpu ?? '4',
    memory: options.memory ?? '8Gi',
    certificate: kubernetes.files.authority.issue({
      commonName: `system:node:${name}-${index + 1}`,
      organizations: ['system:nodes'],
      alternativeNames: [`IP:127.0.100.${index + 1}`],
    }),
  }));
  return {
    url: kubernetes.url,
    caPem: kubernetes.caPem,
    token: kubernetes.tokenOf(AGENT_USER),
    nodes,
    images: options.images,
    backOff: { ...KUBELET_BACK_OFF, ...options.backOff },
    logFolder: join(folder, 'logs'),
  };
}

/** The role that Kubernetes keeps for kubelets, and nothing more. */
async function allowAgent(kubernetes: LabKubernetes): Promise<void> {
  const api = kubernetes.api();
  const answer = await api.send({
    method: 'POST',
    path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    body: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: AGENT_USER },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'system:node',
      },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: AGENT_USER }],
    },
  });
  if (answer.status >= 400 && answer.status !== 409) {
    throw new Error(`the node agent could not be given its role: ${JSON.stringify(answer.body)}`);
  }
}

function pidOf(pod: Pod, container: string | undefined): number {
  const statuses = pod.status?.containerStatuses ?? [];
  const status = statuses.find((one) => container === undefined || one.name === container);
  const pid = status?.state.running ? pidOfContainer(status.containerID ?? '') : undefined;
  if (pid === undefined) {
    throw new Error(`pod ${pod.metadata.name} has no running process: ${JSON.stringify(status)}`);
  }
  return pid;
}
