/* For apps. */
export { redisCatalog } from './catalog.ts';
export { createRedisAdapter } from './adapter/create-redis-adapter.ts';
export type {
  RedisConfig,
  RedisCredential,
  RedisSecret,
  RedisTls,
} from './adapter/redis-config.ts';

/* For other libraries and for tests: what travels between catalog and adapter. */
export type { RedisAccess, RedisAct, RedisRequest } from './request.ts';
