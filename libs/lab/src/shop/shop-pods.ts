import type { KubeApi } from '../kubernetes/kube-api.ts';
import type { KubernetesOptions, LabKubernetes } from '../kubernetes/start-kubernetes.ts';
import { waitUntil } from '../wait-until.ts';
import { type ServiceProxy, startServiceProxy } from './service-proxy.ts';
import { SHOP_PORT, type ShopWorkload, deploymentOf, envList, serviceOf } from './shop-objects.ts';
import {
  type ShopProcess,
  createNetwork,
  plainPlace,
  runShopProcess,
  startShopProcess,
} from './shop-process.ts';
import { type Traffic, type TrafficOptions, startTraffic } from './traffic.ts';
import type { ShopOptions } from './shop.ts';

/**
 * For `startKubernetes`: a cluster that does not try to write endpoints. The API server refuses the
 * pods' loopback addresses there, and the controllers would fill the events with their failures.
 */
export const WITHOUT_ENDPOINTS = {
  flags: {
    'kube-controller-manager': [
      '--controllers=*,-node-ipam-controller,-endpoints-controller,-endpointslice-controller',
    ],
  },
} as const satisfies KubernetesOptions;

const ROLLED_OUT_WITHIN_MS = 90_000;

export interface ShopPodsOptions extends Omit<ShopOptions, 'checkout'> {
  /** Its nodes must know the images: `startLabNodes(kubernetes, { images: shopImages(...) })`. */
  readonly kubernetes: LabKubernetes;
  /** Made when it is not there. Default `shop`. */
  readonly namespace?: string;
  /** Pods of checkout. Default 3. */
  readonly checkouts?: number;
  /** The first image of checkout and worker. Default `1.8.1`. */
  readonly tag?: string;
  /** Largest size of each checkout's pool. Default 40. */
  readonly poolMax?: number;
}

export interface Rollout {
  /** The new image of checkout, e.g. `1.8.2`. Absent: the same. */
  readonly tag?: string;
  /** Variables that are set beside those there are, e.g. `{ FAULTS: 'errors' }`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whom the API server notes as the writer. Default `deploy-bot`. */
  readonly by?: string;
}

/** The shop in a cluster: checkout and worker are Deployments, payments stay outside. */
export interface ShopPods extends AsyncDisposable {
  readonly namespace: string;
  /** Where users reach checkout, whatever pods there are. */
  readonly url: string;
  readonly payments: ShopProcess;
  /** Addresses of the checkout pods that are ready now. */
  readonly readyCheckouts: () => readonly string[];
  /** Steady users; ends with the shop. */
  startTraffic(options?: Omit<TrafficOptions, 'targets'>): Promise<Traffic>;
  /** A new revision of checkout; resolves when it is rolled out and nothing of the old one is left. */
  rollOut(rollout: Rollout): Promise<void>;
  /** Resolves when what the Deployment says is what runs, e.g. after somebody else's rollback. */
  rolledOut(): Promise<void>;
  setPayments(health: { readonly healthy?: boolean; readonly latencyMs?: number }): Promise<void>;
  /** Ends what runs outside and deletes the namespace's Deployments; the cluster stays. */
  stop(): Promise<void>;
}

/** Makes the shop's database, its namespace and its objects, and waits until all pods are ready. */
export async function startShopPods(options: ShopPodsOptions): Promise<ShopPods> {
  const { kubernetes, namespace = 'shop', tag = '1.8.1' } = options;
  const api = kubernetes.api();
  const network = createNetwork();
  const [payments] = await Promise.all([
    startShopProcess({
      ...plainPlace('payments', network.next()),
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: options.otlpUrl },
    }),
    runShopProcess({
      ...plainPlace('setup', network.next()),
      env: { SHOP_ADMIN_URL: options.postgres.superuserUrl },
    }),
    apply(api, '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    }),
  ]);
  const proxyOf = (app: ShopWorkload['name']): Promise<ServiceProxy> =>
    startServiceProxy(api, { namespace, app, targetPort: SHOP_PORT });
  const [checkout, worker] = await Promise.all([proxyOf('checkout'), proxyOf('worker')]);
  for (const workload of workloadsOf(options, tag, { namespace, payments, worker })) {
    await apply(api, `/api/v1/namespaces/${namespace}/services`, serviceOf(workload));
    await apply(api, deployments(namespace), deploymentOf(workload));
  }
  const shop = shopFrom({ api, namespace, payments, checkout, worker, network });
  await Promise.all([rolledOut(api, namespace, 'worker'), shop.rolledOut()]);
  return shop;
}

