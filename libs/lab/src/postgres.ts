import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Leashed,
  type PostgresBinaries,
  copyPostgresFolder,
  freePort,
  initPostgresFolder,
  startPostgresServer,
} from '@starr/store';
import { DoctorError } from '@starr/kernel';
import pg from 'pg';
import { cacheDir } from './cache.ts';
import { installHypopg } from './install-hypopg.ts';
import { type PostgresMajor, installPostgres } from './install-postgres.ts';
import { onFreePorts } from './on-free-ports.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/** initdb lets 127.0.0.1 in alone; the lab's pods have other addresses of the loopback network. */
const TRUST_LOOPBACK = `
local all all trust
host all all 127.0.0.0/8 trust
host replication all 127.0.0.0/8 trust
`;

export interface PostgresOptions {
  /** Default 18. */
  readonly major?: PostgresMajor;
  /** Default 100, as PostgreSQL's own. */
  readonly maxConnections?: number;
  /** Loads pg_stat_statements and creates it in the database postgres and in all that come later. Default false. */
  readonly statStatements?: boolean;
  /**
   * Debian's PostgreSQL 15 in place of the npm-packaged one, since HypoPG is there only; it is created in the database
   * postgres and in all that come later. Default false; rejects with what is missing where it cannot be had.
   */
  readonly hypopg?: boolean;
  /** More settings, as in postgresql.conf; they win. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A row as pg returns it. */
export type PostgresRow = Readonly<Record<string, unknown>>;

/** A throw-away PostgreSQL on 127.0.0.1 that trusts everybody who connects. */
export interface LabPostgres extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly major: PostgresMajor;
  /** e.g. `18.4.0`. */
  readonly version: string;
  readonly pid: number;
  readonly superuserUrl: string;
  /** Default user `postgres`, default database `postgres`. */
  url(user?: string, database?: string): string;
  /** One statement (or several without parameters) on an own short connection, by default as superuser. */
  query(
    sql: string,
    parameters?: readonly unknown[],
    as?: { user?: string; database?: string },
  ): Promise<PostgresRow[]>;
  /** Its own last lines. */
  log(lines?: number): string;
  /** Ends sessions, stops the server, deletes its data. */
  stop(): Promise<void>;
  /** SIGSTOP to the postmaster and all backends: sockets stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** SIGKILL to all of it, as a crash. The data stay for `restart()`. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, after `kill()` or while it runs. */
  restart(): Promise<void>;
}

/** Starts a server with its own data in under a second, once the version's template is in the cache. */
export async function startPostgres(options: PostgresOptions = {}): Promise<LabPostgres> {
  const major = options.hypopg === true ? 15 : (options.major ?? 18);
  const binaries = options.hypopg === true ? await withHypopg() : await installPostgres(major);
  const folder = await makeTemporaryFolder(`postgres-${major}`);
  const dataFolder = join(folder.path, 'data');
  try {
    await copyPostgresFolder(await template(binaries), dataFolder);
    await writeFile(join(dataFolder, 'pg_hba.conf'), TRUST_LOOPBACK);
    const start = (port: number): Promise<Leashed> =>
      startPostgresServer({
        binaries,
        dataFolder,
        port,
        settings: settingsOf(options),
        orphanFolders: [folder.path],
      });
    const { port, server } = await onFreePorts(freePort, async (free) => ({
      port: free,
      server: await start(free),
    }));
    const lab = labFrom({ server, start, port, major, binaries, remove: () => folder.remove() });
    for (const extension of extensionsOf(options))
      for (const database of ['postgres', 'template1'])
        await lab.query(`CREATE EXTENSION ${extension}`, [], { database });
    return lab;
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function withHypopg(): Promise<PostgresBinaries> {
  const found = await installHypopg();
  if (found.kind === 'missing') throw new DoctorError('TARGET_UNSUPPORTED', { message: found.why });
  return found.binaries;
}

function extensionsOf({ statStatements, hypopg }: PostgresOptions): string[] {
  return [
    ...(statStatements === true ? ['pg_stat_statements'] : []),
    ...(hypopg === true ? ['hypopg'] : []),
  ];
}

function settingsOf(options: PostgresOptions): Record<string, string> {
  return {
    max_connections: String(options.maxConnections ?? 100),
    // A throw-away server need not survive a power cut; a crash of the process it does survive.
    fsync: 'off',
    ...(options.statStatements === true ? { shared_preload_libraries: 'pg_stat_statements' } : {}),
    ...options.settings,
  };
}

/** initdb once a version; every server gets a copy. */
async function template(binaries: PostgresBinaries): Promise<string> {
  const folder = join(cacheDir(), 'postgres', 'template', binaries.version);
  await initPostgresFolder(binaries, folder);
  return folder;
}

interface Parts {
  readonly server: Leashed;
  readonly start: (port: number) => Promise<Leashed>;
  readonly port: number;
  readonly major: PostgresMajor;
  readonly binaries: PostgresBinaries;
  readonly remove: () => Promise<void>;
}

function labFrom({ start, port, major, binaries, remove, ...first }: Parts): LabPostgres {
  let server = first.server;
  const host = '127.0.0.1';
  const url = (user = 'postgres', database = 'postgres'): string =>
    `postgresql://${encodeURIComponent(user)}@${host}:${port}/${encodeURIComponent(database)}`;
  const stop = async (): Promise<void> => {
    await server.stop();
    await remove();
  };
  return {
    host,
    port,
    major,
    version: binaries.version.replace(/-.*$/, ''),
    get pid() {
      return server.pid;
    },
    superuserUrl: url(),
    url,
    query: (sql, parameters, as) => queryOnce(url(as?.user, as?.database), sql, parameters),
    log: (lines) => server.tail(lines),
    stop,
    pause: () => {
      server.pause();
    },
    resume: () => {
      server.resume();
    },
    kill: async () => {
      await server.kill();
    },
    async restart() {
      await server.stop();
      server = await start(port);
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function queryOnce(
  connectionString: string,
  sql: string,
  parameters: readonly unknown[] | undefined,
): Promise<PostgresRow[]> {
  const client = new pg.Client({ connectionString, application_name: 'lab' });
  client.on('error', () => undefined); // the query itself rejects
  await client.connect();
  try {
    const result = await client.query<PostgresRow>(
      sql,
      parameters === undefined ? undefined : [...parameters],
    );
    // Several statements at once answer with an array of results: the last one counts.
    const last: unknown = Array.isArray(result) ? result.at(-1) : result;
    return (last as pg.QueryResult<PostgresRow>).rows;
  } finally {
    await client.end();
  }
}
