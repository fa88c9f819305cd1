import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it, jest } from '@jest/globals';
import { createFakeClock } from './test/fake-clock.ts';
import type {
  DrainRule,
  Priority,
  WorkOptions,
  WorkQueueOptions,
  WorkRun,
} from './work-queue-options.ts';
import { WorkQueue } from './work-queue.ts';

interface Work {
  started: boolean;
  end: (value?: unknown) => void;
  fail: (error: unknown) => void;
  result: Promise<unknown>;
  run?: WorkRun;
}

function setUp(options: Partial<WorkQueueOptions> = {}) {
  const clock = createFakeClock();
  const queue = new WorkQueue('mails', { maxWorkers: 2, maxSize: 3, clock, ...options });
  const submit = (how?: WorkOptions): Work => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const work: Work = { started: false, end: resolve, fail: reject, result: Promise.resolve() };
    work.result = queue.submit((run) => {
      work.started = true;
      work.run = run;
      return promise;
    }, how);
    // a spec looks at the results it cares about
    work.result.catch(() => undefined);
    return work;
  };
  return {
    clock,
    queue,
    submit,
    submits: (count: number, how?: WorkOptions) => Array.from({ length: count }, () => submit(how)),
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
    expect(queue.snapshot()).toMatchObject({ size: 1, timedOut: 1, expired: 1 });
    await expect(works[1]?.result).rejects.toMatchObject({ code: 'wait-timeout' });
    // nobody looks
    clock.advance(508);
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
    ['runTimeoutMs', { runTimeoutMs: -1 }],
    ['agedAfterMs', { agedAfterMs: -1 }],
    ['slowMs', { slowMs: 0 }],
    ['whenFull', { whenFull: 'reject-all' as 'reject-oldest' }],
  ])('refuses a wrong %s', (option, options) => {
    expect(() => setUp(options)).toThrow(option);
  });
});

const codes = (works: readonly Work[]) =>
  Promise.all(
    works.map(async ({ result }) => {
      const ended = await Promise.race([
        result.then(
          () => 'done',
          (error: unknown) => {
            const { code, message } = error as { code?: string; message: string };
            return code ?? message;
          },
        ),
        new Promise<string>((resolve) => setImmediate(resolve, 'out')),
      ]);
      return ended;
    }),
  );

describe('the priorities of a queue', () => {
  it('start all higher works first, and within one those that came first', async () => {
    const { queue, submit } = setUp({ maxWorkers: 1, maxSize: 10 });
    const order: string[] = [];
    const running = submit();
    for (const name of ['low 1', 'normal 1', 'high 1', 'low 2', 'high 2', 'normal 2']) {
      const priority = name.split(' ')[0] as 'low' | 'normal' | 'high';
      void queue.submit(() => order.push(name), { priority });
    }
    running.end();
    await queue.submit(() => undefined, { priority: 'low' });
    expect(order).toEqual(['high 1', 'high 2', 'normal 1', 'normal 2', 'low 1', 'low 2']);
  });

  it('let a higher work take the place of the newest lower one, and of no equal one', async () => {
    const { queue, submits } = setUp({ maxWorkers: 1, maxSize: 2 });
    submits(1);
    const low = submits(2, { priority: 'low' });
    const [high] = submits(1, { priority: 'high' });
    const normal = submits(2);
    await expect(codes([...low, high!, ...normal])).resolves.toEqual([
      'evicted',
      'evicted',
      'out',
      'out',
      'queue-full',
    ]);
    expect(queue.snapshot()).toMatchObject({ size: 2, rejected: 3, drained: 2 });
  });

  it('when the oldest is to go, make it the oldest of the lowest priority, if that is not higher', async () => {
    const { submits } = setUp({ maxWorkers: 1, maxSize: 2, whenFull: 'reject-oldest' });
    submits(1);
    const normal = submits(3);
    const [low] = submits(1, { priority: 'low' });
    await expect(codes([...normal, low!])).resolves.toEqual([
      'evicted',
      'out',
      'out',
      'queue-full',
    ]);
  });
});

