import { Client, types, type ClientConfig } from 'pg';
import type { PostgresConfig, PostgresCredential } from '../postgres-config.ts';
import { answeredWithin } from './answered-within.ts';
import { doctorErrorFromPg, type PgErrorContext } from './pg-error.ts';

export const APPLICATION_NAME = 'starr';
const DEFAULT_PORT = 5432;
const DEFAULT_DATABASE = 'postgres';
const DEFAULT_CONNECT_TIMEOUT_MS = 2000;
/** A peer that vanished without a word is noticed by the kernel, not by the next sweep. */
const KEEP_ALIVE_AFTER_MS = 10_000;
const GOODBYE_WITHIN_MS = 500;

export function contextFrom(config: PostgresConfig, role: string): PgErrorContext {
  return {
    host: config.host,
    port: config.port ?? DEFAULT_PORT,
    database: config.database ?? DEFAULT_DATABASE,
    role,
  };
}

/**
 * Opens one session. No timeout goes into the startup packet: a pooler refuses such parameters (08P01),
 * so each transaction sets its own. Nothing is set for the session either: behind a pooler it would be somebody else's next.
 */
export async function connect(
  config: PostgresConfig,
  credential: PostgresCredential,
  withinMs: number,
): Promise<Client> {
  const context = contextFrom(config, credential.user);
  const client = new Client(clientConfig(config, credential, withinMs));
  // A session that ends while nobody waits on it must not end the process; the next look finds it dead.
  client.on('error', () => undefined);
  const { DATE, TIMESTAMP, TIMESTAMPTZ } = types.builtins;
  // Their text keeps the microseconds that a Date drops.
  for (const oid of [DATE, TIMESTAMP, TIMESTAMPTZ]) client.setTypeParser(oid, (text) => text);
  try {
    await client.connect();
    return client;
  } catch (thrown) {
    discard(client);
    throw doctorErrorFromPg(thrown, context);
  }
}

/** Ends a session without waiting for it; one in the middle of a query loses its socket. */
export function discard(client: Client): void {
  client.end().catch(() => undefined);
}

/** Says goodbye, and hangs up on a server that does not answer to it. */
export async function close(client: Client): Promise<void> {
  try {
    await answeredWithin(client.end(), GOODBYE_WITHIN_MS);
  } catch {
    // pg keeps its socket to itself; left open it would keep our process alive.
    (client as unknown as HasSocket).connection.stream.destroy();
  }
}

interface HasSocket {
  readonly connection: { readonly stream: { destroy(): void } };
}

function clientConfig(
  config: PostgresConfig,
  credential: PostgresCredential,
  withinMs: number,
): ClientConfig {
  return {
    host: config.host,
    port: config.port ?? DEFAULT_PORT,
    database: config.database ?? DEFAULT_DATABASE,
    user: credential.user,
    ...(credential.password !== undefined && { password: credential.password }),
    ssl: config.tls === undefined ? false : tlsOptions(config),
    application_name: APPLICATION_NAME,
    connectionTimeoutMillis: Math.min(
      config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
      withinMs,
    ),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
  };
}

function tlsOptions({ tls = {}, host }: PostgresConfig) {
  return {
    rejectUnauthorized: true,
    servername: tls.serverName ?? host,
    ...(tls.ca !== undefined && { ca: tls.ca }),
    ...(tls.cert !== undefined && { cert: tls.cert }),
    ...(tls.key !== undefined && { key: tls.key }),
  };
}
