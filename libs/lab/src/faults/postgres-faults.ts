import pg from 'pg';
import type { LabPostgres } from '../postgres.ts';
import { type Fault, faultFrom } from './fault.ts';

/** Whom the sessions of a fault look like. */
export interface SessionLook {
  /** Default `postgres`. */
  readonly user?: string;
  /** Default `postgres`. */
  readonly database?: string;
  /** Default `lab`. */
  readonly applicationName?: string;
}

/**
 * Holds ACCESS EXCLUSIVE on a table (as `schema.table`, or a name on the search path) and lets
 * `waiters` sessions wait for it. Resolves when all of them are waiting.
 */
export async function lockTable(
  server: LabPostgres,
  table: string,
  waiters: number,
  look: SessionLook = {},
): Promise<Fault> {
  const holder = await session(server, look);
  const name = table
    .split('.')
    .map((part) => pg.escapeIdentifier(part))
    .join('.');
  await holder.query('BEGIN');
  await holder.query(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
  const waiting = await sessions(server, waiters, look);
  const pids = waiting.map((client) => pidOf(client));
  for (const client of waiting)
    client.query(`SELECT 1 FROM ${name} LIMIT 1`).catch(() => undefined);
  // The holder asks, since it needs no further slot.
  for (;;) {
    const { rows } = await holder.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted AND pid = ANY($1)`,
      [pids],
    );
    if (rows[0]?.waiting === waiters) break;
    await holder.query('SELECT pg_sleep(0.01)');
  }
  return faultFrom(`${table} is locked ACCESS EXCLUSIVE and ${waiters} sessions wait for it`, () =>
    closeAll([holder, ...waiting]),
  );
}

/** Opens idle sessions until `leave` ordinary slots are left (default none). */
export async function fillSlots(
  server: LabPostgres,
  leave = 0,
  look: SessionLook = {},
): Promise<Fault> {
  const [row] = await server.query(`
    SELECT current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int
         - (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend')
         + 1 AS free`); // our own question took a slot too
  const count = Math.max(0, Number(row?.['free']) - leave);
  const filled = await sessions(server, count, look);
  return faultFrom(`${count} idle sessions leave ${leave} slots free`, () => closeAll(filled));
}

/** Opens `count` sessions that are used once and then kept, as a code path that forgets to release does. */
export async function leakConnections(
  server: LabPostgres,
  count: number,
  look: SessionLook = {},
): Promise<Fault> {
  const leaked = await sessions(server, count, look);
  await Promise.all(leaked.map((client) => client.query('SELECT 1')));
  return faultFrom(`${count} sessions were used once and never given back`, () => closeAll(leaked));
}

async function sessions(
  server: LabPostgres,
  count: number,
  look: SessionLook,
): Promise<pg.Client[]> {
  const opened = await Promise.allSettled(
    Array.from({ length: count }, () => session(server, look)),
  );
  const clients = opened.filter((each) => each.status === 'fulfilled').map((each) => each.value);
  const refused = opened.find((each) => each.status === 'rejected');
  if (refused === undefined) return clients;
  await closeAll(clients);
  throw refused.reason;
}

async function session(server: LabPostgres, look: SessionLook): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: server.url(look.user, look.database),
    application_name: look.applicationName ?? 'lab',
  });
  client.on('error', () => undefined); // terminated by whoever cures the fault
  await client.connect();
  return client;
}

function pidOf(client: pg.Client): number {
  // pg keeps the backend's pid but its types do not say so.
  return (client as unknown as { processID: number }).processID;
}

async function closeAll(clients: readonly pg.Client[]): Promise<void> {
  // A client that waits for a lock would wait for its answer before it says goodbye.
  for (const client of clients) {
    (
      client as unknown as { connection: { stream: { destroy(): void } } }
    ).connection.stream.destroy();
  }
  await Promise.resolve();
}
