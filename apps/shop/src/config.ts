import { isIP } from 'node:net';
import { podFromEnv } from '@starr/attach';
import { type Fault, parseFaults } from './faults.ts';

const ROLES = ['checkout', 'worker', 'payments', 'traffic', 'setup'] as const;
type Role = (typeof ROLES)[number];

/** What every process of the shop has. */
export interface Place {
  /** Address to listen on; the source of outgoing connections when the preload of the node agent is there. */
  readonly host: string;
  /** 0: any free one; the line `listening` of the log says which. */
  readonly port: number;
  /** Name of this process among those of its role: the pod's name. */
  readonly instance: string;
  readonly revision: string;
  /** Absent: not attached. */
  readonly resilience: Resilience | undefined;
  readonly faults: readonly Fault[];
}

/** How to join the resilience service. */
export interface Resilience {
  /** host:port. */
  readonly address: string;
  /** File with the token for it; absent: none is sent. */
  readonly tokenFile: string | undefined;
  readonly pod: ReturnType<typeof podFromEnv>;
}

export type Config =
  | { readonly role: 'checkout'; readonly place: Place; readonly checkout: CheckoutConfig }
  | { readonly role: 'worker'; readonly place: Place; readonly worker: WorkerConfig }
  | { readonly role: 'payments'; readonly place: Place; readonly payments: PaymentsConfig }
  | { readonly role: 'traffic'; readonly place: Place; readonly traffic: TrafficConfig }
  | { readonly role: 'setup'; readonly adminUrl: string };

export interface CheckoutConfig {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly paymentsUrl: string;
  readonly workerUrl: string;
  readonly poolMax: number;
}

export interface WorkerConfig {
  readonly databaseUrl: string;
  readonly poolMax: number;
  readonly workers: number;
  readonly queueMax: number;
}

export interface PaymentsConfig {
  readonly latencyMs: number;
}

export interface TrafficConfig {
  readonly targets: readonly string[];
  readonly perSecond: number;
  readonly forMs: number;
  readonly maxRequests: number;
  readonly windowMs: number;
  readonly timeoutMs: number;
  /** Same seed, same customers and amounts. */
  readonly seed: number;
}

export type Parsed =
  | { readonly kind: 'valid'; readonly value: Config }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

const KNOWN = new Set([
  ...['SHOP_PORT', 'SHOP_INSTANCE', 'SHOP_REVISION', 'SHOP_DATABASE_URL', 'SHOP_REDIS_URL'],
  ...['SHOP_PAYMENTS_URL', 'SHOP_WORKER_URL', 'SHOP_POOL_MAX', 'SHOP_WORKERS', 'SHOP_QUEUE_MAX'],
  ...[
    'SHOP_PAYMENTS_LATENCY_MS',
    'SHOP_ADMIN_URL',
    'SHOP_TRAFFIC_TARGETS',
    'SHOP_TRAFFIC_PER_SECOND',
  ],
  ...['SHOP_TRAFFIC_FOR_MS', 'SHOP_TRAFFIC_MAX_REQUESTS', 'SHOP_TRAFFIC_WINDOW_MS'],
  ...['SHOP_TRAFFIC_TIMEOUT_MS', 'SHOP_TRAFFIC_SEED'],
]);

/** Reads the role from the command line and all else from the environment; says everything that is wrong at once. */
export function parseConfig(args: readonly string[], env: NodeJS.ProcessEnv): Parsed {
  const from = createReader(env);
  const role = ROLES.find((name) => name === args[0]);
  if (role === undefined || args.length !== 1) {
    from.problems.push(`usage: main.ts ${ROLES.join('|')}, not "${args.join(' ')}"`);
    return { kind: 'invalid', problems: from.problems };
  }
  for (const name of Object.keys(env)) {
    if (name.startsWith('SHOP_') && !KNOWN.has(name))
      from.problems.push(`${name} is not known here`);
  }
  const value = read(role, from);
  return from.problems.length === 0
    ? { kind: 'valid', value }
    : { kind: 'invalid', problems: from.problems };
}

