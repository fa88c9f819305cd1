import { describe, expect, it } from '@jest/globals';
import { blindSpot, statusOf, type Severity } from '@starr/kernel';
import type { Workloads } from '../model/workloads.ts';
import type { ContainerStatus, Terminated } from '../objects.ts';
import { ago, cluster, limitsOf, listed, lookAt, pod, WINDOW_MS } from '../test/make-objects.ts';
import { restarts } from './restarts.ts';

function judge(workloads: Workloads) {
  return restarts.judge({ workloads }, limitsOf(restarts.thresholds), lookAt());
}

const ended = (more: Partial<Terminated> = {}): Terminated => ({
  exitCode: 1,
  reason: 'Error',
  finishedAt: ago(60_000),
  ...more,
});
const OOM = { exitCode: 137, reason: 'OOMKilled' };

interface Case {
  readonly count: number;
  readonly last?: Terminated;
  readonly now?: Terminated;
  /** Start of the pod; older than the window unless said otherwise. */
  readonly podMs?: number;
}

function withContainer({ count, last, now, podMs = 2 * WINDOW_MS }: Case) {
  const container: ContainerStatus = {
    name: 'app',
    restartCount: count,
    state: now ? { terminated: now } : { running: { startedAt: ago(50_000) } },
    ...(last && { lastState: { terminated: last } }),
  };
  return judge(cluster({ pods: listed(pod({ container, startedMs: podMs })) }));
}

describe('k8s.restarts', () => {
  it.each<[string, Case, number, Severity | undefined]>([
    ['none', { count: 0 }, 0, undefined],
    [
      'many over its life, none within the window',
      { count: 90, last: ended({ finishedAt: ago(WINDOW_MS + 1) }) },
      0,
      undefined,
    ],
    [
      'the last at the very edge of the window',
      { count: 90, last: ended({ finishedAt: ago(WINDOW_MS) }) },
      1,
      undefined,
    ],
    ['one, of an old pod', { count: 1, last: ended() }, 1, undefined],
    [
      'one, of a pod that began in the window',
      { count: 1, last: ended(), podMs: 600_000 },
      1,
      undefined,
    ],
    [
      'two, of a pod that began in the window',
      { count: 2, last: ended(), podMs: 600_000 },
      2,
      'warning',
    ],
    ['four', { count: 4, last: ended(), podMs: 600_000 }, 4, 'warning'],
    ['five', { count: 5, last: ended(), podMs: 600_000 }, 5, 'critical'],
    ['one kill for memory, by the last state', { count: 1, last: ended(OOM) }, 1, 'warning'],
    ['one kill for memory, by the current state', { count: 0, now: ended(OOM) }, 0, 'warning'],
    [
      'killed for memory, up again and killed again',
      { count: 1, last: ended(OOM), now: ended(OOM) },
      1,
      'critical',
    ],
    [
      'a kill for memory before the window',
      { count: 1, last: ended({ ...OOM, finishedAt: ago(WINDOW_MS + 1) }) },
      0,
      undefined,
    ],
    [
      'SIGKILL that nobody calls a kill for memory',
      { count: 1, last: ended({ exitCode: 137 }) },
      1,
      undefined,
    ],
    [
      'a Job that is done',
      { count: 0, now: ended({ exitCode: 0, reason: 'Completed' }) },
      0,
      undefined,
    ],
    ['an end without a moment', { count: 1, last: { exitCode: 1 } }, 0, undefined],
  ])('%s', (_what, parts, count, severity) => {
    const verdict = withContainer(parts);
    expect(verdict.findings?.[0]?.severity).toBe(severity);
    expect(verdict.measured).toContainEqual(
      expect.objectContaining({
        name: 'restarts',
        value: count,
        about: expect.objectContaining({ kind: 'deployment' }),
      }),
    );
  });

  it('says how many on how many pods, at least, by what, since when, and on which revision', () => {
    const verdict = withContainer({ count: 7, last: ended(OOM) });
    expect(verdict.findings?.[0]).toMatchObject({
      says: 'shop/checkout: at least 1 restarts on 1 pods, 1 killed for memory; ended by OOMKilled',
      since: new Date(ago(60_000)),
      involves: [
        { kind: 'revision', name: 'shop/checkout#2' },
        { kind: 'pod', name: 'shop/checkout-2-a' },
      ],
      rows: [
        {
          pod: 'checkout-2-a',
          restarts: 1,
          exact: false,
          oomKills: 1,
          memoryLimit: '64Mi',
          exitCode: 137,
        },
      ],
    });
  });

  it('adds the pods of a Deployment up', () => {
    const container: ContainerStatus = {
      name: 'app',
      restartCount: 1,
      state: { running: { startedAt: ago(50_000) } },
      lastState: { terminated: ended() },
    };
    const verdict = judge(
      cluster({ pods: listed(pod({ name: 'a', container }), pod({ name: 'b', container })) }),
    );
    expect(verdict.findings?.[0]).toMatchObject({
      severity: 'warning',
      says: 'shop/checkout: 2 restarts on 2 pods; ended by exit code 1',
    });
  });

  it('is blind without pods', () => {
    expect(statusOf(judge(cluster({ pods: blindSpot('denied', 'may not list pods') })))).toBe(
      'blind',
    );
  });
});
