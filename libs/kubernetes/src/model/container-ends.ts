import { dateOf, type ContainerStatus, type Terminated } from '../objects.ts';
import type { WorkloadPod } from './workloads.ts';

/** What is known of the ends of one container within a window. */
export interface ContainerEnds {
  readonly member: WorkloadPod;
  readonly container: string;
  /** Restarts within the window: exact when the pod began in it, otherwise at least so many. */
  readonly restarts: number;
  readonly exact: boolean;
  /** Kills for want of memory that the pod status still tells of: the current and the last end. */
  readonly oomKills: number;
  /** It is ended now, or waits to be started again. */
  readonly down: boolean;
  readonly last?: Terminated;
  readonly first?: Date;
  readonly memoryLimit?: string;
}

/**
 * Ends by their moment, not by the counter of the container's life, which never goes down. Kubernetes keeps one
 * last state: an older end within the window is seen only through the counter of a pod that began in it.
 */
export function containerEnds(member: WorkloadPod, windowStart: Date): readonly ContainerEnds[] {
  const statuses = member.pod.status?.containerStatuses ?? [];
  return statuses.flatMap((status) => endsOf(member, status, windowStart) ?? []);
}

function endsOf(
  member: WorkloadPod,
  status: ContainerStatus,
  windowStart: Date,
): ContainerEnds | undefined {
  const ended = [status.lastState?.terminated, status.state?.terminated].filter(
    (end) => end !== undefined && inWindow(end, windowStart) && counts(end, status),
  ) as readonly Terminated[];
  if (ended.length === 0) return undefined;
  const began = dateOf(member.pod.status?.startTime);
  const exact = began !== undefined && began >= windowStart;
  // the current end has not been followed by a restart yet
  const seen =
    status.lastState?.terminated && inWindow(status.lastState.terminated, windowStart) ? 1 : 0;
  const last = ended.at(-1);
  const first = dateOf(ended[0]?.finishedAt);
  const memoryLimit = memoryLimitOf(member, status.name);
  return {
    member,
    container: status.name ?? '',
    restarts: exact ? (status.restartCount ?? 0) : seen,
    exact,
    oomKills: ended.filter(isOomKill).length,
    down: status.state?.running === undefined,
    ...(last && { last }),
    ...(first && { first }),
    ...(memoryLimit !== undefined && { memoryLimit }),
  };
}

function inWindow(end: Terminated, windowStart: Date): boolean {
  const at = dateOf(end.finishedAt);
  return at !== undefined && at >= windowStart;
}

/** A container that ended as it should (a Job's) and is not started again has not restarted. */
function counts(end: Terminated, status: ContainerStatus): boolean {
  return end !== status.state?.terminated || (end.exitCode ?? 0) !== 0;
}

/** Only what the kubelet calls so: exit code 137 is any SIGKILL, a failed liveness probe's too. */
function isOomKill(end: Terminated): boolean {
  return end.reason === 'OOMKilled';
}

function memoryLimitOf(member: WorkloadPod, container: string | undefined): string | undefined {
  return member.pod.spec?.containers?.find(({ name }) => name === container)?.resources?.limits?.[
    'memory'
  ];
}

/** How a container ended, for people: `OOMKilled`, `exit code 1`, `SIGKILL (137)`. */
export function endText(end: Terminated): string {
  if (isOomKill(end)) return 'OOMKilled';
  const code = end.exitCode ?? 0;
  if (code === 137) return 'SIGKILL (137), not said to be for memory';
  if (code > 128 && code < 160) return `signal ${code - 128}`;
  return `exit code ${code}`;
}
