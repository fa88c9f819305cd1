import type { Limit, Look } from '@starr/kernel';
import type { LabPostgres } from '@starr/lab';
import type { PostgresConfig } from '../postgres-config.ts';

/** A server of the lab with the two roles that a careful owner would create. */
export async function createRoles(server: LabPostgres): Promise<void> {
  await server.query(`
    CREATE ROLE starr LOGIN; GRANT pg_monitor TO starr;
    CREATE ROLE starr_act LOGIN; GRANT pg_read_all_stats, pg_signal_backend TO starr_act;
    CREATE ROLE shop LOGIN`);
}

export function configOf(server: LabPostgres, more: Partial<PostgresConfig> = {}): PostgresConfig {
  return {
    host: server.host,
    port: server.port,
    diagnosing: { user: 'starr' },
    acting: { user: 'starr_act' },
    ...more,
  };
}

export interface MeteredLimit extends Limit {
  readonly spent: Record<string, number>;
}

export function limitOf(more: Partial<Limit> = {}): MeteredLimit {
  const spent: Record<string, number> = {};
  return {
    timeoutMs: 1000,
    maxRows: 100,
    signal: new AbortController().signal,
    spend: (what, amount) => {
      spent[what] = (spent[what] ?? 0) + amount;
    },
    spent,
    ...more,
  };
}

export function lookOf(more: Partial<Look> = {}): Look {
  return {
    now: new Date('2026-11-24T03:12:08Z'),
    windowMs: 1_800_000,
    version: '18.4',
    target: 'orders',
    options: {},
    ...more,
  };
}

/** Waits for something that the server does in its own time. */
export async function eventually(check: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > giveUpAt)
      throw new Error(`not within ${withinMs} ms: ${check.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
