import { toDoctorError, type Limit } from '@starr/kernel';
import type { Autoscaler, KubeEvent } from '../objects.ts';
import type {
  AutoscalersAnswer,
  KubernetesRequest,
  Listed,
  WarningsAnswer,
  WorkloadsAnswer,
} from '../request.ts';
import type { Asker } from './ask.ts';
import { deadlineWithin } from './deadline.ts';
import type { HealthMemory } from './health-memory.ts';
import type { LogVault } from './log-vault.ts';
import { lookAccess } from './look-access.ts';
import { lookLogs } from './look-logs.ts';
import { Failed, listEverywhere, type Looking } from './list-everywhere.ts';
import { lookWorkloads } from './look-workloads.ts';
import { maskEvent } from './mask-objects.ts';
import { RESOURCES } from './resources.ts';

/** All that is asked of a cluster without changing it. */
export interface Performer {
  perform(request: KubernetesRequest, limit: Limit): Promise<unknown>;
}

/** Logs of one sweep share its list of pods: one list a namespace and sweep. */
const SHARED_MS = 1000;

export function createPerformer(
  looking: Looking,
  acting: Asker | undefined,
  memory: HealthMemory,
  vault: LogVault,
): Performer {
  let latest: { readonly answer: Promise<WorkloadsAnswer>; readonly at: number } | undefined;

  const workloads = (limit: Limit): Promise<WorkloadsAnswer> => {
    const answer = lookWorkloads(looking, memory, limit);
    latest = { answer, at: performance.now() };
    // who shares it sees the failure too; who does not must not be told of it as unhandled
    answer.catch(() => (latest = undefined));
    return answer;
  };

  const sharedWorkloads = async (limit: Limit): Promise<WorkloadsAnswer> => {
    await new Promise((resolve) => setImmediate(resolve)); // a sibling of the same sweep goes first
    const recent = latest && performance.now() - latest.at < SHARED_MS ? latest.answer : undefined;
    return recent ?? workloads(limit);
  };

  return {
    perform(request, limit) {
      switch (request.kind) {
        case 'workloads':
          return workloads(limit);
        case 'logs':
          return lookLogs(looking, sharedWorkloads(limit), vault, request, limit);
        case 'warnings':
          return lookWarnings(looking, limit);
        case 'autoscalers':
          return lookAutoscalers(looking, limit);
        case 'access':
          return lookAccess(
            { ...looking, diagnosing: looking.ask, ...(acting && { acting }) },
            request,
            limit,
          );
      }
    },
  };
}

async function lookWarnings(looking: Looking, limit: Limit): Promise<WarningsAnswer> {
  const deadline = deadlineWithin(limit);
  const selector = 'type=Warning';
  const listed = await listEverywhere<KubeEvent>(
    looking,
    RESOURCES.events,
    deadline,
    limit,
    selector,
  );
  const { items, blind } = seenOrThrow(listed);
  return { items: items.map(maskEvent), blind };
}

async function lookAutoscalers(looking: Looking, limit: Limit): Promise<AutoscalersAnswer> {
  const deadline = deadlineWithin(limit);
  return seenOrThrow(
    await listEverywhere<Autoscaler>(looking, RESOURCES.autoscalers, deadline, limit),
  );
}

function seenOrThrow<T>(listed: Listed<T> | Failed): Listed<T> {
  if (listed instanceof Failed) throw toDoctorError(listed.thrown);
  return listed;
}