function read(role: Role, from: Reader): Config {
  switch (role) {
    case 'setup':
      return { role, adminUrl: from.text('SHOP_ADMIN_URL') };
    case 'checkout':
      return { role, place: placeOf(role, from), checkout: checkoutOf(from) };
    case 'worker':
      return {
        role,
        place: placeOf(role, from),
        worker: {
          databaseUrl: from.text('SHOP_DATABASE_URL'),
          poolMax: from.count('SHOP_POOL_MAX', 5, 1, 10_000),
          workers: from.count('SHOP_WORKERS', 4, 1, 100),
          queueMax: from.count('SHOP_QUEUE_MAX', 200, 0, 100_000),
        },
      };
    case 'payments':
      return {
        role,
        place: placeOf(role, from),
        payments: { latencyMs: from.count('SHOP_PAYMENTS_LATENCY_MS', 10, 0, 60_000) },
      };
    case 'traffic':
      return { role, place: placeOf(role, from), traffic: trafficOf(from) };
  }
}

function placeOf(role: Role, from: Reader): Place {
  const host = from.text('STARR_POD_IP', '127.0.0.1');
  if (isIP(host) !== 4 || !host.startsWith('127.')) {
    from.problems.push(`STARR_POD_IP is "${host}"; the shop listens on 127.0.0.0/8 only`);
  }
  const faults = parseFaults(from.text('FAULTS', ''));
  if (faults.kind === 'invalid') from.problems.push(`FAULTS: ${faults.problem}`);
  return {
    host,
    port: from.count('SHOP_PORT', 0, 0, 65_535),
    instance: from.text('SHOP_INSTANCE', from.text('HOSTNAME', role)),
    revision: from.text('SHOP_REVISION', '1'),
    resilience: resilienceOf(from),
    faults: faults.kind === 'valid' ? faults.faults : [],
  };
}

function resilienceOf(from: Reader): Resilience | undefined {
  const url = from.optional('STARR_RESILIENCE_URL');
  if (url === undefined) return undefined;
  const address = url.replace(/^\w+:\/\//, '').replace(/\/$/, '');
  if (!/^[^:/]+:\d+$/.test(address)) {
    from.problems.push(`STARR_RESILIENCE_URL is "${url}"; it must name host and port`);
  }
  return { address, tokenFile: from.optional('STARR_TOKEN_FILE'), pod: podFromEnv(from.env) };
}

function checkoutOf(from: Reader): CheckoutConfig {
  return {
    databaseUrl: from.text('SHOP_DATABASE_URL'),
    redisUrl: from.text('SHOP_REDIS_URL'),
    paymentsUrl: from.text('SHOP_PAYMENTS_URL'),
    workerUrl: from.text('SHOP_WORKER_URL'),
    poolMax: from.count('SHOP_POOL_MAX', 40, 1, 10_000),
  };
}

function trafficOf(from: Reader): TrafficConfig {
  return {
    targets: from
      .text('SHOP_TRAFFIC_TARGETS', '')
      .split(',')
      .filter((target) => target !== ''),
    perSecond: from.count('SHOP_TRAFFIC_PER_SECOND', 20, 1, 1000),
    forMs: from.count('SHOP_TRAFFIC_FOR_MS', 600_000, 1, 86_400_000),
    maxRequests: from.count('SHOP_TRAFFIC_MAX_REQUESTS', 100_000, 1, 10_000_000),
    windowMs: from.count('SHOP_TRAFFIC_WINDOW_MS', 1000, 100, 60_000),
    timeoutMs: from.count('SHOP_TRAFFIC_TIMEOUT_MS', 3000, 10, 60_000),
    seed: from.count('SHOP_TRAFFIC_SEED', 1, 0, 2 ** 31),
  };
}

interface Reader {
  readonly env: NodeJS.ProcessEnv;
  readonly problems: string[];
  /** Without a default it must be set. */
  text(name: string, byDefault?: string): string;
  optional(name: string): string | undefined;
  count(name: string, byDefault: number, from: number, to: number): number;
}

function createReader(env: NodeJS.ProcessEnv): Reader {
  const problems: string[] = [];
  const optional = (name: string): string | undefined => {
    const value = env[name];
    return value === '' ? undefined : value;
  };
  return {
    env,
    problems,
    optional,
    text(name, byDefault) {
      const value = optional(name) ?? byDefault;
      if (value === undefined) problems.push(`${name} must be set`);
      return value ?? '';
    },
    count(name, byDefault, from, to) {
      const text = optional(name);
      const value = text === undefined ? byDefault : Number(text);
      if (!Number.isInteger(value) || value < from || value > to) {
        problems.push(
          `${name} is "${text ?? ''}"; allowed are whole numbers from ${from} to ${to}`,
        );
      }
      return value;
    },
  };
}
