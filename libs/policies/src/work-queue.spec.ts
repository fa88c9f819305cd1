import { describe, expect, it } from '@jest/globals';
import { createFakeClock } from './test/fake-clock.ts';
import type { WorkQueueOptions } from './work-queue-options.ts';
import { WorkQueue } from './work-queue.ts';

interface Work {
  started: boolean;
  end: (value?: unknown) => void;
  fail: (error: unknown) => void;
  result: Promise<unknown>;
}

function setUp(options: Partial<WorkQueueOptions> = {}) {
  const clock = createFakeClock();
  const queue = new WorkQueue('mails', { maxWorkers: 2, maxSize: 3, clock, ...options });
  const submit = (): Work => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const work: Work = { started: false, end: resolve, fail: reject, result: Promise.resolve() };
    work.result = queue.submit(() => {
      work.started = true;
      return promise;
    });
    // a spec looks at the results it cares about
    work.result.catch(() => undefined);
    return work;
  };
  return {
    clock,
    queue,
    submit,
    submits: (count: number) => Array.from({ length: count }, submit),
  };
}

describe('a queue with workers', () => {
  it('runs as many works as it has workers, lets the others wait and shows both', () => {
    const { queue, submits, clock } = setUp();
    const works = submits(4);
    clock.advance(250);
    expect(works.map((work) => work.started)).toEqual([true, true, false, false]);
    expect(queue.snapshot()).toMatchObject({
      kind: 'queue',
      name: 'mails',
      size: 2,
      maxSize: 3,
      activeWorkers: 2,
      maxWorkers: 2,
      processed: 0,
      failed: 0,
      timedOut: 0,
      rejected: 0,
      oldestWaitMs: 250,
    });
  });

  it('starts what waits in order when a worker is free', async () => {
    const { queue, submits } = setUp({ maxWorkers: 1 });
    const works = submits(3);
    works[0]?.end('first');
    await expect(works[0]?.result).resolves.toBe('first');
    expect(works.map((work) => work.started)).toEqual([true, true, false]);
    works[1]?.end();
    await works[1]?.result;
    works[2]?.end('third');
    await expect(works[2]?.result).resolves.toBe('third');
    expect(queue.snapshot()).toMatchObject({
      processed: 3,
      size: 0,
      activeWorkers: 0,
      oldestWaitMs: 0,
    });
  });

  it('takes the last place and rejects the next work, which never runs', async () => {
    const { queue, submits, submit } = setUp();
    const works = submits(5);
    expect(queue.snapshot()).toMatchObject({ size: 3, rejected: 0 });
    const tooMany = submit();
    await expect(tooMany.result).rejects.toMatchObject({ code: 'queue-full', policy: 'mails' });
    expect(queue.snapshot()).toMatchObject({ size: 3, rejected: 1 });
    for (const work of works) work.end();
    await Promise.all(works.map((work) => work.result));
    expect(tooMany.started).toBe(false);
  });

  it('with no place to wait rejects what finds no free worker', async () => {
    const { submits } = setUp({ maxSize: 0 });
    const works = submits(3);
    expect(works.map((work) => work.started)).toEqual([true, true, false]);
    await expect(works[2]?.result).rejects.toMatchObject({ code: 'queue-full' });
  });

  it('lets a work wait just short of its time and expires it at the end, although no worker is free', async () => {
    const { queue, submits, clock } = setUp({ maxWorkers: 1, waitTimeoutMs: 1000 });
    const works = submits(2);
    clock.advance(500);
    works.push(...submits(1));
    clock.advance(499);
    expect(queue.snapshot()).toMatchObject({ size: 2, timedOut: 0 });
    clock.advance(1);
    await expect(works[1]?.result).rejects.toMatchObject({ code: 'wait-timeout' });
    expect(queue.snapshot()).toMatchObject({ size: 1, timedOut: 1 });
    clock.advance(500);
    await expect(works[2]?.result).rejects.toMatchObject({ code: 'wait-timeout' });
    works[0]?.end();
    await works[0]?.result;
    expect(works.map((work) => work.started)).toEqual([true, false, false]);
    expect(queue.snapshot()).toMatchObject({ size: 0, timedOut: 2, processed: 1 });
  });

  it('counts failures and timeouts of the works apart and passes their errors on', async () => {
    const { queue, submits } = setUp();
    const [failing, slow] = submits(2);
    const fault = new Error('fault');
    failing?.fail(fault);
    slow?.fail(Object.assign(new Error('too slow'), { name: 'TimeoutError' }));
    await expect(failing?.result).rejects.toBe(fault);
    await expect(slow?.result).rejects.toThrow('too slow');
    expect(queue.snapshot()).toMatchObject({
      failed: 1,
      timedOut: 1,
      processed: 0,
      activeWorkers: 0,
    });
  });

  it('stops: refuses what waits and what comes, and ends with the last running work', async () => {
    const { queue, submits, submit } = setUp({ maxWorkers: 1 });
    const works = submits(2);
    let stopped = false;
    const stopping = queue.stop().then(() => (stopped = true));
    await expect(works[1]?.result).rejects.toMatchObject({ code: 'stopped' });
    await expect(submit().result).rejects.toMatchObject({ code: 'stopped' });
    expect(stopped).toBe(false);
    works[0]?.end();
    await stopping;
    expect(queue.snapshot()).toMatchObject({ processed: 1, rejected: 2, size: 0 });
  });

  it('keeps its order and loses nothing over many works', async () => {
    const queue = new WorkQueue('mails', { maxWorkers: 3, maxSize: 10_000 });
    const started: number[] = [];
    const results = Array.from({ length: 5000 }, (_, index) =>
      queue.submit(async () => {
        started.push(index);
        await Promise.resolve();
        return index;
      }),
    );
    const expected = Array.from({ length: 5000 }, (_, index) => index);
    await expect(Promise.all(results)).resolves.toEqual(expected);
    expect(started).toEqual(expected);
  });

  it.each<[string, Partial<WorkQueueOptions>]>([
    ['maxWorkers', { maxWorkers: 0 }],
    ['maxSize', { maxSize: -1 }],
    ['waitTimeoutMs', { waitTimeoutMs: 0 }],
  ])('refuses a wrong %s', (option, options) => {
    expect(() => setUp(options)).toThrow(option);
  });
});
