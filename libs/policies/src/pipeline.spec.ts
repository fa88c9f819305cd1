import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { Breaker } from './breaker.ts';
import { Bulkhead } from './bulkhead.ts';
import { Pipeline } from './pipeline.ts';
import { RateLimit } from './rate-limit.ts';
import { Retry } from './retry.ts';
import { createFakeClock } from './test/fake-clock.ts';
import { calls } from './test/held-calls.ts';
import { Timeout } from './timeout.ts';
import { WorkQueue } from './work-queue.ts';

function setUp() {
  const clock = createFakeClock();
  const breaker = new Breaker('payments', {
    clock,
    jitter: 'none',
    recoveryMs: 1000,
    opensOn: { kind: 'consecutive', failures: 2 },
  });
  const bulkhead = new Bulkhead('payments', { maxConcurrent: 2 });
  const timeout = new Timeout('payments', { timeoutMs: 500, clock });
  const retry = new Retry('payments', { clock, jitter: 'none', delayMs: 100 });
  return { clock, breaker, bulkhead, timeout, retry, held: calls() };
}

const turns = async () => {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
};

describe('a pipeline', () => {
  it('judges each attempt in the breaker, and stops retrying when that opens', async () => {
    const { clock, ...policies } = setUp();
    const pipeline = new Pipeline('payments', policies);
    const call = pipeline.run(() => Promise.reject(new Error('down')));
    const ended = expect(call).rejects.toMatchObject({ code: 'open' });
    await turns();
    clock.advance(120);
    await turns();
    clock.advance(220);
    await ended;
    expect(policies.breaker.snapshot()).toMatchObject({
      state: 'open',
      totals: { failed: 2, rejected: 1 },
    });
    expect(policies.bulkhead.snapshot()).toMatchObject({ active: 0, processed: 2 });
  });

  it('counts a timeout as a failure of the dependency and frees the place', async () => {
    const { clock, breaker, bulkhead, timeout, held } = setUp();
    const pipeline = new Pipeline('payments', { breaker, bulkhead, timeout });
    const call = pipeline.run(held.begin);
    expect(bulkhead.snapshot().active).toBe(1);
    clock.advance(510);
    await expect(call).rejects.toMatchObject({ code: 'timeout' });
    held.succeed(0);
    await turns();
    expect(breaker.snapshot()).toMatchObject({
      inFlight: 0,
      windowFailures: 1,
      lastFailure: { name: 'timeout' },
      totals: { failed: 1, succeeded: 0, late: 0 },
    });
    expect(bulkhead.snapshot()).toMatchObject({ active: 0, processed: 1 });
  });

  it('books what a policy of this process turned away in no window', async () => {
    const { breaker, bulkhead, held, clock } = setUp();
    const rateLimit = new RateLimit('payments', { permits: 2, periodMs: 1000, clock });
    const pipeline = new Pipeline('payments', { breaker, bulkhead, rateLimit });
    const running = [pipeline.run(held.begin), pipeline.run(held.begin)];
    await expect(pipeline.run(held.begin)).rejects.toMatchObject({ code: 'bulkhead-full' });
    held.succeed(0);
    held.succeed(1);
    await Promise.all(running);
    await expect(pipeline.run(held.begin)).rejects.toMatchObject({ code: 'rate-limited' });
    await expect(pipeline.run(held.begin)).rejects.toMatchObject({ code: 'rate-limited' });
    expect(breaker.snapshot()).toMatchObject({
      state: 'closed',
      totals: { failed: 0, ignored: 2 },
    });
    expect(held.begun()).toBe(2);
  });

  it('leaves the bulkhead when the breaker turns the call away', async () => {
    const { breaker, bulkhead } = setUp();
    breaker.override({ id: 'o', kind: 'force-open', leaseMs: 1000, by: 'ann', reason: 'test' });
    const pipeline = new Pipeline('payments', { breaker, bulkhead });
    await expect(pipeline.run(() => 1)).rejects.toMatchObject({ because: 'forced-open' });
    expect(bulkhead.snapshot()).toMatchObject({ active: 0, processed: 0, rejected: 0 });
  });

  it('lets calls wait in a queue in the place of a bulkhead', async () => {
    const { breaker, held } = setUp();
    const queue = new WorkQueue('payments', { maxWorkers: 1, maxSize: 1 });
    const pipeline = new Pipeline('payments', { breaker, queue });
    const first = pipeline.run(held.begin);
    const second = pipeline.run(held.begin);
    await expect(pipeline.run(held.begin)).rejects.toMatchObject({ code: 'queue-full' });
    expect(held.begun()).toBe(1);
    held.succeed(0);
    await first;
    await turns();
    held.succeed(1);
    await expect(second).resolves.toBe('done');
    expect(breaker.snapshot().totals).toMatchObject({ succeeded: 2, failed: 0, ignored: 1 });
  });

  it('asks the fallback when all the rest has failed', async () => {
    const { breaker } = setUp();
    const fallback = {
      kind: 'fallback',
      name: 'prices',
      value: (act: () => PromiseLike<string> | string, key = '') =>
        Promise.resolve(act()).catch(() => `cached ${key}`),
    };
    const pipeline = new Pipeline('payments', { breaker });
    const down = () => Promise.reject<string>(new Error('down'));
    await expect(pipeline.run(down, { fallback, key: '7' })).resolves.toBe('cached 7');
    await expect(pipeline.run(() => 'fresh', { fallback })).resolves.toBe('fresh');
  });

  it("counts the caller's abort as no failure, and tells the act", async () => {
    const { held, ...policies } = setUp();
    const pipeline = new Pipeline('payments', policies);
    const caller = new AbortController();
    let signal: AbortSignal | undefined;
    const call = pipeline.run(
      (context) => {
        ({ signal } = context);
        return held.begin();
      },
      { signal: caller.signal },
    );
    caller.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
    expect(signal?.aborted).toBe(true);
    expect(policies.breaker.snapshot()).toMatchObject({
      inFlight: 0,
      totals: { ignored: 1, failed: 0 },
    });
    expect(policies.bulkhead.snapshot().active).toBe(0);
  });

  it("runs each attempt in the caller's async context", async () => {
    const { clock, ...policies } = setUp();
    const pipeline = new Pipeline('payments', policies);
    const store = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const call = store.run('caller', () =>
      pipeline.run(({ attempt }) => {
        seen.push(store.getStore());
        if (attempt === 1) throw new Error('down');
        return 'ok';
      }),
    );
    // the wheel's timer now belongs to somebody else
    await store.run('other', async () => {
      await turns();
      clock.advance(150);
      await turns();
    });
    await expect(call).resolves.toBe('ok');
    expect(seen).toEqual(['caller', 'caller']);
  });

  it('names its policies from the outermost', () => {
    const { held: _held, clock: _clock, ...policies } = setUp();
    expect(new Pipeline('charge', { guards: 'payments-api', ...policies }).snapshot()).toEqual({
      kind: 'pipeline',
      name: 'charge',
      guards: 'payments-api',
      policies: ['retry payments', 'bulkhead payments', 'breaker payments', 'timeout payments'],
    });
  });
});