describe('a queue with a steady stream of high works', () => {
  /** What ran, in order, while each work that ends is followed by a high one. */
  function stream(
    { queue, submit }: Pick<ReturnType<typeof setUp>, 'queue' | 'submit'>,
    turns: number,
  ) {
    const order: string[] = [];
    const say = (name: string, priority: Priority) =>
      queue.submit(() => order.push(name), { priority });
    const works: Promise<unknown>[] = [];
    const running = submit();
    return {
      order,
      wait: (name: string, priority: Priority) => works.push(say(name, priority)),
      run: async () => {
        for (let turn = 0; turn < turns; turn++) works.push(say('high', 'high'));
        running.end();
        await Promise.all(works);
        return order.join(' ');
      },
    };
  }
  const open = { maxWorkers: 1, maxSize: 100 };

  it.each([
    [999, 'high high high high high low'],
    [1000, 'high high high low high high'],
  ])('starts a low one that came %d ms ago: %s', async (ms, expected) => {
    const set = setUp({ ...open, agedAfterMs: 1000 });
    const { wait, run } = stream(set, 5);
    wait('low', 'low');
    set.clock.advance(ms);
    await expect(run()).resolves.toBe(expected);
    expect(set.queue.snapshot().aged).toBe(ms === 1000 ? 1 : 0);
  });

  it.each<[number, Partial<WorkQueueOptions>, boolean]>([
    [9999, {}, false],
    [10_000, {}, true],
    // half of the wait that is allowed, when that is sooner
    [499, { waitTimeoutMs: 1000 }, false],
    [500, { waitTimeoutMs: 1000 }, true],
    [100, { waitTimeoutMs: 1000, agedAfterMs: 100 }, true],
    [1_000_000, { agedAfterMs: 0 }, false],
  ])('counts one as aged after %d ms with %j: %s', async (ms, options, aged) => {
    const set = setUp({ ...open, ...options });
    const { wait, run } = stream(set, 4);
    wait('low', 'low');
    set.clock.advance(ms);
    await expect(run()).resolves.toBe(aged ? 'high high high low high' : 'high high high high low');
  });

  it('gives a backlog that has aged each fourth start and not more, the oldest first', async () => {
    const set = setUp({ ...open, agedAfterMs: 1000 });
    const { wait, run } = stream(set, 9);
    wait('low1', 'low');
    set.clock.advance(1);
    wait('normal1', 'normal');
    wait('normal2', 'normal');
    set.clock.advance(1);
    wait('low2', 'low');
    set.clock.advance(1000);
    wait('normal3', 'normal');
    await expect(run()).resolves.toBe(
      'high high high low1 high high high normal1 high high high normal2 low2 normal3',
    );
    expect(set.queue.snapshot().aged).toBe(3);
  });

  it('lets no aged one go before a higher one that is as old', async () => {
    const set = setUp({ ...open, agedAfterMs: 1000 });
    const { wait, run } = stream(set, 0);
    for (const name of ['high1', 'high2', 'high3', 'high4']) wait(name, 'high');
    wait('low', 'low');
    set.clock.advance(1000);
    await expect(run()).resolves.toBe('high1 high2 high3 high4 low');
  });

  it('counts none as aged that would have been the next anyway', async () => {
    const set = setUp({ ...open, agedAfterMs: 1000 });
    const { wait, run } = stream(set, 0);
    for (const name of ['a', 'b', 'c', 'd', 'e']) wait(name, 'low');
    set.clock.advance(2000);
    await expect(run()).resolves.toBe('a b c d e');
    expect(set.queue.snapshot().aged).toBe(0);
  });

  it('keeps to what is changed while they wait', async () => {
    const set = setUp({ ...open, agedAfterMs: 0 });
    const { wait, run } = stream(set, 4);
    wait('low', 'low');
    set.clock.advance(1000);
    set.queue.retune({ agedAfterMs: 1000 });
    await expect(run()).resolves.toBe('high high high low high');
  });
});

