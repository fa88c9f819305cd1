import { type BreakerOptions, createPolicies } from '@starr/policies';
import { Redis } from 'ioredis';
import type { CheckoutConfig, Place } from '../config.ts';
import { createPool } from '../create-pool.ts';
import type { FaultSwitch } from '../faults.ts';
import { type Log, errorFields } from '../log.ts';
import type { RunningRole } from '../running-role.ts';
import { startForgottenTransactions } from './forgotten-transaction.ts';
import { startLoudErrors } from './loud-errors.ts';
import { OrderStore } from './order-store.ts';
import { placeOrder } from './place-order.ts';
import { SessionStore } from './session-store.ts';
import { startStaticPool } from './static-pool.ts';

const CONNECT_WITHIN_MS = 1000;
const ORDINARY_RECOVERY_MS = 1000;
const LONGEST_RECOVERY_MS = 3_600_000;

/** Builds what a checkout process is made of. Nothing connects before it is used. */
export function composeCheckout(
  config: CheckoutConfig,
  place: Place,
  faults: FaultSwitch,
  log: Log,
): RunningRole {
  const policies = createPolicies({ service: 'checkout' });
  const pool = createPool(config, 'checkout', log);
  policies.watchPool('orders', pool);
  const redis = createRedis(config.redisUrl, place, log);
  const use = {
    orders: new OrderStore(pool, policies.breaker('orders', { recoveryMaxMs: 5000 }), faults),
    sessions: new SessionStore(redis, faults, log),
    payments: {
      url: config.paymentsUrl,
      breaker: policies.breaker('payments', paymentsBreaker(faults)),
    },
    worker: { url: config.workerUrl, breaker: policies.breaker('worker', { recoveryMaxMs: 5000 }) },
    log,
  };
  policies.onTransition((transition) => {
    log.warn(`breaker ${transition.breaker} is ${transition.to}`, { from: transition.from });
  });
  const stopErrors = startLoudErrors(faults, log);
  const stopReports = startForgottenTransactions(config.databaseUrl, faults, log);
  const stopStaticPool = startStaticPool(config.databaseUrl, faults, policies, log);
  return {
    policies,
    routes: { 'POST /checkout': (body) => placeOrder(body, use) },
    async stop() {
      stopErrors();
      redis.disconnect();
      // A leaked connection never comes back to the pool; the end of the process closes it.
      void pool.end();
      await Promise.all([stopReports(), stopStaticPool()]);
    },
  };
}

function createRedis(url: string, place: Place, log: Log): Redis {
  const redis = new Redis(url, {
    connectionName: `checkout:${place.instance}`,
    connectTimeout: CONNECT_WITHIN_MS,
    commandTimeout: CONNECT_WITHIN_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(50 * times, 1000),
  });
  redis.on('error', (error: Error) => {
    log.warn('redis connection lost', errorFields(error));
  });
  return redis;
}

/**
 * A breaker draws the wait before its first probe between 0 and recoveryMs. With an hour for
 * recoveryMs the draw decides: ordinarily at most a second, with the fault on as long as it says.
 */
function paymentsBreaker(faults: FaultSwitch): BreakerOptions {
  return {
    recoveryMs: LONGEST_RECOVERY_MS,
    recoveryMaxMs: LONGEST_RECOVERY_MS,
    probeLeaseMs: 5000,
    random: () => {
      const stuckS = faults.amount('breaker-stuck');
      return stuckS === undefined
        ? (Math.random() * ORDINARY_RECOVERY_MS) / LONGEST_RECOVERY_MS
        : Math.min(0.999_999, (stuckS * 1000) / LONGEST_RECOVERY_MS);
    },
  };
}
