import { durationText } from '@starr/kernel';
import { dateOf, type Condition, type ContainerStatus, type Pod } from '../objects.ts';

/** What keeps a pod from doing its work. */
export interface PodTrouble {
  /** `stops`: it will not come up by waiting. `late`: it may, and is taking too long. */
  readonly kind: 'stops' | 'late';
  /** Kubernetes' own word where it has one. */
  readonly reason: string;
  readonly says: string;
  readonly container?: string;
  readonly since?: Date;
}

/** Milliseconds; the thresholds of k8s.pod-status by name. */
export interface PodPatience {
  readonly notReadyMs: number;
  readonly unscheduledMs: number;
  readonly startingMs: number;
  readonly terminatingMs: number;
}

/** Waiting reasons that do not pass by themselves. k8sgpt pkg/analyzer/pod.go (2026-08-19), without ContainerCreating and PodInitializing. */
const STOPPED: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'PostStartHookError',
]);

/** The gravest trouble of a pod now, or none. A pod that ended before `windowStart` is history, not trouble. */
export function podTrouble(
  pod: Pod,
  patience: PodPatience,
  now: Date,
  windowStart: Date,
): PodTrouble | undefined {
  const phase = pod.status?.phase;
  if (phase === 'Succeeded') return undefined;
  if (phase === 'Failed') return failedTrouble(pod, windowStart);
  const gone = dateOf(pod.metadata?.deletionTimestamp);
  if (gone) return terminatingTrouble(gone, patience, now);
  if (phase === 'Unknown') {
    return { kind: 'stops', reason: 'Unknown', says: 'its node no longer answers' };
  }
  const stopped = stoppedContainer(pod);
  if (stopped) return stopped;
  return conditionOf(pod, 'PodScheduled')?.status === 'False'
    ? unscheduledTrouble(pod, patience, now)
    : lateTrouble(pod, patience, now);
}

function failedTrouble(pod: Pod, windowStart: Date): PodTrouble | undefined {
  const statuses = pod.status?.containerStatuses ?? [];
  const ends = [
    ...statuses.map((s) => dateOf(s.state?.terminated?.finishedAt)),
    ...(pod.status?.conditions ?? []).map((c) => dateOf(c.lastTransitionTime)),
  ].filter((at) => at !== undefined);
  const since = ends.sort((a, b) => b.getTime() - a.getTime())[0] ?? dateOf(pod.status?.startTime);
  if (since && since < windowStart) return undefined;
  const exit = statuses.map((s) => s.state?.terminated?.exitCode).find((code) => (code ?? 0) !== 0);
  const reason = pod.status?.reason ?? 'Failed';
  const says = exit === undefined ? 'it ended in failure' : `it ended with exit code ${exit}`;
  return { kind: 'stops', reason, says, ...(since && { since }) };
}

function terminatingTrouble(gone: Date, patience: PodPatience, now: Date): PodTrouble | undefined {
  // deletionTimestamp is the moment at which its grace ends, not the moment of the request
  const overdueMs = now.getTime() - gone.getTime();
  if (overdueMs <= patience.terminatingMs) return undefined;
  const says = `it should have been gone ${durationText(overdueMs)} ago`;
  return { kind: 'late', reason: 'Terminating', says, since: gone };
}

function stoppedContainer(pod: Pod): PodTrouble | undefined {
  const statuses = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  for (const status of statuses) {
    const reason = status.state?.waiting?.reason;
    if (reason !== undefined && STOPPED.has(reason)) return stoppedTrouble(status, reason);
  }
  return undefined;
}

function stoppedTrouble(status: ContainerStatus, reason: string): PodTrouble {
  const last = status.lastState?.terminated;
  const container = status.name ?? '';
  const ended = last
    ? `, last ended ${last.reason ?? 'Error'} with exit code ${last.exitCode ?? 'unknown'}`
    : '';
  const since = dateOf(last?.finishedAt);
  return {
    kind: 'stops',
    reason,
    container,
    says: `container ${container} waits in ${reason}${ended}`,
    ...(since && { since }),
  };
}

function unscheduledTrouble(pod: Pod, patience: PodPatience, now: Date): PodTrouble | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (!scheduled || scheduled.reason === 'SchedulingGated') return undefined;
  const since = dateOf(scheduled.lastTransitionTime) ?? dateOf(pod.metadata?.creationTimestamp);
  const waitedMs = since ? now.getTime() - since.getTime() : 0;
  if (waitedMs <= patience.unscheduledMs) return undefined;
  const says = `no node takes it for ${durationText(waitedMs)}: ${scheduled.message ?? scheduled.reason ?? 'no reason given'}`;
  return {
    kind: 'late',
    reason: scheduled.reason ?? 'Unschedulable',
    says,
    ...(since && { since }),
  };
}

function lateTrouble(pod: Pod, patience: PodPatience, now: Date): PodTrouble | undefined {
  const ready = conditionOf(pod, 'Ready');
  if (ready?.status === 'True' || ready?.reason === 'SchedulingGated') return undefined;
  const since =
    dateOf(ready?.lastTransitionTime) ??
    dateOf(pod.status?.startTime) ??
    dateOf(pod.metadata?.creationTimestamp);
  const waitedMs = since ? now.getTime() - since.getTime() : 0;
  const started = pod.status?.phase === 'Running';
  if (waitedMs <= (started ? patience.notReadyMs : patience.startingMs)) return undefined;
  const waiting = pod.status?.containerStatuses?.find((s) => s.state?.waiting)?.state?.waiting
    ?.reason;
  return {
    kind: 'late',
    reason: started ? 'NotReady' : (waiting ?? 'Pending'),
    says: `it is ${started ? 'running but not ready' : 'not running'} for ${durationText(waitedMs)}`,
    ...(since && { since }),
  };
}

function conditionOf(pod: Pod, type: string): Condition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}
