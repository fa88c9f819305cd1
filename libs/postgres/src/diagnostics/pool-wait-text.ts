import { durationText } from '@starr/kernel';
import type { PoolerDatabase, PoolerPool, PoolerState } from '../reads/poolers.ts';

export function pausedText(
  pooler: PoolerState,
  { database, waiting, longestWaitMs }: PoolerPool,
): string {
  const who =
    waiting === 0
      ? 'the next client waits'
      : `${clients(waiting)}, for up to ${durationText(longestWaitMs)}`;
  return `${database} is paused on pooler ${pooler.name}: ${who}, until RESUME ${limitText(pooler)}`;
}

export function waitText(
  pooler: PoolerState,
  pool: PoolerPool,
  database: PoolerDatabase | undefined,
): string {
  const size = database?.poolSize ?? pooler.defaultPoolSize;
  const wait = `${clients(pool.waiting)} for a connection of pool ${pool.database}/${pool.user} on ${pooler.name}, for up to ${durationText(pool.longestWaitMs)}`;
  return `${wait}: ${reasonText(pool, size)}`;
}

function reasonText({ servers, busy, mode }: PoolerPool, size: number): string {
  if (servers === 0) return 'the pooler gets no connection to the server';
  if (servers < size)
    return `${busy} of ${servers} connections are in use, and the server gives no more of the ${size} allowed`;
  const how = mode === 'session' ? ', each by one client until it disconnects' : '';
  return `all ${servers} connections are in use${how}`;
}

function clients(waiting: number): string {
  return waiting === 1 ? '1 client waits' : `${waiting} clients wait`;
}

function limitText({ queryWaitTimeoutMs }: PoolerState): string {
  return queryWaitTimeoutMs === 0
    ? 'and without an end'
    : `or for ${durationText(queryWaitTimeoutMs)} at most`;
}
