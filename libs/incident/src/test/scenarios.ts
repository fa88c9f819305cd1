import type { CheckResult, Finding } from '@starr/kernel';
import { at, check, entity, measurement } from './build.ts';
import {
  APPLICATION,
  breaker,
  CHECKOUT,
  DEPLOYMENT,
  healthyShop,
  ORDERS,
  PAYMENTS,
  POOL,
  podAddresses,
  revisionOf,
  SESSIONS,
  withResults,
  type ShopOptions,
} from './shop.ts';

const processes = (options: ShopOptions) =>
  Array.from({ length: options.pods ?? 3 }, (_, index) =>
    entity('process', `checkout/${index + 2}`),
  );

function leakFinding(options: ShopOptions): Finding {
  const addresses = podAddresses(options);
  return {
    severity: 'critical',
    about: APPLICATION,
    says: 'checkout leaks connections: 77 sessions, each used once and idle since',
    since: at('03:05:40'),
    measured: [measurement('leakedSessions', APPLICATION, 77, 5)],
    rows: addresses.map((address) => ({ application: 'checkout', address })),
    involves: addresses.flatMap((address) => [
      entity('client', `checkout@${address}`, 'orders'),
      entity('address', address),
    ]),
  };
}

function rollout(): CheckResult {
  return check('k8s.rollouts', 'prod', {
    changes: [
      {
        about: revisionOf(2),
        at: at('03:05:02'),
        says: 'rollout 1→2 of shop/checkout, image 1.8.1→1.8.2, by deploy-bot',
        facts: { namespace: 'shop', deployment: 'checkout', from: 1, to: 2 },
      },
    ],
  });
}

const fullSlots = check('db.connection-use', 'orders', {
  findings: [
    {
      severity: 'critical',
      about: ORDERS,
      says: '93 of 97 usable slots are in use, growing by 12 a minute: full in ~20 s',
      measured: [
        measurement('usedSlots', ORDERS, 93, 92),
        measurement('fullInMs', ORDERS, 20_000, 300_000),
      ],
    },
  ],
});

function errors(revision = 2): CheckResult {
  return check('k8s.error-distribution', 'prod', {
    findings: [
      {
        severity: 'critical',
        about: DEPLOYMENT,
        says: 'shop/checkout logs "timeout acquiring client" ×1167',
        since: at('03:11:20'),
        measured: [measurement('errorsPerMinute', DEPLOYMENT, 290)],
        involves: [revisionOf(revision)],
      },
    ],
  });
}

const userErrors = check('traces.error-rate', 'jaeger', {
  findings: [
    {
      severity: 'critical',
      about: CHECKOUT,
      says: 'checkout: errors 0.2→14 %',
      since: at('03:11:00'),
      measured: [measurement('errorRatio', CHECKOUT, 0.14, 0.05)],
    },
  ],
});

function openBreaker(dependency: string, options: ShopOptions, since: string): Finding {
  return {
    severity: 'critical',
    about: breaker(dependency),
    says: `breaker checkout/${dependency} to ${dependency} is not closed in 3 of 3 processes of checkout`,
    since: at(since),
    measured: [measurement('openProcesses', breaker(dependency), 3, 1)],
    involves: [entity('dependency', dependency), ...processes(options)],
  };
}

function poolsFull(options: ShopOptions): CheckResult {
  return check('resilience.pools', 'processes', {
    findings: [
      {
        severity: 'critical',
        about: POOL,
        says: 'pool checkout/orders: 30/30 in use on 3/3',
        since: at('03:10:50'),
        measured: [measurement('useRatio', POOL, 1)],
        involves: processes(options),
      },
    ],
  });
}

/** Revision 2 of checkout leaks since 03:05; users feel it since 03:11. */
export function leakByRollout(options: ShopOptions = {}): readonly CheckResult[] {
  return withResults(
    healthyShop(options),
    rollout(),
    fullSlots,
    check('db.connection-leak', 'orders', { findings: [leakFinding(options)] }),
    errors(),
    userErrors,
    poolsFull(options),
  );
}

/** The same leak, early: few sessions as yet, and users feel more than the server does. */
export function earlyLeak(options: ShopOptions = {}): readonly CheckResult[] {
  const slow = check('traces.latency', 'jaeger', {
    findings: [
      {
        severity: 'critical',
        about: CHECKOUT,
        says: 'checkout: p99 80→5000 ms',
        since: at('03:10:40'),
        measured: [measurement('p99Ms', CHECKOUT, 5000, 1000)],
      },
    ],
  });
  const few = { ...leakFinding(options), severity: 'warning' as const };
  return withResults(
    leakByRollout(options).map((one) => ({ ...one, relations: [...one.relations] })),
    check('db.connection-leak', 'orders', { findings: [few] }),
    slow,
  );
}

/** payments was away and is back; the breaker before it never closed again. */
export function breakerStuckOpen(options: ShopOptions = {}): readonly CheckResult[] {
  return withResults(healthyShop(options), stuckBreaker(options), userErrors);
}

function stuckBreaker(options: ShopOptions): CheckResult {
  return check('resilience.breakers', 'processes', {
    findings: [openBreaker('payments', options, '03:10:00')],
  });
}

export function dependencyDown(options: ShopOptions = {}): readonly CheckResult[] {
  return withResults(
    healthyShop(options),
    check('resilience.dependencies', 'processes', {
      findings: [
        {
          severity: 'critical',
          about: PAYMENTS,
          says: 'payments does not answer',
          measured: [measurement('answered', PAYMENTS, 0, 1)],
        },
      ],
    }),
    stuckBreaker(options),
    userErrors,
  );
}

export function cacheCannotEvict(options: ShopOptions = {}): readonly CheckResult[] {
  return withResults(
    healthyShop(options),
    check('cache.memory', 'sessions', {
      findings: [
        {
          severity: 'critical',
          about: SESSIONS,
          says: '340 writes refused with OOM: policy noeviction evicts nothing',
          since: at('03:08:00'),
          measured: [
            measurement('pressureRatio', SESSIONS, 0.99, 0.95),
            measurement('evictableRatio', SESSIONS, 0, 0.05),
          ],
        },
      ],
    }),
    userErrors,
  );
}

/** A leak by rollout, and a breaker that has stayed open since long before. */
export function leakAndStuckBreaker(options: ShopOptions = {}): readonly CheckResult[] {
  return withResults(leakByRollout(options), { ...stuckBreaker(options), relations: [] });
}

/** A leak by rollout and a cache that cannot evict, at once. */
export function twoCauses(options: ShopOptions = {}): readonly CheckResult[] {
  const cache = cacheCannotEvict(options).filter(({ diagnostic }) => diagnostic === 'cache.memory');
  return withResults(leakByRollout(options), ...cache.map((one) => ({ ...one, relations: [] })));
}

/** A big static pool: many slots, flat, idle, nobody waiting. Loud errors that are as old as the service. */
export function loudButHealthy(options: ShopOptions = {}): readonly CheckResult[] {
  return withResults(
    healthyShop(options),
    rollout(),
    check('db.connection-use', 'orders', {
      measured: [measurement('usedSlots', ORDERS, 82, 97), measurement('useRatio', ORDERS, 0.85)],
    }),
    check('k8s.error-distribution', 'prod', {
      measured: [measurement('errorsPerMinute', DEPLOYMENT, 400)],
    }),
  );
}
