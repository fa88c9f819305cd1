import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DoctorError } from '@starr/kernel';
import { type Leashed, freePort, startLeashed, waitUntilReady } from '@starr/store';
import { Redis } from 'ioredis';
import { installRedis } from './install-redis.ts';
import { onFreePorts } from './on-free-ports.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

const READY_WITHIN_MS = 30_000;

export interface RedisOptions {
  /** Settings as in redis.conf, e.g. `{ maxmemory: '20mb', 'maxmemory-policy': 'noeviction' }`. They win. */
  readonly settings?: Readonly<Record<string, string>>;
  /** ACL lines without the word `user`, e.g. `starr on >secret ~* +ping -info`. */
  readonly aclUsers?: readonly string[];
  /** A password for the default user. Absent: none. */
  readonly password?: string;
}

interface RedisRestart {
  /** False returns as soon as the process runs, e.g. to meet it LOADING. Default true. */
  readonly ready?: boolean;
  /** Settings of this run alone. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A throw-away Redis on 127.0.0.1. It saves nothing unless told to. */
export interface LabRedis extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Of the default user, with its password. */
  readonly url: string;
  /** One command of the default user on an own short connection. */
  command(...words: readonly string[]): Promise<unknown>;
  /** Its own last lines. */
  log(lines?: number): string;
  /** Stops the server and deletes its data. */
  stop(): Promise<void>;
  /** SIGSTOP: sockets stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, after `kill()` or while it runs. */
  restart(options?: RedisRestart): Promise<void>;
}

/** Starts a server; rejects with what is missing and how to get it where there is no redis-server. */
export async function startRedis(options: RedisOptions = {}): Promise<LabRedis> {
  const binary = await installRedis();
  if (binary.kind === 'missing')
    throw new DoctorError('TARGET_UNSUPPORTED', { message: binary.why });
  const folder = await makeTemporaryFolder('redis');
  try {
    return await onFreePorts(freePort, async (port) => {
      const file = join(folder.path, 'redis.conf');
      await writeFile(file, configText(options, port, folder.path));
      const launch = (extra: RedisRestart['settings'] = {}): Leashed =>
        startLeashed({
          name: 'redis',
          command: binary.path,
          args: [file, ...Object.entries(extra).flatMap(([name, value]) => [`--${name}`, value])],
          cwd: folder.path,
          orphanFolders: [folder.path],
        });
      const server = launch();
      await untilReady(server);
      const { password } = options;
      return labFrom({ server, launch, port, password, remove: () => folder.remove() });
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

function configText(options: RedisOptions, port: number, folder: string): string {
  const settings: Record<string, string> = {
    bind: '127.0.0.1',
    port: String(port),
    dir: folder,
    daemonize: 'no',
    // It takes 127.0.0.1 alone for local; the lab's pods have other addresses of the loopback network.
    'protected-mode': 'no',
    save: '""',
    appendonly: 'no',
    // Faults sleep and fill on purpose; both commands exist only where these are allowed.
    'enable-debug-command': 'local',
    ...(options.password === undefined ? {} : { requirepass: JSON.stringify(options.password) }),
    ...options.settings,
  };
  return [
    ...Object.entries(settings).map(([name, value]) => `${name} ${value}`),
    ...(options.aclUsers ?? []).map((line) => `user ${line}`),
    '',
  ].join('\n');
}

async function untilReady(server: Leashed): Promise<void> {
  await waitUntilReady(
    server,
    { kind: 'line', matches: (line) => line.includes('Ready to accept connections') },
    READY_WITHIN_MS,
  );
}

interface Parts {
  readonly server: Leashed;
  readonly launch: (settings?: RedisRestart['settings']) => Leashed;
  readonly port: number;
  readonly password: string | undefined;
  readonly remove: () => Promise<void>;
}

function labFrom({ launch, port, password, remove, ...first }: Parts): LabRedis {
  let server = first.server;
  const host = '127.0.0.1';
  const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  const url = `redis://${login}${host}:${port}`;
  const stop = async (): Promise<void> => {
    await server.stop();
    await remove();
  };
  return {
    host,
    port,
    url,
    get pid() {
      return server.pid;
    },
    command: (...words) => commandOnce(url, words),
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
    async restart({ ready = true, settings } = {}) {
      await server.stop();
      server = launch(settings);
      if (ready) await untilReady(server);
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function commandOnce(url: string, words: readonly string[]): Promise<unknown> {
  const [name, ...args] = words;
  if (name === undefined) throw new DoctorError('INTERNAL', { message: 'a command needs a name' });
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false, // a server that is LOADING shall say so itself
    disconnectTimeout: 1, // its timer outlives a connection that was refused
  });
  client.on('error', () => undefined); // the command itself rejects
  try {
    await client.connect();
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}
