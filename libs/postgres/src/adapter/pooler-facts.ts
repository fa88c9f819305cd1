import type { ConsoleRow } from '../pooler-request.ts';
import { numberOf } from '../reads/console-row.ts';

/** What acts and probes compare, by name, whatever columns this version has. */
export interface DatabaseFacts {
  readonly poolSize: number;
  readonly paused: boolean;
}

export function databaseFacts(
  rows: readonly ConsoleRow[],
  name: string,
): DatabaseFacts | undefined {
  const row = rows.find((each) => each['name'] === name);
  return row && { poolSize: numberOf(row, 'pool_size'), paused: numberOf(row, 'paused') > 0 };
}

export function defaultPoolSize(config: readonly ConsoleRow[]): number {
  return numberOf(config.find((row) => row['key'] === 'default_pool_size') ?? {}, 'value');
}

/** Connections to the server that clients of a database have at this moment. */
export function busyServers(pools: readonly ConsoleRow[], database: string): number {
  return pools
    .filter((row) => row['database'] === database)
    .reduce((sum, row) => sum + numberOf(row, 'sv_active'), 0);
}
