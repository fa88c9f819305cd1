import { startJaeger, type LabJaeger } from '../jaeger.ts';
import { POOLER_ROLES, type LabPgBouncer } from '../pgbouncer.ts';
import type { LabPostgres } from '../postgres.ts';
import type { LabRedis } from '../redis.ts';
import { startShop, type CheckoutRevision, type Shop } from '../shop/shop.ts';
import { prepareBackstage, type Backstage, type Services } from './services.ts';
import {
  STAGE_ROLES,
  startStagePooler,
  startStagePostgres,
  startStageRedis,
  type StagePooler,
  type StageRedis,
  type Withheld,
} from './patients.ts';
import type { StageThresholds } from './stage-yaml.ts';

export interface StageOptions {
  /** Default `lab`. */
  readonly environment?: string;
  /** Target names; default orders and sessions. */
  readonly names?: { readonly postgres: string; readonly redis: string };
  /** Default 60: a leak fills it within the patience of a test. */
  readonly maxConnections?: number;
  readonly checkout?: CheckoutRevision;
  /** The shop comes to the database through a PgBouncer named `bouncer`. Absent: directly. */
  readonly pooler?: StagePooler;
  /** All connections of the shop come from this one address, as behind a NAT. Absent: each from its own. */
  readonly sharedAddress?: string;
  /** Default nothing. */
  readonly withheld?: Withheld;
  /** Traces of the shop and of the sweeps; default false, since it must be compiled first. */
  readonly jaeger?: boolean;
  /** Told what is being started. */
  readonly onStep?: (says: string) => void;
  /** Of the PostgreSQL target: diagnostic → threshold → value. Default those of the diagnostics. */
  readonly thresholds?: StageThresholds;
  /** Sections of starr.yaml as they stand there. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Patients, the shop on them, and the five services that look at all of it: everything real, on loopback. */
export interface Stage extends AsyncDisposable {
  readonly postgres: LabPostgres;
  readonly pooler: LabPgBouncer | undefined;
  readonly redis: LabRedis;
  readonly jaeger: LabJaeger | undefined;
  readonly shop: Shop;
  readonly services: Services;
  readonly backstage: Backstage;
  stop(): Promise<void>;
}

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const step = options.onStep ?? (() => undefined);
  try {
    const backstage = await prepareBackstage();
    stack.defer(() => backstage.remove());
    step('PostgreSQL and Redis');
    const patients = await startPatients(stack, backstage, options);
    const { postgres, pooler, redis, jaeger } = patients;
    step('the shop');
    const shop = stack.use(await startStageShop(backstage, patients, options));
    step('the five services');
    const services = await backstage.up(yamlOf(options, { ...patients, shop }));
    stack.defer(() => services.stop());
    const owned = stack.move();
    const stop = () => owned.disposeAsync();
    return {
      postgres,
      pooler,
      redis: redis.redis,
      jaeger,
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
  readonly pooler: LabPgBouncer | undefined;
  readonly redis: StageRedis;
  readonly jaeger: LabJaeger | undefined;
}

async function startPatients(
  stack: AsyncDisposableStack,
  backstage: Backstage,
  options: StageOptions,
): Promise<Patients> {
  const [postgres, redis, jaeger] = await Promise.all([
    startStagePostgres(options.maxConnections ?? 60),
    startStageRedis(backstage.folder, options.withheld ?? 'nothing'),
    options.jaeger === true ? startJaeger() : undefined,
  ]);
  stack.use(postgres);
  stack.use(redis.redis);
  if (jaeger) stack.use(jaeger);
  const pooler = options.pooler && stack.use(await startStagePooler(postgres, options.pooler));
  return { postgres, pooler, redis, jaeger };
}

function startStageShop(
  backstage: Backstage,
  { postgres, pooler, redis, jaeger }: Patients,
  options: StageOptions,
): Promise<Shop> {
  const { superuserUrl } = postgres;
  return startShop({
    postgres: pooler ? { superuserUrl, url: (user, name) => pooler.url(user, name) } : postgres,
    redisUrl: redis.redis.url,
    resilienceUrl: `http://127.0.0.1:${backstage.ports.resilience}`,
    tokenFile: backstage.tokenFile,
    checkout: { count: 2, ...options.checkout },
    ...(options.sharedAddress !== undefined && { sharedAddress: options.sharedAddress }),
    ...(jaeger && { otlpUrl: jaeger.otlpGrpcUrl }),
  });
}

function yamlOf(
  options: StageOptions,
  { postgres, pooler, redis, jaeger, shop }: Patients & { readonly shop: Shop },
) {
  const names = options.names ?? { postgres: 'orders', redis: 'sessions' };
  return {
    environment: options.environment ?? 'lab',
    postgres: {
      name: names.postgres,
      url: postgres.url(STAGE_ROLES.diagnosing, 'orders'),
      actingUser: STAGE_ROLES.acting,
      ...(options.thresholds && { thresholds: options.thresholds }),
      ...(pooler && {
        poolers: [{ name: 'bouncer', url: pooler.consoleUrl(), actingUser: POOLER_ROLES.acts }],
      }),
    },
    redis: {
      name: names.redis,
      url: redis.url,
      passwordFile: redis.passwordFile,
      actingUser: STAGE_ROLES.acting,
    },
    processes: {
      expect: { checkout: shop.checkouts.length, worker: 1 },
      dependencies: [{ name: 'payments', url: `${shop.payments.url}/healthz` }],
    },
    ...(jaeger && { jaegerUrl: jaeger.queryUrl, otlpUrl: jaeger.otlpGrpcUrl }),
    ...(options.more && { more: options.more }),
  };
}
