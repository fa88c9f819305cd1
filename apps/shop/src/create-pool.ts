import pg from 'pg';
import { type Log, errorFields } from './log.ts';

const CONNECT_WITHIN_MS = 1000;

/** A pool on the database `orders` that survives the loss of its connections. */
export function createPool(
  { databaseUrl, poolMax }: { readonly databaseUrl: string; readonly poolMax: number },
  applicationName: string,
  log: Log,
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: applicationName,
    max: poolMax,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
  });
  const lost = (error: Error): void => {
    log.warn('database connection lost', errorFields(error));
  };
  pool.on('error', lost);
  // A client that is out has no listener of the pool's: without this its end would end the process.
  pool.on('connect', (client) => client.on('error', lost));
  return pool;
}
