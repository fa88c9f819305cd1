export { cacheDir } from './cache.ts';
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
