import { readFileSync, readdirSync } from 'node:fs';

/**
 * Signals a process and all its descendants.
 *
 * A process group is not enough: PostgreSQL's backends call setsid() and so leave the group of their
 * postmaster; a SIGSTOP to the group would leave them answering. The root is stopped first, so that
 * it cannot start a child behind our back while its descendants are listed.
 */
export function signalTree(pid: number, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  if (signal === 'SIGCONT') {
    // Children first: a parent that wakes early may act on children that are still asleep.
    for (const each of [...treeOf(pid)].reverse()) send(each, signal);
    return;
  }
  const stopped = new Set<number>();
  for (;;) {
    const fresh = treeOf(pid).filter((each) => !stopped.has(each));
    if (fresh.length === 0) break;
    for (const each of fresh) {
      send(each, 'SIGSTOP');
      stopped.add(each);
    }
  }
  if (signal === 'SIGKILL') for (const each of [...stopped].reverse()) send(each, 'SIGKILL');
}

/** The process and its descendants, parents before children. A process that is gone has no tree. */
export function treeOf(pid: number): number[] {
  const found = [pid];
  for (const each of found) found.push(...childrenOf(each)); // grows while it is walked
  return found;
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
        .split(' ')
        .filter((child) => child !== '')
        .map(Number),
    );
  } catch {
    return []; // gone meanwhile, or a system without /proc: the group still gets its signal
  }
}

/** True while the process exists, also as one that nobody has reaped yet. */
export function isAlive(pid: number): boolean {
  return send(pid, 0);
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
