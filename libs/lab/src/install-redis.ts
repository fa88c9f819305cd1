import { access, constants, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { startLeashed } from '@starr/store';

const INSTALL_WITHIN_MS = 180_000;
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

/** The path of the program, or why there is none and what to do: for a test to skip with. */
export type RedisBinary =
  | { readonly kind: 'present'; readonly path: string }
  | { readonly kind: 'missing'; readonly why: string };

/** Finds redis-server; as root on Debian or Ubuntu it installs it first, without starting its service. */
export async function installRedis(): Promise<RedisBinary> {
  const found = await findOnPath('redis-server');
  if (found !== undefined) return { kind: 'present', path: found };
  if (process.getuid?.() !== 0) {
    return missing(
      'redis-server is not on PATH and installing it needs root: sudo apt-get install redis-server',
    );
  }
  if ((await findOnPath('apt-get')) === undefined) {
    return missing(
      'redis-server is not on PATH and there is no apt-get here: install Redis 7 by hand',
    );
  }
  const failed = await aptInstall('redis-server');
  const installed = await findOnPath('redis-server');
  return installed === undefined
    ? missing(`apt-get install redis-server failed: ${failed ?? 'it brought no redis-server'}`)
    : { kind: 'present', path: installed };
}

function missing(why: string): RedisBinary {
  return { kind: 'missing', why };
}

async function findOnPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== '' && usable) return path;
  }
  return undefined;
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
