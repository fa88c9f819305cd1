import { constants } from 'node:os';
import type { Exit } from '../leash.ts';
import type { PodSpec } from './pod-types.ts';

/** How a run ended, in the words and numbers of a container status. */
export interface End {
  readonly exitCode: number;
  readonly reason: 'Completed' | 'Error' | 'OOMKilled';
}

/** A signal becomes 128 and its number, as a shell and a container runtime say it. */
export function endOfProcess(exit: Exit, isOutOfMemory: boolean): End {
  if (isOutOfMemory) return { exitCode: 137, reason: 'OOMKilled' };
  const exitCode = exit.signal === null ? (exit.code ?? 255) : 128 + constants.signals[exit.signal];
  return { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' };
}

export function isRestarted(policy: PodSpec['restartPolicy'], end: Pick<End, 'exitCode'>): boolean {
  switch (policy) {
    case 'Never':
      return false;
    case 'OnFailure':
      return end.exitCode !== 0;
    case 'Always':
    case undefined:
      return true;
  }
}

/** `90000` → `1m30s`, as Go prints a duration and so the kubelet its back-off. */
export function goDuration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const seconds = `${(ms % 60_000) / 1000}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
