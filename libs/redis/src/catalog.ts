import type { Catalog } from '@starr/kernel';
import { cacheHitRate } from './diagnostics/hit-rate.ts';
import { cacheMemory } from './diagnostics/memory.ts';
import { redisGrants } from './grants.ts';
import { clientsResolver } from './reads/clients.ts';
import { setEvictionPolicy } from './remedies/set-eviction-policy.ts';
import type { RedisAct, RedisRequest } from './request.ts';

/** All that a Redis or Valkey server can be asked, and what can be done for it. */
export const redisCatalog: Catalog<RedisRequest, RedisAct> = {
  diagnostics: [cacheMemory, cacheHitRate],
  remedies: [setEvictionPolicy],
  resolvers: [clientsResolver],
  grants: redisGrants,
};
