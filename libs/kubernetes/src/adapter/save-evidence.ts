import { toDoctorError, type Json, type Limit } from '@starr/kernel';
import { controllerOf, nameOf } from '../model/workloads.ts';
import type { ContainerStatus, Pod } from '../objects.ts';
import type { RollbackAct } from '../request.ts';
import { listPages } from './list.ts';
import type { Looking } from './list-everywhere.ts';
import { maskPod } from './mask-objects.ts';
import { readLog } from './read-log.ts';
import { RESOURCES } from './resources.ts';

const MAX_PODS = 4;
const TAIL_LINES = 40;
/** Of each log; all together stay below 64 KiB. */
const MAX_LOG_BYTES = 6 * 1024;
const WITHIN_MS = 3000;

/**
 * What the rollback is about to destroy: states and last words of the pods that are left, previous containers first. Bounded in
 * time and size; what could not be had is said in its place, and does not stop the act.
 */
export async function saveEvidence(
  looking: Looking,
  act: RollbackAct,
  limit: Limit,
): Promise<Json> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  try {
    const { namespace } = act;
    const listed = await listPages<Pod>(
      looking.ask,
      { resource: RESOURCES.pods, namespace, maxRows: 5000, timeoutMs: WITHIN_MS, signal },
      limit,
    );
    const own = listed.items.filter(
      (pod) => controllerOf(pod, 'ReplicaSet') === act.from.replicaSet,
    );
    const saved = own.toSorted(mostRestartedFirst).slice(0, MAX_PODS).map(maskPod);
    return {
      pods: own.length,
      saved: await Promise.all(saved.map((pod) => savePod(looking, act, pod, signal, limit))),
    };
  } catch (thrown) {
    return { missing: toDoctorError(thrown).rawMessage };
  }
}

function mostRestartedFirst(a: Pod, b: Pod): number {
  const restarts = (pod: Pod) =>
    (pod.status?.containerStatuses ?? []).reduce((sum, s) => sum + (s.restartCount ?? 0), 0);
  return restarts(b) - restarts(a) || nameOf(a).localeCompare(nameOf(b));
}

async function savePod(
  looking: Looking,
  act: RollbackAct,
  pod: Pod,
  signal: AbortSignal,
  limit: Limit,
): Promise<Json> {
  const statuses = pod.status?.containerStatuses ?? [];
  const containers = await Promise.all(
    statuses.map(async (status): Promise<Json> => {
      const previous = status.lastState?.terminated !== undefined;
      const log = await lastWords(looking, act, nameOf(pod), status, previous, signal, limit);
      return {
        container: status.name ?? '',
        restarts: status.restartCount ?? 0,
        state: (status.state ?? {}) as Json,
        lastState: (status.lastState ?? {}) as Json,
        [previous ? 'previousLog' : 'log']: log,
      };
    }),
  );
  return { pod: nameOf(pod), phase: pod.status?.phase ?? 'Unknown', containers };
}

async function lastWords(
  { ask }: Looking,
  { namespace }: RollbackAct,
  pod: string,
  { name = '' }: ContainerStatus,
  previous: boolean,
  signal: AbortSignal,
  limit: Limit,
): Promise<Json> {
  const bounds = { tailLines: TAIL_LINES, maxBytes: MAX_LOG_BYTES };
  try {
    const request = { namespace, pod, container: name, previous, ...bounds, signal };
    return (await readLog(ask, request, limit))?.lines ?? [];
  } catch (thrown) {
    return { missing: toDoctorError(thrown).rawMessage };
  }
}