function workloadsOf(
  options: ShopPodsOptions,
  tag: string,
  {
    namespace,
    payments,
    worker,
  }: { namespace: string; payments: ShopProcess; worker: ServiceProxy },
): ShopWorkload[] {
  const common = {
    OTEL_EXPORTER_OTLP_ENDPOINT: options.otlpUrl,
    STARR_RESILIENCE_URL: options.resilienceUrl,
    STARR_TOKEN_FILE: options.tokenFile,
    STARR_SOURCE_IP: options.sharedAddress,
  };
  return [
    {
      name: 'worker',
      namespace,
      image: `shop/worker:${tag}`,
      replicas: 1,
      env: { ...common, SHOP_DATABASE_URL: options.postgres.url('worker', 'orders') },
    },
    {
      name: 'checkout',
      namespace,
      image: `shop/checkout:${tag}`,
      replicas: options.checkouts ?? 3,
      env: {
        ...common,
        SHOP_DATABASE_URL: options.postgres.url('checkout', 'orders'),
        SHOP_REDIS_URL: options.redisUrl,
        SHOP_PAYMENTS_URL: payments.url,
        SHOP_WORKER_URL: worker.url,
        SHOP_POOL_MAX: options.poolMax === undefined ? undefined : String(options.poolMax),
      },
    },
  ];
}

interface Parts {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly payments: ShopProcess;
  readonly checkout: ServiceProxy;
  readonly worker: ServiceProxy;
  readonly network: ReturnType<typeof createNetwork>;
}

function shopFrom({ api, namespace, payments, checkout, worker, network }: Parts): ShopPods {
  const traffics: Traffic[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(traffics.map((traffic) => traffic.stop()));
    await Promise.all([checkout.stop(), worker.stop(), payments.stop()]);
    // The cluster may have been stopped first.
    await api.send({ method: 'DELETE', path: deployments(namespace) }).catch(() => undefined);
  };
  return {
    namespace,
    url: checkout.url,
    payments,
    readyCheckouts: checkout.ready,
    async startTraffic(asked) {
      const traffic = await startTraffic(network.next(), { ...asked, targets: [checkout.url] });
      traffics.push(traffic);
      return traffic;
    },
    async rollOut(rollout) {
      await patchCheckout(api, namespace, rollout);
      await rolledOut(api, namespace, 'checkout');
    },
    rolledOut: () => rolledOut(api, namespace, 'checkout'),
    setPayments: async (health) => {
      await payments.post('/health', health);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function patchCheckout(api: KubeApi, namespace: string, rollout: Rollout): Promise<void> {
  const container = {
    name: 'checkout',
    ...(rollout.tag === undefined ? {} : { image: `shop/checkout:${rollout.tag}` }),
    ...(rollout.env === undefined ? {} : { env: envList(rollout.env) }),
  };
  await api.ask({
    method: 'PATCH',
    path: `${deployments(namespace)}/checkout?fieldManager=${rollout.by ?? 'deploy-bot'}`,
    patch: 'strategic',
    body: { spec: { template: { spec: { containers: [container] } } } },
  });
}

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

/** As `kubectl rollout status` decides it. */
async function rolledOut(api: KubeApi, namespace: string, name: string): Promise<void> {
  await waitUntil(
    async () => {
      const path = `${deployments(namespace)}/${name}`;
      const { metadata, spec, status } = await api.ask<Deployment>({ method: 'GET', path });
      const seen = status.observedGeneration === metadata.generation;
      const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
      return (seen && counts.every((count) => count === spec.replicas)) || undefined;
    },
    { what: `${name} rolled out`, withinMs: ROLLED_OUT_WITHIN_MS },
  );
}

function deployments(namespace: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments`;
}

/** Makes an object unless there is one of that name. */
async function apply(api: KubeApi, path: string, body: object): Promise<void> {
  const answer = await api.send({ method: 'POST', path, body });
  if (answer.status >= 400 && answer.status !== 409) {
    throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
}
