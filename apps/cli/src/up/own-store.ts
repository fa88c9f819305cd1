import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DoctorError } from '@starr/kernel';
import {
  bundledPostgres,
  freePort,
  initPostgresFolder,
  placePostgres,
  startPostgresServer,
} from '@starr/store';
import { keepRunning } from './keep-running.ts';

export interface OwnStore {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * A small PostgreSQL of our own, for those who have none: its binaries come with the package, its data stand in the
 * state folder. For root it runs as nobody, so that its folders must be reachable for others.
 */
export async function startOwnStore(
  stateDir: string,
  password: string,
  onEnd: (says: string) => void,
): Promise<OwnStore> {
  const bundled = await bundledPostgres();
  if (!bundled) {
    throw new DoctorError('STORE_UNAVAILABLE', {
      message: 'no PostgreSQL is packaged for this machine; give store.url in starr.yaml',
      details: { field: 'store.url' },
    });
  }
  const folder = join(stateDir, 'store');
  await mkdir(folder, { recursive: true, mode: 0o755 });
  if (process.getuid?.() === 0) await chmod(stateDir, 0o711);
  const binaries =
    process.getuid?.() === 0 ? await placePostgres(bundled, join(folder, 'bin')) : bundled;
  const dataFolder = join(folder, `data-${binaries.major}`);
  await initPostgresFolder(binaries, dataFolder, { password });
  const port = await freePort();
  const server = await keepRunning(
    () =>
      startPostgresServer({
        binaries,
        dataFolder,
        port,
        settings: { max_connections: '30', shared_buffers: '32MB' },
      }),
    onEnd,
  );
  return {
    url: `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`,
    stop: () => server.stop(),
  };
}
