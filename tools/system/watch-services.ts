import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, waitUntil, type Backstage, type Services } from '@starr/lab';

/** Looks after the five while a spec makes their patients ill. */
export interface ServicesWatch {
  /** What no bad day of a patient may do to them: an end, a restart, an error of their own. Empty: all is well. */
  troubles(): Promise<readonly string[]>;
  /** Services that have more sockets open than in the beginning, and keep them. Empty: none. */
  leaks(): Promise<readonly string[]>;
}

/** One connection more of a pool that is not full yet is no leak. */
const SOCKETS_MORE = 2;

/** Begins with the processes that run now. */
export async function watchServices(
  services: Services,
  backstage: Backstage,
): Promise<ServicesWatch> {
  const before = await services.pids();
  const socketsBefore = await socketsOf(before);
  return {
    leaks: () => leaksSince(socketsBefore, before),
    async troubles() {
      const now = await services.pids();
      const ended = Object.entries(before).flatMap(([name, pid]) => {
        if (now[name] !== pid) return [`${name} was started again`];
        return isAlive(pid) ? [] : [`${name} is gone`];
      });
      return [...ended, ...(await complaints(join(backstage.stateDir, 'log')))];
    },
  };
}

async function leaksSince(
  before: ReadonlyMap<string, number>,
  pids: Readonly<Record<string, number>>,
): Promise<readonly string[]> {
  const grown = async () => {
    const now = await socketsOf(pids);
    return [...now]
      .filter(([name, count]) => count > (before.get(name) ?? 0) + SOCKETS_MORE)
      .map(([name, count]) => `${name} had ${before.get(name) ?? 0} sockets and has ${count}`);
  };
  // Those of the last sweep may still be closing.
  return waitUntil(async () => ((await grown()).length === 0 ? [] : undefined), {
    what: 'sockets to be closed',
  }).catch(grown);
}

/** Open sockets of each process. */
async function socketsOf(
  pids: Readonly<Record<string, number>>,
): Promise<ReadonlyMap<string, number>> {
  const counts = Object.entries(pids).map(async ([name, pid]) => {
    const folder = `/proc/${pid}/fd`;
    const links = await Promise.all(
      (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')),
    );
    return [name, links.filter((link) => link.startsWith('socket:')).length] as const;
  });
  return new Map(await Promise.all(counts));
}

/** Lines of the services' logs that speak of a defect: errors, unhandled rejections, warnings of Node itself. */
export async function complaints(logDir: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of await readdir(logDir)) {
    const lines = (await readFile(join(logDir, file), 'utf8')).split('\n');
    found.push(...lines.filter(isComplaint).map((line) => `${file}: ${line}`));
  }
  return found;
}

function isComplaint(line: string): boolean {
  if (line.trim() === '') return false;
  try {
    const entry = JSON.parse(line) as unknown;
    return (
      typeof entry === 'object' && entry !== null && 'level' in entry && entry.level === 'error'
    );
  } catch {
    return true; // not one of our own lines
  }
}