describe('the deadlines of a queue', () => {
  it('are kept for a work in the middle of the line, which never runs', async () => {
    const { queue, submit, clock } = setUp({ maxWorkers: 1, waitTimeoutMs: 10_000 });
    const running = submit();
    const patient = submit();
    const hasty = submit({ waitTimeoutMs: 100 });
    clock.advance(99);
    await expect(codes([patient, hasty])).resolves.toEqual(['out', 'out']);
    clock.advance(9);
    await expect(codes([patient, hasty])).resolves.toEqual(['out', 'wait-timeout']);
    running.end();
    await running.result;
    expect([patient.started, hasty.started]).toEqual([true, false]);
    expect(queue.snapshot()).toMatchObject({ expired: 1, timedOut: 1, rejected: 0 });
  });

  it('make room: a full queue takes a new work in the place of one whose time is over', async () => {
    const clock = { ...createFakeClock(), schedule: () => () => undefined };
    const { queue, submits } = setUp({ maxWorkers: 1, maxSize: 1, waitTimeoutMs: 100, clock });
    const before = submits(2);
    Object.assign(clock, { nowMs: () => 1_000_100 });
    const after = submits(1);
    await expect(codes([...before, ...after])).resolves.toEqual(['out', 'wait-timeout', 'out']);
    expect(queue.snapshot()).toMatchObject({ size: 1, expired: 1, rejected: 0 });
  });

  it('answer the caller of a work that runs too long, tell the work, and free the worker', async () => {
    const { queue, submits, clock } = setUp({ maxWorkers: 1, runTimeoutMs: 1000 });
    const [hung, next] = submits(2);
    const { signal } = hung!.run!;
    clock.advance(999);
    expect(signal.aborted).toBe(false);
    clock.advance(9);
    await expect(hung!.result).rejects.toMatchObject({ name: 'TimeoutError', code: 'timeout' });
    expect(signal.reason).toMatchObject({ code: 'timeout', timeoutMs: 1000 });
    expect(next!.started).toBe(true);
    expect(queue.snapshot()).toMatchObject({
      activeWorkers: 1,
      abandoned: 1,
      timedOut: 1,
      runTimedOut: 1,
    });
    hung!.end('too late');
    next!.end('in time');
    await expect(next!.result).resolves.toBe('in time');
    expect(queue.snapshot()).toMatchObject({ abandoned: 0, processed: 1, failed: 0, timedOut: 1 });
  });

  it('are kept by the real clock, too, and never too early', async () => {
    const queue = new WorkQueue('mails', {
      maxWorkers: 1,
      maxSize: 1,
      waitTimeoutMs: 30,
      runTimeoutMs: 50,
    });
    const began = performance.now();
    const hung = queue
      .submit(() => new Promise(() => undefined))
      .catch(() => performance.now() - began);
    await expect(queue.submit(() => 'never')).rejects.toMatchObject({ code: 'wait-timeout' });
    expect(performance.now() - began).toBeGreaterThanOrEqual(30);
    await expect(hung).resolves.toBeGreaterThanOrEqual(50);
  });

  it('reach a work that asks for its signal only afterwards', () => {
    const { submit, clock } = setUp({ runTimeoutMs: 1000 });
    const hung = submit();
    clock.advance(1008);
    expect(hung.run!.signal.aborted).toBe(true);
  });

  it('can be given with each work, also no deadline at all, and are checked', async () => {
    const { submit, clock } = setUp({ maxWorkers: 3, waitTimeoutMs: 100, runTimeoutMs: 100 });
    const [endless, hasty] = [submit({ runTimeoutMs: Infinity }), submit({ runTimeoutMs: 50 })];
    const wrong = [submit({ runTimeoutMs: 0 }), submit({ waitTimeoutMs: Number.NaN })];
    clock.advance(58);
    await expect(codes([endless, hasty])).resolves.toEqual(['out', 'timeout']);
    clock.advance(100_000);
    await expect(codes([endless])).resolves.toEqual(['out']);
    await expect(codes(wrong)).resolves.toEqual(['invalid-option', 'invalid-option']);
  });
});

