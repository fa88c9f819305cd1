import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../embedded/free-port.ts';
import type { Leashed } from '../embedded/leash.ts';
import { bundledPostgres, placePostgres } from '../embedded/postgres-binaries.ts';
import { initPostgresFolder } from '../embedded/postgres-data-folder.ts';
import { startPostgresServer } from '../embedded/postgres-server.ts';

/** A PostgreSQL of our own for one spec file. */
export interface TestServer extends AsyncDisposable {
  readonly server: Leashed;
  readonly port: number;
  /** A database that nobody used before. */
  newDatabase(): Promise<string>;
  query(url: string, sql: string): Promise<readonly Record<string, unknown>[]>;
}

export async function startTestServer(): Promise<TestServer> {
  const bundled = await bundledPostgres();
  if (bundled === undefined) throw new Error('the embedded PostgreSQL is not installed');
  const binaries = await placePostgres(bundled, join(tmpdir(), 'starr-store-test-bin'));
  const folder = await mkdtemp(join(tmpdir(), 'starr-store-'));
  await chmod(folder, 0o755);
  const dataFolder = join(folder, 'data');
  await initPostgresFolder(binaries, dataFolder);
  const port = await freePort();
  const settings = { fsync: 'off' };
  const options = { binaries, dataFolder, port, settings, orphanFolders: [folder] };
  const server = await startPostgresServer(options);
  const urlOf = (database: string): string => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  let count = 0;
  return {
    server,
    port,
    query: queryOnce,
    newDatabase: async () => {
      count += 1;
      await queryOnce(urlOf('postgres'), `CREATE DATABASE starr_${count}`);
      return urlOf(`starr_${count}`);
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function queryOnce(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const result = await client.query<Record<string, unknown>>(sql);
    return result.rows;
  } finally {
    await client.end();
  }
}
