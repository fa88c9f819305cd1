import type { PoolerConfig, PostgresConfig } from '../postgres-config.ts';
import type { PgErrorContext } from './pg-error.ts';

export const DEFAULT_POOLER_PORT = 6432;

/** Its console, as a database of that name, which every PgBouncer has. */
export function consoleConfig(pooler: PoolerConfig): PostgresConfig {
  const { host, port = DEFAULT_POOLER_PORT, tls, diagnosing, connectTimeoutMs } = pooler;
  return {
    host,
    port,
    database: 'pgbouncer',
    diagnosing,
    ...(tls && { tls }),
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
  };
}

/** Whom errors of an act on it are about. */
export function consoleContext({
  host,
  port = DEFAULT_POOLER_PORT,
  acting,
  diagnosing,
}: PoolerConfig): PgErrorContext {
  return { host, port, database: 'pgbouncer', role: (acting ?? diagnosing).user };
}
