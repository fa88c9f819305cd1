import { startJaeger, type LabJaeger } from '../jaeger.ts';
import { startKubernetes, type LabKubernetes } from '../kubernetes/start-kubernetes.ts';
import { startLabNodes, type LabNodes } from '../node-agent/start-lab-nodes.ts';
import type { LabPostgres } from '../postgres.ts';
import type { LabRedis } from '../redis.ts';
import { startShopPods, WITHOUT_ENDPOINTS, type ShopPods } from '../shop/shop-pods.ts';
import { shopImages } from '../shop/shop-program.ts';
import { CLUSTER_USERS, grantClusterUsers } from './cluster-roles.ts';
import {
  STAGE_ROLES,
  startStagePostgres,
  startStageRedis,
  type StageRedis,
  type Withheld,
} from './patients.ts';
import { prepareBackstage, type Backstage, type Services } from './services.ts';

export interface ClusterStageOptions {
  /** Default `lab`. */
  readonly environment?: string;
  /** Target names; default orders, sessions and the environment's name for the cluster. */
  readonly names?: { readonly postgres: string; readonly redis: string; readonly cluster: string };
  /** Image → FAULTS of it, e.g. `{ 'shop/checkout:1.8.2': 'leak-connections:3' }`. */
  readonly faulty?: Readonly<Record<string, string>>;
  /** Default 100. */
  readonly maxConnections?: number;
  /** Pods of checkout; default 3. */
  readonly checkouts?: number;
  /** Largest pool of one checkout; default 40. */
  readonly poolMax?: number;
  /** All connections of the pods come from this one address, as behind a NAT. Absent: each from its own. */
  readonly sharedAddress?: string;
  /** Default nothing. */
  readonly withheld?: Withheld;
  /** Default true. */
  readonly jaeger?: boolean;
  readonly namespace?: string;
  readonly onStep?: (says: string) => void;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** The whole: patients, a real control plane, the shop as pods, Jaeger, and the five services that look at it. */
export interface ClusterStage extends AsyncDisposable {
  readonly postgres: LabPostgres;
  readonly redis: LabRedis;
  readonly jaeger: LabJaeger | undefined;
  readonly kubernetes: LabKubernetes;
  readonly nodes: LabNodes;
  readonly shop: ShopPods;
  readonly services: Services;
  readonly backstage: Backstage;
  stop(): Promise<void>;
}

export async function startClusterStage(options: ClusterStageOptions = {}): Promise<ClusterStage> {
  const stack = new AsyncDisposableStack();
  const step = options.onStep ?? (() => undefined);
  const namespace = options.namespace ?? 'shop';
  try {
    const backstage = await prepareBackstage();
    stack.defer(() => backstage.remove());
    step('PostgreSQL, Redis, Jaeger and the control plane');
    const patients = await startAll(stack, backstage, options);
    const { postgres, redis, jaeger, kubernetes } = patients;
    await grantClusterUsers(kubernetes.api(), namespace);
    const nodes = stack.use(
      await startLabNodes(kubernetes, {
        images: shopImages(options.faulty ?? {}),
        backOff: { baseMs: 2000 },
      }),
    );
    step('the shop as pods');
    const shop = stack.use(await startShop(backstage, patients, namespace, options));
    step('the five services');
    const services = await backstage.up(await yamlOf(patients, shop, namespace, options));
    stack.defer(() => services.stop());
    const owned = stack.move();
    const stop = () => owned.disposeAsync();
    return {
      postgres,
      redis: redis.redis,
      jaeger,
      kubernetes,
      nodes,
      shop,
      services,
      backstage,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

interface Patients {
  readonly postgres: LabPostgres;
  readonly redis: StageRedis;
  readonly jaeger: LabJaeger | undefined;
  readonly kubernetes: LabKubernetes;
}

async function startAll(
  stack: AsyncDisposableStack,
  backstage: Backstage,
  options: ClusterStageOptions,
): Promise<Patients> {
  const [postgres, redis, jaeger, kubernetes] = await Promise.all([
    startStagePostgres(options.maxConnections ?? 100),
    startStageRedis(backstage.folder, options.withheld ?? 'nothing'),
    options.jaeger === false ? undefined : startJaeger(),
    startKubernetes({ ...WITHOUT_ENDPOINTS, users: [CLUSTER_USERS.acting] }),
  ]);
  stack.use(postgres);
  stack.use(redis.redis);
  if (jaeger) stack.use(jaeger);
  stack.use(kubernetes);
  return { postgres, redis, jaeger, kubernetes };
}

function startShop(
  backstage: Backstage,
  patients: Patients,
  namespace: string,
  options: ClusterStageOptions,
): Promise<ShopPods> {
  const { postgres, redis, jaeger, kubernetes } = patients;
  return startShopPods({
    kubernetes,
    postgres,
    redisUrl: redis.redis.url,
    namespace,
    resilienceUrl: `http://127.0.0.1:${backstage.ports.resilience}`,
    tokenFile: backstage.tokenFile,
    checkouts: options.checkouts ?? 3,
    ...(options.poolMax !== undefined && { poolMax: options.poolMax }),
    ...(options.sharedAddress !== undefined && { sharedAddress: options.sharedAddress }),
    ...(jaeger && { otlpUrl: jaeger.otlpGrpcUrl }),
  });
}

async function yamlOf(
  { postgres, redis, jaeger, kubernetes }: Patients,
  shop: ShopPods,
  namespace: string,
  options: ClusterStageOptions,
) {
  const environment = options.environment ?? 'lab';
  const names = options.names ?? { postgres: 'orders', redis: 'sessions', cluster: environment };
  return {
    environment,
    postgres: {
      name: names.postgres,
      url: postgres.url(STAGE_ROLES.diagnosing, 'orders'),
      actingUser: STAGE_ROLES.acting,
    },
    redis: {
      name: names.redis,
      url: redis.url,
      passwordFile: redis.passwordFile,
      actingUser: STAGE_ROLES.acting,
    },
    kubernetes: {
      name: names.cluster,
      kubeconfig: await kubernetes.kubeconfigFor(CLUSTER_USERS.diagnosing, namespace),
      actingKubeconfig: await kubernetes.kubeconfigFor(CLUSTER_USERS.acting, namespace),
      namespaces: [namespace],
    },
    processes: {
      expect: { checkout: options.checkouts ?? 3, worker: 1 },
      dependencies: [{ name: 'payments', url: `${shop.payments.url}/healthz` }],
    },
    ...(jaeger && { jaegerUrl: jaeger.queryUrl, otlpUrl: jaeger.otlpGrpcUrl }),
    ...(options.more && { more: options.more }),
  };
}
