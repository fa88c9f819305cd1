import { access, constants, rm, writeFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { startLeashed } from '@starr/store';

const INSTALL_WITHIN_MS = 180_000;
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';
/** Servers of Debian live there, which is on root's PATH alone. */
const ALWAYS_SEARCHED = ['/usr/sbin', '/usr/local/sbin'];

/** The path of a program, or why there is none and what to do: for a test to skip with. */
export type AptBinary =
  | { readonly kind: 'present'; readonly path: string }
  | { readonly kind: 'missing'; readonly why: string };

export interface AptProgram {
  /** A name that is looked for on PATH, or an absolute path. */
  readonly program: string;
  /** Files that have to be there beside it, by absolute path. */
  readonly with?: readonly string[];
  readonly packageName: string;
  /** What a person installs where there is no apt-get, e.g. `Redis 7`. */
  readonly byHand: string;
  /** Hears what takes long before it begins. */
  readonly onProgress?: (line: string) => void;
}

/** Finds a program; as root on Debian or Ubuntu it installs its package first, without starting its service. */
export async function installFromApt(wanted: AptProgram): Promise<AptBinary> {
  const { program, packageName, byHand, onProgress } = wanted;
  const found = await findAll(wanted);
  if (found !== undefined) return { kind: 'present', path: found };
  if (process.getuid?.() !== 0) {
    return missing(
      `${program} is not there and installing it needs root: sudo apt-get install ${packageName}`,
    );
  }
  if ((await findProgram('apt-get')) === undefined) {
    return missing(`${program} is not there and neither is apt-get: install ${byHand} by hand`);
  }
  onProgress?.(`apt-get install ${packageName}`);
  const failed = await aptInstall(packageName);
  const installed = await findAll(wanted);
  return installed === undefined
    ? missing(`apt-get install ${packageName} failed: ${failed ?? `it brought no ${program}`}`)
    : { kind: 'present', path: installed };
}

function missing(why: string): AptBinary {
  return { kind: 'missing', why };
}

async function findAll({ program, with: files = [] }: AptProgram): Promise<string | undefined> {
  for (const file of files) if (!(await isThere(file, constants.R_OK))) return undefined;
  return findProgram(program);
}

async function findProgram(program: string): Promise<string | undefined> {
  if (isAbsolute(program)) return (await isThere(program, constants.X_OK)) ? program : undefined;
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...ALWAYS_SEARCHED]) {
    const path = join(folder, program);
    if (folder !== '' && (await isThere(path, constants.X_OK))) return path;
  }
  return undefined;
}

function isThere(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function aptInstall(packageName: string): Promise<string | undefined> {
  // Debian starts a service when it installs it; a policy of 101 is its own way to forbid that.
  const ours = await writeFile(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', {
    mode: 0o755,
    flag: 'wx',
  }).then(
    () => true,
    () => false,
  );
  try {
    await apt(['update']); // may fail where the lists are good enough
    return await apt(['install', '-y', '--no-install-recommends', packageName]);
  } finally {
    if (ours) await rm(SERVICE_POLICY, { force: true });
  }
}

async function apt(args: readonly string[]): Promise<string | undefined> {
  const leashed = startLeashed({
    name: `apt-get ${args.join(' ')}`,
    command: 'apt-get',
    args: ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  const late = setTimeout(() => void leashed.stop(), INSTALL_WITHIN_MS);
  const exit = await leashed.exited;
  clearTimeout(late);
  return exit.code === 0 ? undefined : leashed.tail();
}
