import type { CheckResult, Entity, Relation } from '@starr/kernel';
import { at, check, entity, measurement, relation } from './build.ts';

/** The shop as the doctors see it: services in pods, a PostgreSQL, a Redis, an external dependency. */
export interface ShopOptions {
  /** Pods of checkout. Default: 3. */
  readonly pods?: number;
  /** One address for all connections, as behind NAT. Default: each pod has its own. */
  readonly shared?: boolean;
  /** What a process knows of itself: its pod and its address, or only where its stream comes from. Default: peer. */
  readonly attached?: 'pod' | 'peer';
  /** The revision that the pods run. Default: 2. */
  readonly revision?: number;
}

export const ORDERS = entity('postgres', 'orders');
export const SESSIONS = entity('redis', 'sessions');
export const CHECKOUT = entity('service', 'checkout');
const WORKER = entity('service', 'worker');
export const DEPLOYMENT = entity('deployment', 'shop/checkout', 'prod');
export const APPLICATION = entity('application', 'checkout', 'orders');
export const PAYMENTS = entity('dependency', 'payments');
export const POOL = entity('pool', 'checkout/orders');
const QUEUE = entity('queue', 'worker/mails');
const SHARED = '10.0.0.9';

export function revisionOf(number: number): Entity {
  return entity('revision', `shop/checkout#${number}`, 'prod');
}

export function breaker(dependency: string): Entity {
  return entity('breaker', `checkout/${dependency}`);
}

export function podAddresses({ pods = 3, shared = false }: ShopOptions = {}): readonly string[] {
  if (shared) return [SHARED];
  return Array.from({ length: pods }, (_, index) => `127.0.3.${index + 2}`);
}

/** What `relate` of the reads says of the healthy shop, per doctor. */
export function topology(options: ShopOptions = {}): {
  readonly db: readonly Relation[];
  readonly cache: readonly Relation[];
  readonly k8s: readonly Relation[];
  readonly resilience: readonly Relation[];
  readonly traces: readonly Relation[];
} {
  const { pods = 3, shared = false, revision = 2, attached = 'peer' } = options;
  const numbers = Array.from({ length: pods }, (_, index) => index + 2);
  const from = (number: number) =>
    entity('address', shared && attached === 'peer' ? SHARED : `127.0.3.${number}`);
  const pod = (number: number) => entity('pod', `shop/checkout-${number}`, 'prod');
  const process = (number: number) => entity('process', `checkout/${number}`);
  const clients = (scope: string) =>
    podAddresses(options).map((address) => ({
      client: entity('client', `checkout@${address}`, scope),
      address: entity('address', address),
    }));
  return {
    db: clients('orders').flatMap(({ client, address }) => [
      relation(client, 'of', APPLICATION),
      relation(APPLICATION, 'uses', ORDERS),
      relation(client, 'connects-from', address),
    ]),
    cache: clients('sessions').flatMap(({ client, address }) => [
      relation(client, 'connects-from', address),
      relation(client, 'uses', SESSIONS),
    ]),
    k8s: [
      relation(DEPLOYMENT, 'provides', CHECKOUT),
      relation(revisionOf(1), 'of', DEPLOYMENT, at('02:00:00')),
      relation(revisionOf(2), 'of', DEPLOYMENT, at('03:05:02')),
      ...numbers.flatMap((number) => [
        relation(pod(number), 'at', entity('address', `127.0.3.${number}`), at('03:05:05')),
        relation(pod(number), 'of', DEPLOYMENT),
        relation(pod(number), 'runs', revisionOf(revision)),
      ]),
    ],
    resilience: [
      ...numbers.flatMap((number) => [
        relation(process(number), 'of', CHECKOUT),
        relation(process(number), 'at', from(number)),
        ...(attached === 'pod' ? [relation(process(number), 'runs-in', pod(number))] : []),
        ...[breaker('payments'), POOL].flatMap((policy) => [
          relation(policy, 'in', process(number)),
          relation(policy, 'of', CHECKOUT),
        ]),
      ]),
      relation(breaker('payments'), 'guards', PAYMENTS),
      relation(POOL, 'connects-to', ORDERS),
      relation(entity('process', 'worker/9'), 'of', WORKER),
      relation(entity('process', 'worker/9'), 'at', entity('address', '127.0.4.9')),
      relation(QUEUE, 'in', entity('process', 'worker/9')),
      relation(QUEUE, 'of', WORKER),
    ],
    traces: [
      relation(CHECKOUT, 'calls', entity('service', 'payments')),
      relation(WORKER, 'calls', CHECKOUT),
    ],
  };
}

/** Every check of the five doctors, all healthy. */
export function healthyShop(options: ShopOptions = {}): readonly CheckResult[] {
  const { db, cache, k8s, resilience, traces } = topology(options);
  return [
    check('db.connection-use', 'orders', {
      measured: [measurement('usedSlots', ORDERS, 16, 97)],
      relations: db,
      footprint: { queries: 9, serverMs: 11 },
    }),
    check('db.connection-leak', 'orders', { measured: [measurement('leakedSessions', ORDERS, 0)] }),
    check('db.idle-sessions', 'orders', { measured: [measurement('idleSessions', ORDERS, 12)] }),
    check('db.long-running-queries', 'orders', {
      measured: [measurement('longestActiveMs', ORDERS, 300)],
    }),
    check('cache.memory', 'sessions', {
      measured: [measurement('pressureRatio', SESSIONS, 0.4)],
      relations: cache,
    }),
    check('cache.hit-rate', 'sessions', { measured: [measurement('hitRatio', SESSIONS, 0.93)] }),
    check('k8s.pod-status', 'prod', {
      measured: [measurement('troubledPods', DEPLOYMENT, 0)],
      relations: k8s,
    }),
    check('k8s.restarts', 'prod', { measured: [measurement('restarts', DEPLOYMENT, 0)] }),
    check('k8s.rollouts', 'prod', { measured: [measurement('rollouts', DEPLOYMENT, 0)] }),
    check('k8s.error-distribution', 'prod', {
      measured: [measurement('errorsPerMinute', DEPLOYMENT, 0)],
    }),
    check('resilience.breakers', 'processes', {
      measured: [
        measurement('openProcesses', breaker('payments'), 0),
        measurement('attachedProcesses', CHECKOUT, 3),
      ],
      relations: resilience,
    }),
    check('resilience.queues', 'processes', {
      measured: [measurement('waiting', QUEUE, 0)],
    }),
    check('resilience.pools', 'processes', {
      measured: [measurement('useRatio', POOL, 0.3)],
    }),
    check('resilience.dependencies', 'processes', {
      measured: [measurement('answered', PAYMENTS, 1, 1), measurement('answerMs', PAYMENTS, 12)],
    }),
    check('traces.error-rate', 'jaeger', {
      measured: [measurement('errorRatio', CHECKOUT, 0.002)],
      relations: traces,
    }),
    check('traces.latency', 'jaeger', { measured: [measurement('p99Ms', CHECKOUT, 80)] }),
  ];
}

/** The same sweep, with some of its results replaced. */
export function withResults(
  results: readonly CheckResult[],
  ...changed: readonly CheckResult[]
): readonly CheckResult[] {
  return results.map((result) => {
    const instead = changed.find(
      ({ diagnostic, target }) => diagnostic === result.diagnostic && target === result.target,
    );
    return instead === undefined
      ? result
      : { ...instead, relations: [...result.relations, ...instead.relations] };
  });
}
