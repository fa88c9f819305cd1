import { systemClock } from '@starr/kernel';
import type { KubeApi, KubeAnswer } from '../kubernetes/kube-api.ts';
import {
  type NodeFacts,
  leaseObject,
  nodeConditions,
  nodeObject,
  nodeStatus,
} from './node-object.ts';
import { kubeTime } from './pod-status.ts';

const NODES = '/api/v1/nodes';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const HEARTBEAT_MS = 5000;
const RETRY_MS = 500;

/** Registers a node, or takes it up again. Resolves when the API server has it; rejects on a refusal. */
export async function registerNode(
  api: KubeApi,
  facts: NodeFacts,
  signal: AbortSignal,
): Promise<void> {
  const since = kubeTime(new Date());
  const made = await persist(
    () => api.send({ method: 'POST', path: NODES, body: nodeObject(facts, since) }),
    signal,
  );
  if (made === undefined || made.status < 300) return;
  if (made.status !== 409) {
    throw new Error(`node ${facts.name} was refused: ${made.status} ${JSON.stringify(made.body)}`);
  }
  const body = { status: nodeStatus(facts, since, since) };
  await persist(
    () => api.send({ method: 'PATCH', path: `${NODES}/${facts.name}/status`, body }),
    signal,
  );
}

/** Renews the Lease, and says that the node is ready, until the signal aborts. */
export async function keepNodeAlive(
  api: KubeApi,
  facts: NodeFacts,
  signal: AbortSignal,
): Promise<void> {
  const since = kubeTime(new Date());
  while (!signal.aborted) {
    await heartbeat(api, facts, since).catch(() => undefined); // the next one may get through
    await systemClock.sleep(HEARTBEAT_MS, signal);
  }
}

async function heartbeat(api: KubeApi, facts: NodeFacts, since: string): Promise<void> {
  const now = new Date();
  const renewTime = now.toISOString().replace('Z', '000Z'); // MicroTime
  const renewed = await api.send({
    method: 'PATCH',
    path: `${LEASES}/${facts.name}`,
    body: { spec: { holderIdentity: facts.name, leaseDurationSeconds: 40, renewTime } },
    timeoutMs: HEARTBEAT_MS,
  });
  if (renewed.status === 404) {
    const node = await api.ask<{ metadata: { uid: string } }>({
      method: 'GET',
      path: `${NODES}/${facts.name}`,
    });
    const body = leaseObject(facts.name, node.metadata.uid, renewTime);
    await api.send({ method: 'POST', path: LEASES, body });
  }
  // also takes back what the node controller wrote while this node was silent
  await api.send({
    method: 'PATCH',
    path: `${NODES}/${facts.name}/status`,
    body: { status: { conditions: nodeConditions(since, kubeTime(now)) } },
    timeoutMs: HEARTBEAT_MS,
  });
}

/** Again and again while the server cannot be reached or has not its roles yet. */
async function persist(
  send: () => Promise<KubeAnswer>,
  signal: AbortSignal,
): Promise<KubeAnswer | undefined> {
  const deadline = performance.now() + 10_000;
  while (!signal.aborted) {
    const answer = await send().catch(() => undefined);
    const isEarly = answer === undefined || answer.status === 403 || answer.status >= 500;
    if (!isEarly || performance.now() > deadline) return answer;
    await systemClock.sleep(RETRY_MS, signal);
  }
  return undefined;
}
