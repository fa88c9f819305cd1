import type { PlanRefused } from '@starr/kernel';
import type { PoolerDatabase, PoolerPool, PoolerState, PoolerStates } from '../reads/poolers.ts';

export interface AskedPooler {
  readonly pooler?: string | undefined;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
}

export interface FoundPool {
  readonly pooler: PoolerState;
  readonly database: PoolerDatabase;
  readonly pool: PoolerPool;
}

/** The pool that is meant: of those that fit, the one with the most waiting clients. */
export function findPool(
  asked: AskedPooler,
  { poolers, blind }: PoolerStates,
): FoundPool | PlanRefused {
  if (poolers.length + blind.length === 0)
    return { refused: 'no pooler is configured for this target' };
  const pooler = asked.pooler === undefined ? onlyOne(poolers) : named(asked.pooler, poolers);
  if (pooler === undefined) return { refused: `${whichPooler(asked, poolers)}${unseen(blind)}` };
  const fitting = pooler.pools
    .filter(({ database }) => asked.database === undefined || database === asked.database)
    .filter(({ user }) => asked.user === undefined || user === asked.user)
    .toSorted((a, b) => b.waiting - a.waiting || b.busy - a.busy);
  const [pool] = fitting;
  const database = pooler.databases.find(({ name }) => name === pool?.database);
  if (pool === undefined || database === undefined)
    return { refused: `${pooler.name} has no such pool; there are ${poolNames(pooler)}` };
  return { pooler, database, pool };
}

function onlyOne(poolers: readonly PoolerState[]): PoolerState | undefined {
  return poolers.length === 1 ? poolers[0] : undefined;
}

function named(name: string, poolers: readonly PoolerState[]): PoolerState | undefined {
  return poolers.find((each) => each.name === name);
}

function whichPooler({ pooler }: AskedPooler, poolers: readonly PoolerState[]): string {
  const known = poolers.map(({ name }) => name).join(', ') || 'none that answers';
  return pooler === undefined
    ? `which pooler is meant must be said: there are ${known}`
    : `pooler ${pooler} is not known; there are ${known}`;
}

function unseen(blind: PoolerStates['blind']): string {
  return blind.map(({ detail }) => `; ${detail}`).join('');
}

function poolNames({ pools }: PoolerState): string {
  return pools.map(({ database, user }) => `${database}/${user}`).join(', ') || 'none yet';
}
