import { describe, expect, it } from '@jest/globals';
import type { ContainerStatus, Pod } from '../objects.ts';
import { ago, NOW, pod, runningContainer } from '../test/make-objects.ts';
import { selectContainers } from './select-containers.ts';

const since = new Date(NOW.getTime() - 600_000);
const chosen = (...pods: Pod[]) =>
  selectContainers(pods, since).map(
    (one) => `${one.pod}/${one.container}#${one.restart}${one.previous ? ' previous' : ''}`,
  );
const ended = (ms: number) => ({
  terminated: { exitCode: 1, startedAt: ago(ms + 1000), finishedAt: ago(ms) },
});

describe('the containers whose logs are read', () => {
  it.each<[string, ContainerStatus, string[]]>([
    ['running', runningContainer(), ['a/app#0']],
    [
      'running again',
      { ...runningContainer(1000), restartCount: 3, lastState: ended(2000) },
      ['a/app#3', 'a/app#2 previous'],
    ],
    [
      'running again since before the time',
      { ...runningContainer(700_000), restartCount: 3, lastState: ended(700_000) },
      ['a/app#3'],
    ],
    ['ended', { name: 'app', restartCount: 0, state: ended(5000) }, ['a/app#0']],
    ['ended before the time', { name: 'app', restartCount: 0, state: ended(600_001) }, []],
    [
      'ended at the edge of the time',
      { name: 'app', restartCount: 0, state: ended(600_000) },
      ['a/app#0'],
    ],
    ['never started', { name: 'app', state: { waiting: { reason: 'ImagePullBackOff' } } }, []],
    [
      'waiting to start again',
      {
        name: 'app',
        restartCount: 2,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: ended(1000),
      },
      ['a/app#1 previous'],
    ],
  ])('%s', (_what, container, expected) => {
    expect(chosen(pod({ name: 'a', container }))).toEqual(expected);
  });

  it('are taken in turns, the youngest pod of each workload first', () => {
    const of = (name: string, set: string, startedMs: number) => pod({ name, set, startedMs });
    expect(
      chosen(of('x1', 'x', 9000), of('x2', 'x', 1000), of('x3', 'x', 5000), of('y1', 'y', 2000)),
    ).toEqual(['x2/app#0', 'y1/app#0', 'x3/app#0', 'x1/app#0']);
  });
});
