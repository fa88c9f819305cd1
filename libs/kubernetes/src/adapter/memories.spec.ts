import { describe, expect, it } from '@jest/globals';
import { ago, NOW, pod, replicaSet } from '../test/make-objects.ts';
import type { ReplicaSet } from '../objects.ts';
import type { ContainerLog } from '../request.ts';
import { createHealthMemory } from './health-memory.ts';
import { createLogVault } from './log-vault.ts';

const later = (ms: number) => new Date(NOW.getTime() + ms);
const scaled = (replicas: number, availableReplicas: number): ReplicaSet => ({
  ...replicaSet({ revision: 1, createdMs: 9e8 }),
  spec: { replicas },
  status: { replicas, availableReplicas },
});
const readyPod = (readySinceMs: number, ready = true) =>
  pod({ name: 'checkout-1-a', set: 'checkout-1', readySinceMs, ready });

describe('the memory of health', () => {
  it('knows from one look since when all pods of a revision are ready', () => {
    const memory = createHealthMemory();
    memory.learn([scaled(2, 2)], [readyPod(500_000), readyPod(90_000)], NOW);
    expect(memory.recall()['rs-1']).toEqual({ from: ago(90_000), to: NOW.toISOString(), looks: 1 });
  });

  it.each([
    ['none is wanted', scaled(0, 0), []],
    ['one is not available', scaled(2, 1), [readyPod(1000), readyPod(1000)]],
    ['a pod is not ready', scaled(1, 1), [readyPod(1000, false)]],
    ['its pods were not seen', scaled(1, 1), []],
  ])('learns nothing when %s', (_what, set, pods) => {
    const memory = createHealthMemory();
    memory.learn([set], pods, NOW);
    expect(memory.recall()).toEqual({});
  });

  it('keeps the longest time of health, also when it is over', () => {
    const memory = createHealthMemory();
    memory.learn([scaled(1, 1)], [readyPod(60_000)], NOW);
    memory.learn([scaled(1, 1)], [readyPod(60_000)], later(30_000));
    memory.learn([scaled(1, 0)], [], later(31_000));
    memory.learn([scaled(1, 1)], [readyPod(-40_000)], later(41_000));
    expect(memory.recall()['rs-1']).toEqual({
      from: ago(60_000),
      to: later(30_000).toISOString(),
      looks: 2,
    });
  });
});

function log(more: Partial<ContainerLog> = {}): ContainerLog {
  return {
    namespace: 'shop',
    pod: 'a',
    container: 'app',
    replicaSet: 'checkout-1',
    previous: false,
    restart: 0,
    remembered: false,
    fromStart: true,
    coveredFrom: ago(60_000),
    coveredTo: ago(0),
    lines: [],
    ...more,
  };
}
const error = (ms: number) => `${ago(ms)} {"level":"error","msg":"boom"}`;
const info = (ms: number) => `${ago(ms)} {"level":"info","msg":"fine"}`;

describe('the vault of error lines', () => {
  it('gives back the errors of a pod that is gone, and only these', () => {
    const vault = createLogVault();
    expect(vault.remember([log({ lines: [error(5000), info(4000)] })])).toEqual([]);
    const [gone, ...more] = vault.remember([]);
    expect(more).toEqual([]);
    expect(gone).toMatchObject({
      pod: 'a',
      remembered: true,
      lines: [error(5000)],
      coveredFrom: ago(60_000),
      coveredTo: ago(0),
    });
    expect(vault.remember([])).toHaveLength(1);
  });

  it('says nothing twice of a pod that is read again', () => {
    const vault = createLogVault();
    vault.remember([log({ lines: [error(5000)] })]);
    expect(vault.remember([log({ lines: [error(5000)] })])).toEqual([]);
  });

  it('adds what a log that turns over no longer holds', () => {
    const vault = createLogVault();
    vault.remember([log({ lines: [error(50_000), error(20_000)] })]);
    const cut = log({ fromStart: false, coveredFrom: ago(30_000), lines: [error(20_000)] });
    expect(vault.remember([cut])).toEqual([
      expect.objectContaining({
        lines: [error(50_000)],
        coveredFrom: ago(60_000),
        coveredTo: ago(30_000),
        fromStart: true,
      }),
    ]);
    expect(vault.remember([cut])).toEqual([expect.objectContaining({ lines: [error(50_000)] })]);
  });

  it('tells a restarted container from the one before', () => {
    const vault = createLogVault();
    vault.remember([log({ lines: [error(5000)] })]);
    expect(vault.remember([log({ restart: 1, coveredFrom: ago(1000) })])).toHaveLength(1);
    const previous = log({ previous: true, restart: 0, lines: [error(5000)] });
    expect(vault.remember([log({ restart: 1, coveredFrom: ago(1000) }), previous])).toEqual([]);
  });

  it('is bounded: the newest errors of a container, and since when they are all', () => {
    const vault = createLogVault();
    vault.remember([log({ lines: Array.from({ length: 300 }, (_, n) => error(30_000 - n)) })]);
    const [kept] = vault.remember([]);
    expect(kept?.lines).toHaveLength(200);
    expect(kept).toMatchObject({ coveredFrom: ago(29_900), fromStart: false });
  });

  it('is bounded: the oldest containers are forgotten', () => {
    const vault = createLogVault();
    for (let n = 0; n < 500; n += 1) vault.remember([log({ pod: `p${n}` })]);
    expect(vault.remember([])).toHaveLength(400);
  });
});