describe('the caller of a work', () => {
  it('has the work run in its own async context, although another one made way for it', async () => {
    const { queue } = setUp({ maxWorkers: 1 });
    const caller = new AsyncLocalStorage<string>();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const seen: (string | undefined)[] = [];
    const submit = (name: string) =>
      caller.run(name, () =>
        queue.submit(async () => {
          seen.push(caller.getStore());
          await promise;
          seen.push(caller.getStore());
        }),
      );
    const works = [submit('ada'), submit('ben'), submit('eve')];
    resolve(undefined);
    await Promise.all(works);
    expect(seen).toEqual(['ada', 'ada', 'ben', 'ben', 'eve', 'eve']);
  });

  it('takes it back while it waits, before it comes, and is heard while it runs', async () => {
    const { queue, submit } = setUp({ maxWorkers: 1 });
    const caller = new AbortController();
    const running = submit({ signal: caller.signal });
    const waiting = submit({ signal: caller.signal });
    const other = submit();
    caller.abort(new Error('left'));
    const late = submit({ signal: caller.signal });
    await expect(codes([running, waiting, other, late])).resolves.toEqual([
      'out',
      'left',
      'out',
      'left',
    ]);
    expect(running.run!.signal.reason).toEqual(new Error('left'));
    expect(queue.snapshot()).toMatchObject({ size: 1, withdrawn: 2, rejected: 0 });
    running.fail(new Error('left'));
    await expect(codes([running])).resolves.toEqual(['left']);
    expect(queue.snapshot()).toMatchObject({ withdrawn: 3, failed: 0, size: 0 });
    expect(other.started).toBe(true);
  });

  it('leaves no listener behind on a signal that serves many works', async () => {
    const { queue } = setUp();
    const { signal } = new AbortController();
    const removed = jest.spyOn(signal, 'removeEventListener');
    const added = jest.spyOn(signal, 'addEventListener');
    for (let work = 0; work < 20; work++) await queue.submit(() => work, { signal });
    expect(added).toHaveBeenCalledTimes(20);
    expect(removed).toHaveBeenCalledTimes(20);
  });
});

describe('a queue that is changed while it works', () => {
  it('starts what waits as soon as it has more workers', () => {
    const { queue, submits } = setUp({ maxWorkers: 1, maxSize: 10 });
    const works = submits(5);
    expect(queue.retune({ maxWorkers: 3 })).toMatchObject({
      kind: 'applied',
      before: { maxWorkers: 1 },
      after: { maxWorkers: 3, maxSize: 10 },
    });
    expect(works.map(({ started }) => started)).toEqual([true, true, true, false, false]);
  });

  it('interrupts nothing when it has fewer, shows the debt, and starts nothing until that is paid', async () => {
    const { queue, submits } = setUp({ maxWorkers: 4, maxSize: 10 });
    const works = submits(6);
    queue.retune({ maxWorkers: 2 });
    expect(queue.snapshot()).toMatchObject({
      activeWorkers: 4,
      workerUtilisation: 2,
      overLimit: { workers: 2, places: 0 },
    });
    for (const work of works.slice(0, 2)) work.end();
    await Promise.all(works.slice(0, 2).map(({ result }) => result));
    expect(queue.snapshot()).toMatchObject({
      activeWorkers: 2,
      overLimit: { workers: 0 },
      size: 2,
    });
    works[2]!.end();
    await works[2]!.result;
    expect(works[4]!.started).toBe(true);
    expect(works[5]!.started).toBe(false);
  });

  it.each<[DrainRule, string[]]>([
    ['keep', ['out', 'out', 'out', 'out']],
    ['reject-newest', ['out', 'out', 'evicted', 'evicted']],
    ['reject-oldest', ['evicted', 'evicted', 'out', 'out']],
    ['expired-first', ['evicted', 'out', 'out', 'evicted']],
  ])('has the rule %s for those that lose their place', async (drain, expected) => {
    const { queue, submit } = setUp({ maxWorkers: 1, maxSize: 4 });
    submit();
    const works = [200, Infinity, 300, 100].map((waitTimeoutMs) => submit({ waitTimeoutMs }));
    queue.retune({ maxSize: 2, drain });
    await expect(codes(works)).resolves.toEqual(expected);
    const kept = expected.filter((ended) => ended === 'out').length;
    expect(queue.snapshot()).toMatchObject({
      size: kept,
      utilisation: kept / 2,
      overLimit: { places: kept - 2 },
      drained: 4 - kept,
      rejected: 4 - kept,
    });
    await expect(codes([submit()])).resolves.toEqual(['queue-full']);
  });

  it('gives up the lowest priority first, whatever the rule', async () => {
    const { queue, submit } = setUp({ maxWorkers: 1, maxSize: 3 });
    submit();
    const works = (['high', 'low', 'normal'] as const).map((priority) => submit({ priority }));
    queue.retune({ maxSize: 1, drain: 'reject-oldest' });
    await expect(codes(works)).resolves.toEqual(['out', 'evicted', 'evicted']);
  });

  it('counts new timeouts from when the works came or began, and those of the works stay', async () => {
    const { queue, submit, clock } = setUp({ maxWorkers: 1 });
    const running = submit();
    const waiting = submit();
    const own = submit({ waitTimeoutMs: 5000 });
    clock.advance(100);
    queue.retune({ waitTimeoutMs: 200, runTimeoutMs: 300 });
    clock.advance(108);
    await expect(codes([running, waiting, own])).resolves.toEqual(['out', 'wait-timeout', 'out']);
    clock.advance(100);
    await expect(codes([running, own])).resolves.toEqual(['timeout', 'out']);
    expect(own.started).toBe(true);
  });

  it('refuses what is out of range and then changes nothing', () => {
    const { queue } = setUp();
    const before = queue.settings;
    expect(queue.retune({ maxWorkers: 50, maxSize: -1 })).toMatchObject({
      kind: 'refused',
      now: before,
    });
    expect(queue.settings).toBe(before);
  });

  it('runs with a share of its workers, at least one, while somebody holds it down', () => {
    const { queue, submits, clock } = setUp({ maxWorkers: 10, maxSize: 100 });
    queue.slowDown('interlock:a', 0.25);
    expect(submits(5).filter(({ started }) => started)).toHaveLength(2);
    queue.slowDown('interlock:b', 0.01, 1000);
    expect(queue.snapshot()).toMatchObject({
      overLimit: { workers: 1 },
      slowedBy: [
        { by: 'interlock:a', share: 0.25 },
        { by: 'interlock:b', share: 0.01, endsInMs: 1000 },
      ],
    });
    expect(queue.release('interlock:a')).toBe(true);
    expect(queue.snapshot().activeWorkers).toBe(2);
    clock.advance(1000);
    submits(1);
    expect(queue.snapshot()).toMatchObject({ activeWorkers: 2, slowedBy: [] });
    queue.release('nobody');
    expect(queue.snapshot()).toMatchObject({ activeWorkers: 6, size: 0 });
  });
});

