import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DoctorError } from '@starr/kernel';
import { type Leashed, freePort, postgresUser, startLeashed, waitUntilReady } from '@starr/store';
import pg from 'pg';
import { installPgBouncer } from './install-pgbouncer.ts';
import type { LabPostgres, PostgresRow } from './postgres.ts';
import { onFreePorts } from './on-free-ports.ts';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.ts';

const READY_WITHIN_MS = 30_000;

/** Who may do what on the console of a pooler of the lab: the first looks, the second may change it too. */
export const POOLER_ROLES = { looks: 'pooler_stats', acts: 'pooler_admin' } as const;

export interface PgBouncerOptions {
  /** The server behind it. */
  readonly postgres: Pick<LabPostgres, 'host' | 'port'>;
  /** Roles that may connect beside `postgres` and those of the console; it trusts all of them. */
  readonly users: readonly string[];
  /** Default `session`, as PgBouncer's own. */
  readonly poolMode?: 'session' | 'transaction' | 'statement';
  /** Lines of `[databases]`, e.g. `orders = host=… port=… pool_size=3`. Default: `*`, whatever is asked for. */
  readonly databases?: readonly string[];
  /** More settings, as in pgbouncer.ini; they win. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Whom a client of a pooler looks like. */
export interface PooledLook {
  readonly applicationName?: string;
  readonly user?: string;
  readonly database?: string;
}

export interface PooledClient {
  query(sql: string): Promise<PostgresRow[]>;
  /** Also in the middle of a query, whose answer is then never given. */
  hangUp(): void;
}

/** A throw-away PgBouncer on 127.0.0.1 before a PostgreSQL of the lab. */
export interface LabPgBouncer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Its configuration file, to be changed and reloaded. */
  readonly iniPath: string;
  /** Default user and database `postgres`. */
  url(user?: string, database?: string): string;
  /** The admin console. Default: of the user that looks. */
  consoleUrl(user?: string): string;
  /** One command on the console, by default as the user that acts. */
  console(command: string, user?: string): Promise<PostgresRow[]>;
  /** A client of it, held until it hangs up. Default user and database `postgres`. */
  client(look?: PooledLook): Promise<PooledClient>;
  log(lines?: number): string;
  stop(): Promise<void>;
  /** SIGSTOP: sockets stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
}

/** Starts a pooler as an unprivileged user; rejects with what is missing where there is no pgbouncer. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<LabPgBouncer> {
  const binary = await installPgBouncer();
  if (binary.kind === 'missing')
    throw new DoctorError('TARGET_UNSUPPORTED', { message: binary.why });
  const folder = await makeTemporaryFolder('pgbouncer');
  try {
    return await onFreePorts(freePort, async (port) => {
      const iniPath = await writeConfiguration(options, port, folder.path);
      const server = launch(binary.path, iniPath, folder);
      await waitUntilReady(
        server,
        { kind: 'line', matches: (line) => line.includes('process up') },
        READY_WITHIN_MS,
      );
      return labFrom(server, port, iniPath, folder);
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

function launch(command: string, iniPath: string, folder: TemporaryFolder): Leashed {
  const runAs = postgresUser();
  return startLeashed({
    name: 'pgbouncer',
    command,
    args: [iniPath],
    cwd: folder.path,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    orphanFolders: [folder.path],
    // It refuses to run as root.
    ...(runAs === undefined ? {} : { runAs }),
  });
}

async function writeConfiguration(
  options: PgBouncerOptions,
  port: number,
  folder: string,
): Promise<string> {
  const usersPath = join(folder, 'users.txt');
  const iniPath = join(folder, 'pgbouncer.ini');
  const users = new Set(['postgres', ...Object.values(POOLER_ROLES), ...options.users]);
  await writeFile(usersPath, [...users].map((user) => `"${user}" ""\n`).join(''));
  await writeFile(iniPath, iniText(options, port, usersPath));
  const owner = postgresUser();
  if (owner)
    await Promise.all([usersPath, iniPath].map((path) => chown(path, owner.uid, owner.gid)));
  return iniPath;
}

function iniText(
  { postgres, poolMode = 'session', databases, settings }: PgBouncerOptions,
  port: number,
  usersPath: string,
): string {
  const all: Record<string, string> = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: usersPath,
    pool_mode: poolMode,
    stats_users: POOLER_ROLES.looks,
    admin_users: POOLER_ROLES.acts,
    // As its documentation asks for with JDBC: drivers send it and mean nothing by it.
    ignore_startup_parameters: 'extra_float_digits',
    ...settings,
  };
  return [
    '[databases]',
    ...(databases ?? [`* = host=${postgres.host} port=${postgres.port}`]),
    '[pgbouncer]',
    ...Object.entries(all).map(([name, value]) => `${name} = ${value}`),
    '',
  ].join('\n');
}

function labFrom(
  server: Leashed,
  port: number,
  iniPath: string,
  folder: TemporaryFolder,
): LabPgBouncer {
  const host = '127.0.0.1';
  const url = (user = 'postgres', database = 'postgres'): string =>
    `postgresql://${encodeURIComponent(user)}@${host}:${port}/${encodeURIComponent(database)}`;
  const consoleUrl = (user: string = POOLER_ROLES.looks) => url(user, 'pgbouncer');
  const stop = async (): Promise<void> => {
    await server.stop();
    await folder.remove();
  };
  return {
    host,
    port,
    pid: server.pid,
    iniPath,
    url,
    consoleUrl,
    client: ({ applicationName = 'lab', user, database } = {}) =>
      openClient(url(user, database), applicationName),
    console: (command, user = POOLER_ROLES.acts) => askConsole(consoleUrl(user), command),
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
    [Symbol.asyncDispose]: stop,
  };
}

async function askConsole(connectionString: string, command: string): Promise<PostgresRow[]> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined); // the command itself rejects
  await client.connect();
  try {
    // Without values: the console speaks the simple protocol alone.
    return (await client.query<PostgresRow>(command)).rows;
  } finally {
    await client.end();
  }
}

async function openClient(
  connectionString: string,
  applicationName: string,
): Promise<PooledClient> {
  const client = new pg.Client({ connectionString, application_name: applicationName });
  client.on('error', () => undefined); // the query itself rejects
  await client.connect();
  return {
    query: async (sql) => (await client.query<PostgresRow>(sql)).rows,
    hangUp: () => {
      (client as unknown as HasSocket).connection.stream.destroy();
    },
  };
}

interface HasSocket {
  readonly connection: { readonly stream: { destroy(): void } };
}