describe('a bulkhead', () => {
  it('takes as many calls as it may, and another when one has ended', async () => {
    const { bulkhead, held } = setUp();
    const running = [bulkhead.run(held.begin), bulkhead.run(held.begin)];
    await expect(bulkhead.run(held.begin)).rejects.toMatchObject({
      code: 'bulkhead-full',
      policy: 'payments',
    });
    held.fail(0);
    await expect(running[0]).rejects.toThrow('down');
    const next = bulkhead.run(held.begin);
    expect(bulkhead.snapshot()).toMatchObject({
      active: 2,
      utilisation: 1,
      processed: 1,
      rejected: 1,
      overLimit: 0,
    });
    held.succeed(1);
    held.succeed(2);
    await Promise.all([running[1], next]);
    expect(bulkhead.snapshot().active).toBe(0);
  });

  it('is lowered under load without blocking: what is over its limit drains', async () => {
    const { bulkhead, held } = setUp();
    const running = [bulkhead.run(held.begin), bulkhead.run(held.begin)];
    expect(bulkhead.retune({ maxConcurrent: 1 })).toMatchObject({ kind: 'applied' });
    expect(bulkhead.snapshot()).toMatchObject({ active: 2, overLimit: 1, utilisation: 2 });
    held.succeed(0);
    await running[0];
    await expect(bulkhead.run(held.begin)).rejects.toMatchObject({ code: 'bulkhead-full' });
    expect(bulkhead.snapshot()).toMatchObject({ active: 1, overLimit: 0 });
    bulkhead.retune({ maxConcurrent: 2 });
    void bulkhead.run(held.begin);
    expect(bulkhead.snapshot().active).toBe(2);
    expect(bulkhead.retune({ maxConcurrent: 0 })).toMatchObject({ kind: 'refused' });
  });
});
