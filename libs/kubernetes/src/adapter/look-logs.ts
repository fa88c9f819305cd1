import {
  blindFromError,
  blindSpot,
  isBlindSpot,
  toDoctorError,
  type BlindSpot,
  type DoctorError,
  type Limit,
} from '@starr/kernel';
import type { ContainerLog, KubernetesRequest, LogsAnswer, WorkloadsAnswer } from '../request.ts';
import { deadlineWithin, type Deadline } from './deadline.ts';
import type { LogVault } from './log-vault.ts';
import type { Looking } from './list-everywhere.ts';
import { readLog } from './read-log.ts';
import { selectContainers, type LoggingContainer } from './select-containers.ts';

type LogsRequest = Extract<KubernetesRequest, { kind: 'logs' }>;

/** A line of a usual log has so many bytes; used to share the bytes between the containers. */
const BYTES_A_LINE = 250;
const LEAST_LINES = 100;
const NAMED = 3;

/** Pods, then their logs in parallel: one composite look. Fails only when no log could be read at all. */
export async function lookLogs(
  looking: Looking,
  workloads: Promise<WorkloadsAnswer>,
  vault: LogVault,
  request: LogsRequest,
  limit: Limit,
): Promise<LogsAnswer> {
  const deadline = deadlineWithin(limit);
  const { pods } = await workloads;
  if (isBlindSpot(pods)) return { logs: [], blind: [pods] };
  const now = new Date();
  const since = new Date(now.getTime() - request.sinceMs);
  const all = selectContainers(pods.items, since);
  const chosen = all.slice(0, request.maxContainers);
  const outcomes = await readAll(looking, chosen, request, { now, since, deadline }, limit);
  const logs = outcomes.flatMap((one) => ('lines' in one ? [one] : []));
  const failures = outcomes.filter((one) => 'thrown' in one);
  const [first] = failures;
  if (first && logs.length === 0) throw toDoctorError(first.thrown);
  return {
    logs: [...logs, ...vault.remember(logs)],
    blind: [
      ...pods.blind,
      ...blindFromFailures(failures, chosen.length),
      ...(chosen.length < all.length ? [tooMany(chosen.length, all.length)] : []),
    ],
  };
}

interface When {
  readonly now: Date;
  readonly since: Date;
  readonly deadline: Deadline;
}

interface LogFailure {
  readonly container: LoggingContainer;
  readonly thrown: DoctorError;
}

/** None: the container has no log after all. */
type LogOutcome = ContainerLog | LogFailure | { readonly none: true };

async function readAll(
  looking: Looking,
  chosen: readonly LoggingContainer[],
  request: LogsRequest,
  when: When,
  limit: Limit,
): Promise<readonly LogOutcome[]> {
  const maxBytes = Math.floor(request.maxBytes / Math.max(1, chosen.length));
  const share = Math.floor(maxBytes / BYTES_A_LINE);
  const tailLines = Math.min(request.tailLines, Math.max(LEAST_LINES, share));
  // One refusal in a namespace speaks for all its pods: RBAC does not tell them apart.
  const denied = new Map<string, DoctorError>();
  return Promise.all(
    chosen.map(async (container): Promise<LogOutcome> => {
      const refusal = denied.get(container.namespace);
      if (refusal) return { container, thrown: refusal };
      try {
        const bounds = { tailLines, maxBytes: Math.max(maxBytes, tailLines * BYTES_A_LINE) };
        return (await readOne(looking, container, bounds, when, limit)) ?? { none: true };
      } catch (thrown) {
        const error = toDoctorError(thrown);
        if (error.code === 'TARGET_DENIED') denied.set(container.namespace, error);
        return { container, thrown: error };
      }
    }),
  );
}

async function readOne(
  { ask }: Looking,
  container: LoggingContainer,
  bounds: { readonly tailLines: number; readonly maxBytes: number },
  { now, since, deadline }: When,
  limit: Limit,
): Promise<ContainerLog | undefined> {
  const { startedAt, finishedAt, ...place } = container;
  const fromStart = startedAt >= since;
  const sinceSeconds = fromStart
    ? {}
    : { sinceSeconds: Math.ceil((now.getTime() - since.getTime()) / 1000) };
  const text = await readLog(
    ask,
    { ...place, ...bounds, ...sinceSeconds, signal: deadline.signal },
    limit,
  );
  if (!text) return undefined;
  const { lines, startsLate, endsEarly } = text;
  return {
    ...place,
    remembered: false,
    lines,
    fromStart: fromStart && !startsLate,
    coveredFrom: startsLate
      ? stampOf(lines[0], startedAt)
      : (fromStart ? startedAt : since).toISOString(),
    coveredTo: endsEarly ? stampOf(lines.at(-1), now) : (finishedAt ?? now).toISOString(),
  };
}

function stampOf(line: string | undefined, otherwise: Date): string {
  const stamp = line?.slice(0, line.indexOf(' ')) ?? '';
  return Number.isNaN(Date.parse(stamp)) ? otherwise.toISOString() : stamp;
}

/** One blind spot a reason, with the names of some pods. */
function blindFromFailures(failures: readonly LogFailure[], asked: number): BlindSpot[] {
  const byReason = Map.groupBy(
    failures,
    ({ thrown }) => `${thrown.code} ${thrown.details['cure'] ?? ''}`,
  );
  return [...byReason.values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    const spot = blindFromError(first.thrown);
    if (spot.why === 'denied') return [spot];
    const names = [...new Set(same.map(({ container }) => container.pod))];
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
    const detail = `${same.length} of ${asked} logs could not be read (${names.slice(0, NAMED).join(', ')}${more}): ${spot.detail}`;
    return [blindSpot(spot.why, detail, spot.cure)];
  });
}

function tooMany(read: number, all: number): BlindSpot {
  return blindSpot(
    'truncated',
    `The logs of ${read} of ${all} containers were read, some of each workload`,
  );
}
