import { installPgBouncer, POOLER_ROLES, type LabPgBouncer } from '@starr/lab';
import { describe } from '@jest/globals';
import type { PoolerConfig } from '../postgres-config.ts';
import type { PooledClient, PooledSession } from '../reads/pooled-sessions.ts';
import type { PoolerPool, PoolerState } from '../reads/poolers.ts';

const binary = await installPgBouncer();

/** Skipped where there is no PgBouncer; with CI=true that fails. */
export const describeWithPgBouncer =
  binary.kind === 'present' || process.env['CI'] === 'true' ? describe : describe.skip;

export function poolerConfig(
  pooler: Pick<LabPgBouncer, 'host' | 'port'>,
  more: Partial<PoolerConfig> = {},
): PoolerConfig {
  return {
    name: 'bouncer',
    host: pooler.host,
    port: pooler.port,
    diagnosing: { user: POOLER_ROLES.looks },
    acting: { user: POOLER_ROLES.acts },
    ...more,
  };
}

export const poolOf = (more: Partial<PoolerPool> = {}): PoolerPool => ({
  database: 'orders',
  user: 'checkout',
  mode: 'transaction',
  clients: 8,
  waiting: 0,
  longestWaitMs: 0,
  busy: 2,
  idle: 3,
  servers: 5,
  ...more,
});

export const poolerOf = (more: Partial<PoolerState> = {}): PoolerState => ({
  name: 'bouncer',
  version: 'PgBouncer 1.18.0',
  defaultPoolSize: 20,
  maxClients: 100,
  queryWaitTimeoutMs: 120_000,
  databases: [{ name: 'orders', poolSize: 20, reserve: 0, maxConnections: 0, paused: false }],
  pools: [poolOf()],
  ...more,
});

export const pooledClient = (more: Partial<PooledClient> = {}): PooledClient => ({
  application: 'checkout',
  address: '127.0.3.2',
  port: 50_000,
  ageMs: 60_000,
  usedMs: 0,
  ...more,
});

/** One that a client took once and never used again. */
export const pooledSession = (pid: number, more: Partial<PooledSession> = {}): PooledSession => ({
  pooler: 'bouncer',
  database: 'orders',
  user: 'checkout',
  pid,
  backendStart: '2026-11-24T03:00:00.123456Z',
  serverApplication: 'checkout',
  serverAddress: '127.0.0.1',
  state: 'idle',
  stateMs: 60_000,
  backendAgeMs: 60_500,
  backendUsedMs: 500,
  client: pooledClient(),
  ...more,
});
