import { controllerOf, nameOf, namespaceOf } from '../model/workloads.ts';
import { dateOf, type ContainerStatus, type Pod } from '../objects.ts';

/** A container whose log is there to be read. */
export interface LoggingContainer {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly replicaSet?: string;
  readonly previous: boolean;
  readonly restart: number;
  readonly startedAt: Date;
  /** Absent: it runs. */
  readonly finishedAt?: Date;
}

/**
 * All containers that ran within the time, current and previous. Taken in turns, one pod of each workload after the other,
 * the youngest first: when there are more than may be read, every workload is seen.
 */
export function selectContainers(pods: readonly Pod[], since: Date): readonly LoggingContainer[] {
  const byOwner = Map.groupBy(pods, ownerOf);
  const queues = [...byOwner.values()].map((own) => own.toSorted(youngestFirst));
  const longest = queues.reduce((most, queue) => Math.max(most, queue.length), 0);
  const inTurns = Array.from({ length: longest }, (_, turn) =>
    queues.flatMap((queue) => queue[turn] ?? []),
  );
  return inTurns.flat().flatMap((pod) => containersOf(pod, since));
}

function ownerOf(pod: Pod): string {
  const owner = pod.metadata?.ownerReferences?.find(({ controller }) => controller === true);
  return `${namespaceOf(pod)}/${owner?.name ?? nameOf(pod)}`;
}

function youngestFirst(a: Pod, b: Pod): number {
  const made = (pod: Pod) => dateOf(pod.metadata?.creationTimestamp)?.getTime() ?? 0;
  return made(b) - made(a) || nameOf(a).localeCompare(nameOf(b));
}

function containersOf(pod: Pod, since: Date): LoggingContainer[] {
  const replicaSet = controllerOf(pod, 'ReplicaSet');
  const place = {
    namespace: namespaceOf(pod),
    pod: nameOf(pod),
    ...(replicaSet !== undefined && { replicaSet }),
  };
  return (pod.status?.containerStatuses ?? [])
    .flatMap((status) => [...currentOf(status), ...previousOf(status)])
    .filter(({ finishedAt }) => !finishedAt || finishedAt >= since)
    .map((container) => ({ ...place, ...container }));
}

type Part = Omit<LoggingContainer, 'namespace' | 'pod' | 'replicaSet'>;

function currentOf({ name, state, restartCount = 0 }: ContainerStatus): Part[] {
  const startedAt = dateOf(state?.running?.startedAt ?? state?.terminated?.startedAt);
  const finishedAt = dateOf(state?.terminated?.finishedAt);
  if (name === undefined || !startedAt) return [];
  const part = { container: name, previous: false, restart: restartCount, startedAt };
  return [{ ...part, ...(finishedAt && { finishedAt }) }];
}

function previousOf({ name, lastState, restartCount = 0 }: ContainerStatus): Part[] {
  const startedAt = dateOf(lastState?.terminated?.startedAt);
  const finishedAt = dateOf(lastState?.terminated?.finishedAt);
  if (name === undefined || !startedAt || !finishedAt) return [];
  return [{ container: name, previous: true, restart: restartCount - 1, startedAt, finishedAt }];
}
