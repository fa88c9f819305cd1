import type { PoolerState, PoolerStates } from '../reads/poolers.ts';

export interface PoolerSums {
  /** Connections to the server that all poolers hold now. */
  readonly servers: number;
  /** Connections that all pools there are may open, reserves included. */
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
 * What the pools of one pooler may open together, reserves included. A pool comes into being with its first client, and
 * each user of a database has one. With another default size, the databases that have it now follow.
 */
export function allowedBy(
  { databases, pools, defaultPoolSize }: PoolerState,
  anotherDefault = defaultPoolSize,
): number {
  return totalOf(databases, ({ name, poolSize, reserve, maxConnections }) => {
    const users = pools.filter(({ database }) => database === name).length;
    const size = poolSize === defaultPoolSize ? anotherDefault : poolSize;
    const sum = users * (size + reserve);
    return maxConnections > 0 ? Math.min(maxConnections, sum) : sum;
  });
}

function totalOf<T>(all: readonly T[], count: (one: T) => number): number {
  return all.reduce((sum, one) => sum + count(one), 0);
}
