import type { Policies } from '@starr/policies';
import pg from 'pg';
import type { FaultSwitch } from '../faults.ts';
import { type Log, errorFields } from '../log.ts';

// The second look comes soon, so that they do not look like connections that were used once.
const LOOK_AGAIN_AFTER_MS = 1500;
const LOOK_AFTER_EVERY_MS = 5000;

/**
 * A control: a pool of fixed size, opened at the start, as many frameworks have by default. Its
 * connections are idle but looked after, so each has been used many times; nobody ever waits for one.
 * Returns how to stop it.
 */
export function startStaticPool(
  databaseUrl: string,
  faults: FaultSwitch,
  policies: Policies,
  log: Log,
): () => Promise<void> {
  let stop: (() => Promise<void>) | undefined;
  const size = faults.amount('static-pool');
  if (size !== undefined) stop = open(databaseUrl, size, policies, log);
  faults.onSwitch((fault, is) => {
    if (fault.name !== 'static-pool') return;
    void stop?.();
    stop = is === 'on' ? open(databaseUrl, fault.amount, policies, log) : undefined;
  });
  return async () => stop?.();
}

function open(
  databaseUrl: string,
  size: number,
  policies: Policies,
  log: Log,
): () => Promise<void> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: 'reports',
    max: size,
    idleTimeoutMillis: 0, // never
  });
  pool.on('error', (error) => {
    log.warn('database connection lost', errorFields(error));
  });
  if (!policies.list().some((policy) => policy.name === 'reports')) {
    policies.watchPool('reports', pool);
  }
  const lookAfter = async (): Promise<void> => {
    const clients = await Promise.allSettled(Array.from({ length: size }, () => pool.connect()));
    await Promise.allSettled(
      clients.map(async (client) => {
        if (client.status === 'rejected') return;
        await client.value.query('SELECT 1');
        client.value.release();
      }),
    );
  };
  void lookAfter();
  const soon = setTimeout(() => void lookAfter(), LOOK_AGAIN_AFTER_MS);
  const timer = setInterval(() => void lookAfter(), LOOK_AFTER_EVERY_MS);
  return async () => {
    clearTimeout(soon);
    clearInterval(timer);
    await pool.end();
  };
}
