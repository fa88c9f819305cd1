import { readFileSync } from 'node:fs';
import { treeOf } from '../leash.ts';

const LOOK_EVERY_MS = 250;
const PAGE_BYTES = 4096;

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  m: 0.001,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity (`128Mi`, `1G`, `1e9`) as a number; undefined when it is none. */
export function parseQuantity(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?(?:[eE]\d+)?)([A-Za-z]*)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  return match?.[1] === undefined || unit === undefined ? undefined : Number(match[1]) * unit;
}

/**
 * Looks at the resident memory of a process and its descendants four times a second, and calls back once
 * when it is over the limit. The kernel's cgroup would be exact, but needs root and its own mount.
 */
export function watchMemory(pid: number, limitBytes: number, onOver: () => void): () => void {
  const timer = setInterval(() => {
    if (residentBytes(pid) <= limitBytes) return;
    clearInterval(timer);
    onOver();
  }, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
  };
}

function residentBytes(pid: number): number {
  return treeOf(pid).reduce((sum, each) => sum + residentPages(each) * PAGE_BYTES, 0);
}

function residentPages(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1] ?? 0);
  } catch {
    return 0; // gone meanwhile
  }
}
