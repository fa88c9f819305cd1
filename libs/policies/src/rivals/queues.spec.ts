import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import PQueue from 'p-queue';
import { calls } from '../test/held-calls.ts';
import { WorkQueue } from '../work-queue.ts';

const limitMs = 100;
/** One wheel serves all deadlines of a process; its turn is as long as a deadline may be late. */
const wheelTurnMs = 8;

beforeEach(() => {
  // p-queue starts the next work in a microtask: time is faked here, the order of microtasks is not
  jest.useFakeTimers({ doNotFake: ['queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('more work than the workers can do', () => {
  const flood = 10_000;

  it('p-queue: takes all of it, without a bound that could be set', async () => {
    const act = calls();
    const queue = new PQueue({ concurrency: 1 });
    for (let number = 0; number < flood; number++) void queue.add(act.begin).catch(() => 'ended');
    expect(queue.size).toBe(flood - 1);
    queue.clear();
    act.succeed(0);
    await queue.onIdle();
  });

  it('here: takes what fits, and refuses the rest at once', async () => {
    const act = calls();
    const queue = new WorkQueue('orders', { maxWorkers: 1, maxSize: 10 });
    const ended = Array.from({ length: flood }, () =>
      queue.submit(act.begin).catch((error: unknown) => error),
    );
    expect(queue.snapshot()).toMatchObject({ size: 10, rejected: flood - 11 });
    await expect(ended.at(-1)).resolves.toMatchObject({ code: 'queue-full' });
    for (let number = 0; number < 11; number++) {
      act.succeed(number);
      await jest.advanceTimersByTimeAsync(0);
    }
    expect(queue.snapshot()).toMatchObject({ size: 0, activeWorkers: 0, processed: 11 });
  });
});

describe('a work that waits longer than anybody waits for it', () => {
  it('p-queue: is run all the same, since its timeout starts when the work does', async () => {
    const act = calls();
    const queue = new PQueue({ concurrency: 1, timeout: limitMs });
    const blocking = queue.add(act.begin, { timeout: undefined });
    const waiting = queue.add(act.begin);
    await jest.advanceTimersByTimeAsync(60 * limitMs);
    act.succeed(0);
    await blocking;
    await jest.advanceTimersByTimeAsync(0);
    expect(act.begun()).toBe(2);
    act.succeed(1);
    await expect(waiting).resolves.toBe('done');
  });

  it('here: is refused in its time, and never runs', async () => {
    const act = calls();
    const queue = new WorkQueue('orders', { maxWorkers: 1, maxSize: 10, waitTimeoutMs: limitMs });
    const blocking = queue.submit(act.begin);
    const waiting = queue.submit(act.begin).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(limitMs + wheelTurnMs);
    await expect(waiting).resolves.toMatchObject({ code: 'wait-timeout' });
    act.succeed(0);
    await blocking;
    expect(act.begun()).toBe(1);
    expect(queue.snapshot()).toMatchObject({ size: 0, timedOut: 1, processed: 1 });
  });
});

describe('a work that does not end in its time', () => {
  it('p-queue: frees its place though it goes on, so that more run at once than allowed', async () => {
    const act = calls();
    const queue = new PQueue({ concurrency: 2, timeout: limitMs });
    for (let number = 0; number < 20; number++) void queue.add(act.begin).catch(() => 'timed out');
    await jest.advanceTimersByTimeAsync(9 * limitMs);
    expect(queue.pending).toBe(2);
    expect(act.out()).toBe(20);
  });

  it('here: keeps its worker until it has ended', async () => {
    const act = calls();
    const queue = new WorkQueue('orders', { maxWorkers: 2, maxSize: 20, waitTimeoutMs: limitMs });
    const ended = Array.from({ length: 20 }, () => queue.submit(act.begin).catch(() => 'refused'));
    await jest.advanceTimersByTimeAsync(9 * limitMs);
    expect(act.out()).toBe(2);
    expect(queue.snapshot()).toMatchObject({ activeWorkers: 2, timedOut: 18 });
    act.succeed(0);
    act.succeed(1);
    expect((await Promise.all(ended)).filter((each) => each === 'done')).toHaveLength(2);
  });
});
