import type { PoolerState, PoolerStates } from '../reads/poolers.ts';

export interface PoolerSums {
  /** Connections to the server that all poolers hold now. */
  readonly servers: number;
  /** Connections that all pools there are may open, without reserves. */
  readonly allowed: number;
}

/** Over all poolers before one server. */
export function sumsOf({ poolers }: Pick<PoolerStates, 'poolers'>): PoolerSums {
  return {
    servers: poolers.reduce((sum, { pools }) => sum + totalOf(pools, ({ servers }) => servers), 0),
    allowed: poolers.reduce((sum, pooler) => sum + allowedBy(pooler), 0),
  };
}

/**
 * What the pools of one pooler may open together. A pool comes into being with its first client, and each user of a
 * database has one. `sizes`: in place of the present size of each database.
 */
export function allowedBy(
  { databases, pools }: PoolerState,
  sizes: ReadonlyMap<string, number> = new Map(),
): number {
  return totalOf(databases, ({ name, poolSize, maxConnections }) => {
    const users = pools.filter(({ database }) => database === name).length;
    const sum = users * (sizes.get(name) ?? poolSize);
    return maxConnections > 0 ? Math.min(maxConnections, sum) : sum;
  });
}

function totalOf<T>(all: readonly T[], count: (one: T) => number): number {
  return all.reduce((sum, one) => sum + count(one), 0);
}
