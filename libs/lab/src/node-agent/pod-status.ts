import type {
  Condition,
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
  PodPhase,
  PodStatus,
} from './pod-types.ts';

/** What the agent knows of one container at one moment. */
export interface ContainerView {
  readonly container: Container;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly restartCount: number;
  readonly containerId?: string;
  /** The readiness probe's answer; true when running without one. */
  readonly ready: boolean;
}

export interface PodView {
  readonly pod: Pod;
  readonly containers: readonly ContainerView[];
  readonly podIp: string;
  readonly hostIp: string;
  readonly startedAt: Date;
  readonly now: Date;
}

/** RFC 3339 with whole seconds: what `metav1.Time` keeps. */
export const kubeTime = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

const phaseOf = (view: PodView): PodPhase => {
  const policy = view.pod.spec.restartPolicy ?? 'Always';
  const states = view.containers.map((one) => one.state);
  const started = view.containers.every(
    (one) => one.state.waiting === undefined || one.lastState.terminated !== undefined,
  );
  if (!started) return 'Pending';
  const ended = states.filter((state) => state.terminated !== undefined);
  const allEnded = ended.length === states.length;
  if (!allEnded) return 'Running';
  const allWell = ended.every((state) => state.terminated?.exitCode === 0);
  // a pod on its way out is over, whatever its policy would have restarted
  if (view.pod.metadata.deletionTimestamp !== undefined) return allWell ? 'Succeeded' : 'Failed';
  switch (policy) {
    case 'Always':
      return 'Running';
    case 'OnFailure':
      return allWell ? 'Succeeded' : 'Running';
    case 'Never':
      return allWell ? 'Succeeded' : 'Failed';
  }
};

const containerStatus = (view: ContainerView, imageId: string): ContainerStatus => ({
  name: view.container.name,
  image: view.container.image,
  imageID: view.state.waiting?.reason.includes('Image') === true ? '' : imageId,
  ...(view.containerId === undefined ? {} : { containerID: view.containerId }),
  ready: view.ready,
  started: view.state.running !== undefined,
  restartCount: view.restartCount,
  state: view.state,
  lastState: view.lastState,
});

/** The conditions that a kubelet owns; those of others stay as they are. */
export const OWN_CONDITIONS: readonly string[] = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
];

type Fact = Omit<Condition, 'lastTransitionTime' | 'lastProbeTime'>;

const readiness = (type: string, view: PodView, phase: PodPhase): Fact => {
  const unready = view.containers.filter((one) => !one.ready).map((one) => one.container.name);
  if (unready.length === 0) return { type, status: 'True' };
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const message = `containers with unready status: [${unready.join(' ')}]`;
  return { type, status: 'False', reason: 'ContainersNotReady', message };
};

const conditionsOf = (view: PodView, phase: PodPhase): Condition[] => {
  const before = view.pod.status?.conditions ?? [];
  const facts: Fact[] = [
    { type: 'PodReadyToStartContainers', status: 'True' },
    { type: 'Initialized', status: 'True' },
    readiness('Ready', view, phase),
    readiness('ContainersReady', view, phase),
    { type: 'PodScheduled', status: 'True' },
  ];
  const ours = facts.map((fact): Condition => {
    const old = before.find((one) => one.type === fact.type);
    const since =
      old?.status === fact.status && old.lastTransitionTime !== null
        ? old.lastTransitionTime
        : kubeTime(view.now);
    return { ...fact, lastProbeTime: null, lastTransitionTime: since };
  });
  // conditions of other owners (a disruption, a readiness gate) stay as they are
  const theirs = before.filter((one) => !facts.some((fact) => fact.type === one.type));
  return [...ours, ...theirs];
};

/** The status that a kubelet would write for these containers. Pure. */
export const podStatus = (view: PodView): PodStatus => {
  const phase = phaseOf(view);
  return {
    phase,
    conditions: conditionsOf(view, phase),
    hostIP: view.hostIp,
    hostIPs: [{ ip: view.hostIp }],
    podIP: view.podIp,
    podIPs: [{ ip: view.podIp }],
    startTime: kubeTime(view.startedAt),
    containerStatuses: view.containers.map((one) =>
      containerStatus(one, `starr-lab://${one.container.image}`),
    ),
  };
};