describe('the timings of a queue', () => {
  const timed = async (
    { queue, clock }: Pick<ReturnType<typeof setUp>, 'queue' | 'clock'>,
    operation: string | undefined,
    ms: number,
  ) => {
    const work = () => {
      clock.advance(ms);
    };
    await queue.submit(work, operation === undefined ? {} : { operation });
  };

  it('name the slow operation first, with its cost', async () => {
    const set = setUp();
    for (let run = 0; run < 10; run++) await timed(set, 'thumbnail', 20);
    await timed(set, 'invoice', 300);
    await timed(set, 'invoice', 100);
    await timed(set, undefined, 1);
    const { operations } = set.queue.snapshot();
    expect(operations.map(({ operation }) => operation)).toEqual(['invoice', 'thumbnail', 'other']);
    expect(operations[0]).toMatchObject({
      processed: 2,
      meanRunMs: 200,
      longestRunMs: 300,
      totalRunMs: 400,
      meanWaitMs: 0,
      slow: false,
    });
    expect(operations[0]!.p99RunMs).toBeGreaterThanOrEqual(300);
    expect(operations[0]!.p50RunMs).toBeLessThan(200);
  });

  it.each([
    [999, 1, 0, false],
    [1000, 1, 1, true],
    [1000, 100, 1, true],
    [1000, 101, 1, false],
  ])('call an operation slow by its works of %d ms, 1 of %d', async (ms, works, slowRuns, slow) => {
    const set = setUp();
    await timed(set, 'invoice', ms);
    for (let work = 1; work < works; work++) await timed(set, 'invoice', 1);
    expect(set.queue.snapshot().operations).toMatchObject([{ slowRuns, slow }]);
  });

  it('tell what runs longest now, how long works waited, and how they ended', async () => {
    const { queue, submit, clock } = setUp({ maxWorkers: 1, runTimeoutMs: 5000 });
    const hung = submit({ operation: 'export' });
    const failing = submit({ operation: 'import' });
    clock.advance(4000);
    expect(queue.snapshot()).toMatchObject({
      oldestRunMs: 4000,
      oldestRunOperation: 'export',
      operations: [{ operation: 'export', running: 1, processed: 0 }],
    });
    clock.advance(1008);
    failing.fail(new Error('fault'));
    await expect(codes([hung, failing])).resolves.toEqual(['timeout', 'fault']);
    expect(queue.snapshot().operations).toMatchObject([
      { operation: 'export', running: 0, timedOut: 1, failed: 0 },
      { operation: 'import', running: 0, timedOut: 0, failed: 1 },
    ]);
    expect(queue.snapshot().operations[1]!.meanWaitMs).toBeGreaterThanOrEqual(5000);
    expect(queue.snapshot()).toMatchObject({ oldestRunMs: 0 });
  });

  it('hold a bounded number of names: the others are counted together', async () => {
    const set = setUp();
    for (let name = 0; name < 150; name++) await timed(set, `order ${name}`, 1);
    const { operations } = set.queue.snapshot();
    expect(operations).toHaveLength(101);
    expect(operations.find(({ operation }) => operation === 'other')).toMatchObject({
      processed: 50,
    });
  });

  it('foretell when a queue that fills will be full, and nothing when it does not', async () => {
    const { queue, submits, clock } = setUp({ maxWorkers: 1, maxSize: 100 });
    const works = submits(1);
    for (let second = 0; second < 5; second++) {
      works.push(...submits(4));
      clock.advance(1000);
    }
    expect(queue.snapshot().timeToFullMs).toBeCloseTo(20_000, -1);
    for (const work of works) work.end();
    await Promise.all(works.map(({ result }) => result));
    expect(queue.snapshot().timeToFullMs).toBeUndefined();
  });
});

