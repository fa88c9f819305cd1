import { join } from 'node:path';
import { type Leashed, type LeashOptions, startLeashed } from './leash.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { postgresUser } from './postgres-data-folder.ts';
import { waitUntilReady } from './wait-until-ready.ts';

const DEFAULT_READY_WITHIN_MS = 30_000;

export interface PostgresServerOptions {
  readonly binaries: PostgresBinaries;
  /** Made by `initPostgresFolder` or copied from one, with the same major version. */
  readonly dataFolder: string;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  /** Folder for a Unix socket, at most 90 characters. Absent: no socket. */
  readonly socketFolder?: string;
  /** Settings as in postgresql.conf, e.g. `{ max_connections: '30' }`. They win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default 30000: a server that was killed replays its log first. */
  readonly readyWithinMs?: number;
  /** Folders that are deleted when the owner is killed, e.g. the data folder of a throw-away server. */
  readonly orphanFolders?: readonly string[];
  readonly onLine?: LeashOptions['onLine'];
}

/**
 * Starts a server and waits until it takes connections. It ends with its owner, whatever ends that:
 * first by an immediate shutdown (SIGQUIT), which gives back its shared memory.
 * Rejects with the server's own last lines when it ends or is late.
 */
export async function startPostgresServer(options: PostgresServerOptions): Promise<Leashed> {
  const runAs = postgresUser();
  const settings: Record<string, string> = {
    listen_addresses: options.host ?? '127.0.0.1',
    port: String(options.port),
    unix_socket_directories: options.socketFolder ?? '',
    // The messages below and every text that a client decodes are English.
    lc_messages: 'C',
    ...options.settings,
  };
  const leashed = startLeashed({
    name: `postgres ${binariesName(options.binaries)}`,
    command: join(options.binaries.folder, 'bin', 'postgres'),
    args: [
      ...['-D', options.dataFolder],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    cwd: options.dataFolder,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, // nothing of the owner's environment concerns it
    // Fast shutdown: sessions are ended, the log is flushed. SIGTERM would wait for the clients to leave.
    stopSignal: 'SIGINT',
    stopWithinMs: 10_000,
    orphanSignal: 'SIGQUIT',
    ...(options.orphanFolders === undefined ? {} : { orphanFolders: options.orphanFolders }),
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
    ...(runAs === undefined ? {} : { runAs }),
  });
  await waitUntilReady(
    leashed,
    {
      kind: 'line',
      matches: (line) => line.includes('database system is ready to accept connections'),
    },
    options.readyWithinMs ?? DEFAULT_READY_WITHIN_MS,
  );
  return leashed;
}

function binariesName(binaries: PostgresBinaries): string {
  return binaries.version.replace(/-.*$/, '');
}
