import {
  type Network,
  type ShopPlace,
  type ShopProcess,
  createNetwork,
  plainPlace,
  runShopProcess,
  startShopProcess,
} from './shop-process.ts';
import { type Traffic, type TrafficOptions, startTraffic } from './traffic.ts';

export interface ShopOptions {
  /** A LabPostgres, or whatever else names a superuser and can name others. */
  readonly postgres: {
    readonly superuserUrl: string;
    url(user?: string, database?: string): string;
  };
  readonly redisUrl: string;
  /** OTLP over gRPC, e.g. `http://127.0.0.1:4317`. Absent: no spans leave the processes. */
  readonly otlpUrl?: string;
  /** Where the resilience service takes attachments. Absent: nobody attaches. */
  readonly resilienceUrl?: string;
  /** File with the token for it. */
  readonly tokenFile?: string;
  /**
   * All connections of checkout and worker come from this one address, as behind a NAT, so that it
   * tells nothing of the process. Absent: each from its own.
   */
  readonly sharedAddress?: string;
  /** The first revision of checkout. */
  readonly checkout?: CheckoutRevision;
}

/** What a rollout changes. */
export interface CheckoutRevision {
  /** Default `1`. */
  readonly revision?: string;
  /** Processes. Default 1. */
  readonly count?: number;
  /** As FAULTS spells them, e.g. `leak-connections:3`. Default none. */
  readonly faults?: string;
  /** Largest size of each process's pool. Default 40. */
  readonly poolMax?: number;
}

/** The shop as plain processes, each with its own loopback address as if it were a pod. */
export interface Shop extends AsyncDisposable {
  readonly checkouts: readonly ShopProcess[];
  readonly worker: ShopProcess;
  readonly payments: ShopProcess;
  /** Steady users of all checkouts, also of later ones; ends with the shop. */
  startTraffic(options?: Omit<TrafficOptions, 'targets'>): Promise<Traffic>;
  /** A rollout: the new processes first, then traffic is aimed at them, then the old ones end. */
  replaceCheckouts(revision: CheckoutRevision): Promise<void>;
  /** Makes the payment provider refuse everything, or slow, or well again. */
  setPayments(health: { readonly healthy?: boolean; readonly latencyMs?: number }): Promise<void>;
  stop(): Promise<void>;
}

/** Makes the shop's database and starts its processes on servers that run already. */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const network = createNetwork();
  await runShopProcess({
    ...plainPlace('setup', network.next()),
    env: { SHOP_ADMIN_URL: options.postgres.superuserUrl },
  });
  const common = {
    OTEL_EXPORTER_OTLP_ENDPOINT: options.otlpUrl,
    STARR_RESILIENCE_URL: options.resilienceUrl,
    STARR_TOKEN_FILE: options.tokenFile,
    STARR_SOURCE_IP: options.sharedAddress,
  };
  const [worker, payments] = await Promise.all([
    startShopProcess({
      ...plainPlace('worker', network.next()),
      env: { ...common, SHOP_DATABASE_URL: options.postgres.url('worker', 'orders') },
    }),
    // Outside the cluster: it attaches to nothing of ours.
    startShopProcess({
      ...plainPlace('payments', network.next()),
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: options.otlpUrl },
    }),
  ]);
  const startCheckouts = (revision: CheckoutRevision): Promise<ShopProcess[]> =>
    startAll(revision, network, {
      ...common,
      SHOP_DATABASE_URL: options.postgres.url('checkout', 'orders'),
      SHOP_REDIS_URL: options.redisUrl,
      SHOP_PAYMENTS_URL: payments.url,
      SHOP_WORKER_URL: worker.url,
    });
  const first = await startCheckouts(options.checkout ?? {});
  return shopFrom({ worker, payments, first, startCheckouts, network });
}

interface Parts {
  readonly worker: ShopProcess;
  readonly payments: ShopProcess;
  readonly first: readonly ShopProcess[];
  readonly startCheckouts: (revision: CheckoutRevision) => Promise<ShopProcess[]>;
  readonly network: Network;
}

function shopFrom({ worker, payments, first, startCheckouts, network }: Parts): Shop {
  let checkouts = first;
  const traffics: Traffic[] = [];
  const targets = (): string[] => checkouts.map((process) => process.url);
  const stop = async (): Promise<void> => {
    await Promise.all(traffics.map((traffic) => traffic.stop()));
    await Promise.all([...checkouts, worker, payments].map((process) => process.stop()));
  };
  return {
    get checkouts() {
      return checkouts;
    },
    worker,
    payments,
    async startTraffic(asked) {
      const traffic = await startTraffic(network.next(), { ...asked, targets: targets() });
      traffics.push(traffic);
      return traffic;
    },
    async replaceCheckouts(revision) {
      const old = checkouts;
      checkouts = await startCheckouts(revision);
      await Promise.all(traffics.map((traffic) => traffic.aim(targets())));
      await Promise.all(old.map((process) => process.stop()));
    },
    setPayments: async (health) => {
      await payments.post('/health', health);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function startAll(
  { revision = '1', count = 1, faults, poolMax }: CheckoutRevision,
  network: Network,
  env: ShopPlace['env'],
): Promise<ShopProcess[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      startShopProcess({
        role: 'checkout',
        instance: `checkout-${revision}-${index + 1}`,
        revision,
        address: network.next(),
        env: {
          ...env,
          FAULTS: faults,
          SHOP_POOL_MAX: poolMax === undefined ? undefined : String(poolMax),
        },
      }),
    ),
  );
}
