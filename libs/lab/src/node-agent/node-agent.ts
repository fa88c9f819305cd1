import { type KubeAccess, type KubeApi, createKubeApi } from '../kubernetes/kube-api.ts';
import type { Certificate } from '../kubernetes/certificates.ts';
import { mirror } from '../kubernetes/mirror.ts';
import type { BackOffSettings } from './back-off.ts';
import { type EventRecorder, createEventRecorder } from './event-recorder.ts';
import { type KubeletServer, startKubeletServer } from './kubelet-server.ts';
import type { NodeFacts } from './node-object.ts';
import { keepNodeAlive, registerNode } from './node-registration.ts';
import type { LoadData } from './pod-env.ts';
import { type PodSubnet, claimPodSubnet } from './pod-subnet.ts';
import type { ImageTable, Pod } from './pod-types.ts';
import { type PodWorker, startPodWorker } from './pod-worker.ts';

/** One node that the agent plays. */
interface AgentNode {
  readonly name: string;
  /** 127.0.100.x */
  readonly address: string;
  readonly cpu: string;
  readonly memory: string;
  readonly certificate: Certificate;
}

/** All that an agent needs, as JSON. */
export interface NodeAgentConfig extends KubeAccess {
  readonly nodes: readonly AgentNode[];
  readonly images: ImageTable;
  readonly backOff: BackOffSettings;
  readonly logFolder: string;
}

export interface NodeAgent {
  /** Ends all pods at once, by force; the API is told nothing, as when a machine loses its power. */
  stop(): Promise<void>;
}

interface RunningNode {
  readonly facts: NodeFacts;
  readonly subnet: PodSubnet;
  readonly server: KubeletServer;
  readonly events: EventRecorder;
}

/**
 * Plays the kubelet for a few nodes: every pod bound to one of them becomes a real process on an address
 * of its own. Resolves when all nodes are registered and ready.
 */
export async function startNodeAgent(config: NodeAgentConfig): Promise<NodeAgent> {
  const api = createKubeApi(config);
  const stopping = new AbortController();
  const workers = new Map<string, PodWorker>();
  const nodes = new Map<string, RunningNode>();
  for (const node of config.nodes) {
    nodes.set(node.name, await startNode(node, config, api, workers));
  }
  const agent = new Agent(config, api, nodes, workers);
  await Promise.all(
    [...nodes.values()].map(({ facts }) => registerNode(api, facts, stopping.signal)),
  );
  const { signal } = stopping;
  const alive = [...nodes.values()].map(({ facts }) => keepNodeAlive(api, facts, signal));
  const watching = mirror<Pod>(
    api,
    '/api/v1/pods',
    {
      onSeen: (pod) => {
        agent.seen(pod);
      },
      onGone: (pod) => {
        agent.gone(pod);
      },
      onList: (pods) => {
        agent.listed(pods);
      },
      onTrouble: (error) => {
        console.error(`pods cannot be watched: ${String(error)}`);
      },
    },
    signal,
  );
  return {
    async stop() {
      stopping.abort();
      await Promise.all([watching, ...alive]);
      await Promise.all([...workers.values()].map((worker) => worker.gone()));
      for (const { server, subnet } of nodes.values()) {
        await server.close();
        await subnet.release();
      }
      api.close();
    },
  };
}

async function startNode(
  node: AgentNode,
  config: NodeAgentConfig,
  api: KubeApi,
  workers: ReadonlyMap<string, PodWorker>,
): Promise<RunningNode> {
  const subnet = await claimPodSubnet();
  const server = await startKubeletServer({
    address: node.address,
    certificate: node.certificate,
    clientCaPem: config.caPem,
    find: (namespace, name) =>
      [...workers.values()].find((worker) => {
        const { metadata, spec } = worker.pod();
        return (
          metadata.namespace === namespace && metadata.name === name && spec.nodeName === node.name
        );
      }),
  });
  const { name, address, cpu, memory } = node;
  const facts = { name, address, cpu, memory, kubeletPort: server.port, podCidr: subnet.cidr };
  return { facts, subnet, server, events: createEventRecorder(api, name) };
}

class Agent {
  readonly #config: NodeAgentConfig;
  readonly #api: KubeApi;
  readonly #nodes: ReadonlyMap<string, RunningNode>;
  readonly #workers: Map<string, PodWorker>;

  constructor(
    config: NodeAgentConfig,
    api: KubeApi,
    nodes: ReadonlyMap<string, RunningNode>,
    workers: Map<string, PodWorker>,
  ) {
    this.#config = config;
    this.#api = api;
    this.#nodes = nodes;
    this.#workers = workers;
  }

  seen(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const worker = this.#workers.get(uid);
    if (worker) {
      worker.update(pod);
      return;
    }
    const node = this.#nodes.get(pod.spec.nodeName ?? '');
    const isOver = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (node === undefined || (isOver && pod.metadata.deletionTimestamp === undefined)) return;
    this.#workers.set(uid, this.#start(pod, node));
  }

  gone(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const worker = this.#workers.get(uid);
    if (worker === undefined) return;
    this.#workers.delete(uid);
    const node = this.#nodes.get(pod.spec.nodeName ?? '');
    void worker.gone().then(() => node?.subnet.giveBack(worker.podIp));
  }

  listed(pods: readonly Pod[]): void {
    const there = new Set(pods.map((pod) => pod.metadata.uid));
    for (const [uid, worker] of [...this.#workers]) {
      if (!there.has(uid)) this.gone(worker.pod());
    }
  }

  #start(pod: Pod, node: RunningNode): PodWorker {
    return startPodWorker({
      pod,
      podIp: node.subnet.take(),
      hostIp: node.facts.address,
      api: this.#api,
      images: this.#config.images,
      backOff: this.#config.backOff,
      events: node.events,
      load: this.#loader(pod.metadata.namespace ?? ''),
      logFolder: this.#config.logFolder,
    });
  }

  #loader(namespace: string): LoadData {
    return async (kind, name) => {
      const path = `/api/v1/namespaces/${namespace}/${kind}/${name}`;
      const answer = await this.#api.send<{ data?: Record<string, string> }>({
        method: 'GET',
        path,
      });
      if (answer.status === 404) return undefined;
      if (answer.status >= 400) throw new Error(`GET ${path}: ${answer.status}`);
      const entries = Object.entries(answer.body.data ?? {});
      return Object.fromEntries(
        kind === 'configmaps'
          ? entries
          : entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
      );
    };
  }
}
