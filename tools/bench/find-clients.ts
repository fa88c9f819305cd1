import { access, constants, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { buildGoTools } from '@starr/lab';
import type { ProgramPaths } from './guide-script.ts';
import { runCommand } from './run-command.ts';

const INSTALL_WITHIN_MS = 300_000;

/**
 * What a person types with. As root on Debian the missing ones are installed. psql itself, not Debian's wrapper of it,
 * which costs as much again: the choice favours the rival. Rejects with what is missing and how to get it.
 */
export async function findClients(say: (says: string) => void): Promise<ProgramPaths> {
  return {
    psql: await need('psql', findPsql, 'postgresql-client', say),
    'redis-cli': await need('redis-cli', () => onPath('redis-cli'), 'redis-tools', say),
    curl: await need('curl', () => onPath('curl'), 'curl', say),
    kubectl: await findKubectl(say),
  };
}

async function need(
  program: string,
  find: () => Promise<string | undefined>,
  debianPackage: string,
  say: (says: string) => void,
): Promise<string> {
  const found = await find();
  if (found !== undefined) return found;
  const command = `apt-get install -y --no-install-recommends ${debianPackage}`;
  if (process.getuid?.() !== 0)
    throw new Error(`${program} is not there and installing it needs root: sudo ${command}`);
  say(`installing ${debianPackage}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...args: readonly string[]) =>
    runCommand({ program: 'apt-get', args: ['-qq', ...args], env, timeoutMs: INSTALL_WITHIN_MS });
  await aptGet('update'); // may fail where the lists are good enough
  const { stderr } = await aptGet('install', '-y', '--no-install-recommends', debianPackage);
  const installed = await find();
  if (installed === undefined) throw new Error(`${command} brought no ${program}: ${stderr}`);
  return installed;
}

async function findKubectl(say: (says: string) => void): Promise<string> {
  say('kubectl, compiled once');
  const built = await buildGoTools('kubectl');
  if (built.kind === 'present') return join(built.folder, 'kubectl');
  const other = await onPath('kubectl');
  if (other === undefined)
    throw new Error(`kubectl is not on PATH and cannot be built: ${built.why}`);
  return other;
}

const DEBIAN_POSTGRES = '/usr/lib/postgresql';

async function findPsql(): Promise<string | undefined> {
  const majors = await readdir(DEBIAN_POSTGRES).catch(() => []);
  for (const major of majors.sort((a, b) => Number(b) - Number(a))) {
    const path = join(DEBIAN_POSTGRES, major, 'bin/psql');
    if (await isProgram(path)) return path;
  }
  return onPath('psql');
}

async function onPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (folder !== '' && (await isProgram(path))) return path;
  }
  return undefined;
}

function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
