import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import type { KubernetesComponent } from '../kubernetes/component-flags.ts';
import type { KubeApi } from '../kubernetes/kube-api.ts';
import type { LabKubernetes } from '../kubernetes/start-kubernetes.ts';
import { waitUntil } from '../wait-until.ts';
import { type Fault, faultFrom } from './fault.ts';

const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1';
const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const TAKES_EFFECT_WITHIN_MS = 10_000;

/** A component that keeps its sockets and answers nothing. */
export function freezeComponent(kubernetes: LabKubernetes, component: KubernetesComponent): Fault {
  kubernetes.pause(component);
  return faultFrom(`${component} is stopped and answers nothing`, () => {
    kubernetes.resume(component);
    return Promise.resolve();
  });
}

/**
 * A component that has crashed; it is started again, on its port and data, when the fault ends. After an
 * API server's crash its clients come back in their own time: the scheduler within some ten seconds.
 */
export async function crashComponent(
  kubernetes: LabKubernetes,
  component: KubernetesComponent,
): Promise<Fault> {
  await kubernetes.kill(component);
  return faultFrom(`${component} is gone`, () => kubernetes.restart(component));
}

/**
 * Makes every older version of every object too old: a watch from one, or a list that continues an
 * earlier one, is answered with 410. Compacts etcd, and restarts the API server, which would answer from
 * its own memory otherwise: connections break once.
 */
export async function forgetHistory(kubernetes: LabKubernetes): Promise<void> {
  const { header } = await etcd<{ header: { revision: string } }>(kubernetes, 'range', {
    key: Buffer.from([0]).toString('base64'),
  });
  await etcd(kubernetes, 'compaction', { revision: header.revision, physical: true });
  await kubernetes.restart('kube-apiserver');
}

async function etcd<T>(kubernetes: LabKubernetes, call: string, body: unknown): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${kubernetes.ports.etcd}/v3/kv/${call}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`etcd ${call}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/**
 * Every request of this user is answered with 429 and `Retry-After: 1`, nobody else's. The user gets a
 * priority level with room for one request, and a request that never says all it has to say sits in it.
 * Resolves when the answer is 429. Not for `admin`: `system:masters` are exempt.
 */
export async function throttleUser(kubernetes: LabKubernetes, user: string): Promise<Fault> {
  const admin = kubernetes.api();
  const name = `throttle-${user}`;
  await admin.ask({
    method: 'POST',
    path: `${FLOW}/prioritylevelconfigurations`,
    body: level(name),
  });
  await admin.ask({ method: 'POST', path: `${FLOW}/flowschemas`, body: schema(name, user) });
  const seat = takeSeat(kubernetes, user);
  const probe = kubernetes.api(user);
  await answers(probe, true);
  return faultFrom(`every request of ${user} is answered with 429`, async () => {
    seat.leave();
    await admin.send({ method: 'DELETE', path: `${FLOW}/flowschemas/${name}` });
    await admin.send({ method: 'DELETE', path: `${FLOW}/prioritylevelconfigurations/${name}` });
    await answers(probe, false);
    for (const client of [admin, probe]) client.close();
  });
}

function level(name: string): unknown {
  return {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'PriorityLevelConfiguration',
    metadata: { name },
    spec: {
      type: 'Limited',
      // no share leaves one seat; nothing may be lent or borrowed
      limited: {
        nominalConcurrencyShares: 0,
        lendablePercent: 0,
        borrowingLimitPercent: 0,
        limitResponse: { type: 'Reject' },
      },
    },
  };
}

function schema(name: string, user: string): unknown {
  return {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name },
    spec: {
      matchingPrecedence: 2, // 1 belongs to "exempt" alone
      priorityLevelConfiguration: { name },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: user } }],
          resourceRules: [
            {
              ...{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
              ...{ clusterScope: true, namespaces: ['*'] },
            },
          ],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    },
  };
}

/**
 * Holds the seat with a request whose body never comes, to a resource that everybody may ask. The server
 * gives up on it after a minute: then the next one takes its place.
 */
function takeSeat(kubernetes: LabKubernetes, user: string): { leave: () => void } {
  let isLeft = false;
  let current: ClientRequest | undefined;
  const sit = (): void => {
    if (isLeft) return;
    current = request(new URL(REVIEWS, kubernetes.url), {
      method: 'POST',
      ca: kubernetes.caPem,
      agent: false,
      headers: {
        authorization: `Bearer ${kubernetes.tokenOf(user)}`,
        'content-type': 'application/json',
        'content-length': '1000',
      },
    });
    current.on('response', (response) => response.resume());
    current.on('error', () => undefined);
    current.on('close', () => setTimeout(sit, 50));
    current.write('{'); // the headers leave with the first byte
  };
  sit();
  return {
    leave: () => {
      isLeft = true;
      current?.destroy();
    },
  };
}

async function answers(api: KubeApi, throttled: boolean): Promise<void> {
  await waitUntil(
    async () => {
      const { status } = await api.send({ method: 'GET', path: '/version' });
      return (status === 429) === throttled ? true : undefined;
    },
    { what: `an answer ${throttled ? '' : 'other than '}429`, withinMs: TAKES_EFFECT_WITHIN_MS },
  );
}
