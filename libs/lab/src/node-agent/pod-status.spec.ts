import { describe, expect, it } from '@jest/globals';
import { type ContainerView, podStatus } from './pod-status.ts';
import type { ContainerState, Pod, PodStatus } from './pod-types.ts';

const NOW = new Date('2026-01-01T00:01:00Z');
const waiting = (reason: string): ContainerState => ({ waiting: { reason } });
const running: ContainerState = { running: { startedAt: '2026-01-01T00:00:10Z' } };
const ended = (exitCode: number): ContainerState => ({
  terminated: {
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    startedAt: '2026-01-01T00:00:10Z',
    finishedAt: '2026-01-01T00:00:20Z',
    containerID: 'starr-lab://1-a',
  },
});

interface Case {
  readonly states: readonly (readonly [ContainerState, ContainerState?])[];
  readonly policy?: 'Always' | 'OnFailure' | 'Never';
  readonly deleted?: boolean;
  readonly before?: PodStatus;
}

const statusOf = ({ states, policy, deleted, before }: Case): PodStatus => {
  const containers = states.map(([state, lastState = {}], index): ContainerView => {
    const container = { name: `c${index}`, image: 'web:1' };
    return { container, state, lastState, restartCount: 0, ready: state.running !== undefined };
  });
  const pod: Pod = {
    metadata: { name: 'p', ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:50Z' } : {}) },
    spec: {
      containers: containers.map((one) => one.container),
      ...(policy ? { restartPolicy: policy } : {}),
    },
    ...(before ? { status: before } : {}),
  };
  return podStatus({
    ...{ pod, containers, podIp: '127.0.101.1', hostIp: '127.0.100.1' },
    ...{ startedAt: new Date('2026-01-01T00:00:00Z'), now: NOW },
  });
};

describe('the status of a pod', () => {
  it.each<[string, Case, string]>([
    ['not started', { states: [[waiting('ContainerCreating')]] }, 'Pending'],
    ['half started', { states: [[running], [waiting('ContainerCreating')]] }, 'Pending'],
    ['without its image', { states: [[waiting('ImagePullBackOff')]] }, 'Pending'],
    ['running', { states: [[running]] }, 'Running'],
    ['in back-off', { states: [[waiting('CrashLoopBackOff'), ended(1)]] }, 'Running'],
    ['between two runs', { states: [[ended(1)]] }, 'Running'],
    ['half over', { states: [[running], [ended(0)]], policy: 'Never' }, 'Running'],
    ['well over', { states: [[ended(0)], [ended(0)]], policy: 'Never' }, 'Succeeded'],
    ['badly over', { states: [[ended(0)], [ended(1)]], policy: 'Never' }, 'Failed'],
    ['to try again', { states: [[ended(1)]], policy: 'OnFailure' }, 'Running'],
    ['done trying', { states: [[ended(0)]], policy: 'OnFailure' }, 'Succeeded'],
    ['deleted and well over', { states: [[ended(0)]], deleted: true }, 'Succeeded'],
    ['deleted and killed', { states: [[ended(137)]], deleted: true }, 'Failed'],
    ['deleted and still running', { states: [[running]], deleted: true }, 'Running'],
  ])('%s has the phase of it', (_, given, phase) => {
    expect(statusOf(given).phase).toBe(phase);
  });

  it.each<[string, Case, object]>([
    ['ready', { states: [[running]] }, { status: 'True' }],
    [
      'half ready',
      { states: [[running], [waiting('CrashLoopBackOff'), ended(1)]] },
      {
        status: 'False',
        reason: 'ContainersNotReady',
        message: 'containers with unready status: [c1]',
      },
    ],
    [
      'over',
      { states: [[ended(0)]], policy: 'Never' },
      { status: 'False', reason: 'PodCompleted' },
    ],
    ['failed', { states: [[ended(1)]], policy: 'Never' }, { status: 'False', reason: 'PodFailed' }],
  ])('%s says so in its conditions', (_, given, condition) => {
    const conditions = statusOf(given).conditions ?? [];
    for (const type of ['Ready', 'ContainersReady']) {
      expect(conditions.find((one) => one.type === type)).toMatchObject(condition);
    }
  });

  it('keeps the moment of a condition that did not turn, and takes now for one that did', () => {
    const since = '2026-01-01T00:00:30Z';
    const old = (type: string, status: 'True' | 'False'): object => ({
      ...{ type, status, lastTransitionTime: since },
    });
    const before = {
      conditions: [
        old('Ready', 'True'),
        old('PodScheduled', 'True'),
        old('DisruptionTarget', 'True'),
      ],
    } as PodStatus;
    const { conditions = [] } = statusOf({ states: [[ended(1)]], before });
    const at = (type: string): unknown =>
      conditions.find((one) => one.type === type)?.lastTransitionTime;
    expect(at('Ready')).toBe('2026-01-01T00:01:00Z');
    expect(at('PodScheduled')).toBe(since);
    expect(at('DisruptionTarget')).toBe(since); // another's: passed on as it is
  });
});