describe('a queue with works of several priorities', () => {
  it('shows the oldest wait of them all, whichever priority it has', () => {
    const { queue, submit, clock } = setUp({ maxWorkers: 1, maxSize: 9 });
    submit();
    submit({ priority: 'normal' });
    clock.advance(100);
    submit({ priority: 'high' });
    submit({ priority: 'low' });
    clock.advance(50);
    expect(queue.snapshot().oldestWaitMs).toBe(150);
  });

  it('gives up no more of them than a shrink takes, across two priorities', async () => {
    const { queue, submit } = setUp({ maxWorkers: 1, maxSize: 5 });
    submit();
    const works = (['low', 'normal', 'normal', 'normal', 'high'] as const).map((priority) =>
      submit({ priority }),
    );
    queue.retune({ maxSize: 3, drain: 'reject-oldest' });
    const fates = ['evicted', 'evicted', 'out', 'out', 'out'];
    await expect(codes(works)).resolves.toEqual(fates);
  });

  it('books how long they waited, and those that waited too long, by operation', async () => {
    const { queue, submit, clock } = setUp({ maxWorkers: 1 });
    const first = submit();
    const waited = [submit({ operation: 'a' }), submit({ operation: 'a' })] as const;
    submit({ operation: 'b', waitTimeoutMs: 50 });
    clock.advance(100);
    for (const work of [first, ...waited]) work.end();
    await Promise.all([first, ...waited].map(({ result }) => result));
    expect(queue.snapshot().operations).toMatchObject([
      { operation: 'other', processed: 1, meanWaitMs: 0 },
      { operation: 'a', processed: 2, meanWaitMs: 100 },
      { operation: 'b', processed: 0, timedOut: 1 },
    ]);
  });

  it('has none left after a stop', async () => {
    const { queue, submit } = setUp({ maxWorkers: 1 });
    const running = submit();
    const waiting = [submit({ priority: 'high' }), submit({ priority: 'low' })];
    const stopping = queue.stop();
    expect(queue.snapshot()).toMatchObject({ size: 0, activeWorkers: 1, rejected: 2 });
    running.end();
    await stopping;
    expect(waiting.map(({ started }) => started)).toEqual([false, false]);
  });
});

describe('whoever watches a queue', () => {
  it('is told of each change until it leaves, and harms nothing by throwing', async () => {
    const { queue, submits } = setUp({ maxWorkers: 1, maxSize: 4 });
    const seen: number[] = [];
    queue.onUtilisation(() => {
      throw new Error('fault of the listener');
    });
    const stop = queue.onUtilisation(() => seen.push(queue.utilisation));
    const works = submits(3);
    works[0]!.end();
    await works[0]!.result;
    stop();
    works[1]!.end();
    await works[1]!.result;
    expect(seen).toEqual([0.25, 0.5, 0.25]);
  });

  it('sees a queue without places as full', () => {
    expect(setUp({ maxSize: 0 }).queue.utilisation).toBe(1);
  });

  it('sees a work that throws at once as failed, not as lost', async () => {
    const { queue } = setUp();
    const throws = () => {
      throw new Error('at once');
    };
    await expect(queue.submit(throws)).rejects.toThrow('at once');
    expect(queue.snapshot()).toMatchObject({ failed: 1, activeWorkers: 0 });
  });
});
