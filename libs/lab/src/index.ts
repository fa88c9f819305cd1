export { cacheDir } from './cache.ts';
export { faultFrom, type Fault } from './faults/fault.ts';
export {
  fillSlots,
  leakConnections,
  lockTable,
  type SessionLook,
} from './faults/postgres-faults.ts';
export { busyRedis, loadingRedis } from './faults/redis-faults.ts';
export { installPostgres, type PostgresMajor } from './install-postgres.ts';
export { installRedis, type RedisBinary } from './install-redis.ts';
export {
  freePort,
  isAlive,
  startLeashed,
  treeOf,
  waitUntilReady,
  type Exit,
  type Leashed,
  type LeashOptions,
  type Readiness,
} from './leash.ts';
export {
  startPostgres,
  type LabPostgres,
  type PostgresOptions,
  type PostgresRow,
} from './postgres.ts';
export { startRedis, type LabRedis, type RedisOptions } from './redis.ts';
export { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.ts';
