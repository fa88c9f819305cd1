import { randomUUID } from 'node:crypto';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DoctorError } from '@starr/kernel';
import { type LeashOptions, startLeashed } from './leash.ts';
import { type PostgresBinaries, exists, renameOrDrop } from './postgres-binaries.ts';

const INITDB_WITHIN_MS = 60_000;

/** `nobody`: PostgreSQL refuses to run as root. */
const UNPRIVILEGED = { uid: 65_534, gid: 65_534 };

/** The user a server of ours runs as: the owner's own, or nobody when the owner is root. */
export function postgresUser(): LeashOptions['runAs'] {
  return process.getuid?.() === 0 ? UNPRIVILEGED : undefined;
}

export interface DataFolderOptions {
  /** Password of the superuser `postgres`. Absent: everybody who can connect is trusted. */
  readonly password?: string;
}

/**
 * Makes a cluster in `folder` unless there is one; its parents must be reachable for `postgresUser()`.
 * Encoding UTF8, locale C, superuser `postgres`. It appears complete or not at all.
 */
export async function initPostgresFolder(
  binaries: PostgresBinaries,
  folder: string,
  options: DataFolderOptions = {},
): Promise<void> {
  if (await exists(join(folder, 'PG_VERSION'))) return;
  const draft = `${folder}.${randomUUID()}`;
  const runAs = postgresUser();
  await mkdir(dirname(folder), { recursive: true, mode: 0o755 });
  await makeOwned(draft);
  const passwordFile = `${draft}.password`;
  if (options.password !== undefined) {
    await writeFile(passwordFile, options.password, { mode: 0o600 });
    if (runAs !== undefined) await chown(passwordFile, runAs.uid, runAs.gid);
  }
  try {
    await run({
      name: `initdb ${binaries.version}`,
      command: join(binaries.folder, 'bin', 'initdb'),
      args: [
        ...['-D', draft, '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--no-sync'],
        ...(options.password === undefined
          ? ['-A', 'trust']
          : ['-A', 'scram-sha-256', `--pwfile=${passwordFile}`]),
      ],
      cwd: draft,
      orphanFolders: [draft, passwordFile],
      ...(runAs === undefined ? {} : { runAs }),
    });
    await renameOrDrop(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** Copies a cluster that no server is using. The copy belongs to `postgresUser()`. */
export async function copyPostgresFolder(from: string, to: string): Promise<void> {
  // cp keeps modes and, as root, owners; and it is faster than a walk in JavaScript.
  await run({ name: 'copy of a PostgreSQL folder', command: 'cp', args: ['-a', from, to] });
}

async function makeOwned(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  const runAs = postgresUser();
  if (runAs !== undefined) await chown(folder, runAs.uid, runAs.gid);
}

async function run(options: LeashOptions): Promise<void> {
  const leashed = startLeashed(options);
  const late = setTimeout(() => void leashed.kill(), INITDB_WITHIN_MS);
  const exit = await leashed.exited;
  clearTimeout(late);
  if (exit.code === 0) return;
  throw new DoctorError('INTERNAL', {
    message: `${options.name} failed; its last lines:\n${leashed.tail() || '(none)'}`,
  });
}
