/**
 * PostgreSQL as a target: what can be asked of a server, what can be done for it, and the adapter that does both.
 *
 * For apps.
 */
export { postgresCatalog } from './catalog.ts';
export { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
export type {
  Password,
  PoolerConfig,
  PostgresConfig,
  PostgresCredential,
  PostgresTls,
} from './postgres-config.ts';
export type { PostgresAct } from './postgres-act.ts';
export type { PostgresRequest } from './postgres-request.ts';
export { seeLockForest } from './see-lock-forest.ts';
export { lossOf } from './diagnostics/lock-tree.ts';
export type { LockForest, LockNode } from './lock-forest.ts';
export type { LockParty, LockWait } from './lock-party.ts';
