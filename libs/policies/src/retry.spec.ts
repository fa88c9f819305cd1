import { describe, expect, it } from '@jest/globals';
import { BreakerOpenError, CallTimeoutError } from './policy-error.ts';
import { RetryBudget } from './retry-budget.ts';
import { Retry, type RetryOptions } from './retry.ts';
import { createFakeClock } from './test/fake-clock.ts';
import { calls } from './test/held-calls.ts';

function setUp(options: RetryOptions = {}) {
  const clock = createFakeClock();
  const retry = new Retry('payments', { clock, jitter: 'none', delayMs: 100, ...options });
  return { clock, retry, held: calls() };
}

const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

describe('a retry', () => {
  it('calls again after a delay that doubles up to its cap, and gives up at its last attempt', async () => {
    const { clock, retry } = setUp({ maxAttempts: 4, maxDelayMs: 150 });
    const at: number[] = [];
    const startedMs = clock.nowMs();
    const call = retry.run(({ attempt }) => {
      at.push(clock.nowMs() - startedMs);
      return Promise.reject(new Error(`fault ${attempt}`));
    });
    const ended = expect(call).rejects.toThrow('fault 4');
    for (let ms = 0; ms < 600; ms++) {
      await turns();
      clock.advance(1);
    }
    await ended;
    const waits = at.slice(1).map((ms, nth) => ms - (at[nth] ?? 0));
    for (const [nth, wantedMs] of [100, 150, 150].entries()) {
      expect(waits[nth]).toBeGreaterThanOrEqual(wantedMs);
      expect(waits[nth]).toBeLessThanOrEqual(wantedMs + 10);
    }
    expect(retry.snapshot()).toMatchObject({
      calls: 1,
      retries: 3,
      exhausted: 1,
      recovered: 0,
      waiting: 0,
      budget: { active: 0, retrying: 0 },
    });
  });

  it('gives the value of the attempt that succeeds', async () => {
    const { clock, retry } = setUp();
    const call = retry.run(({ attempt }) => {
      if (attempt === 1) throw new Error('fault');
      return attempt;
    });
    await turns();
    expect(retry.snapshot()).toMatchObject({ waiting: 1, budget: { active: 1, retrying: 1 } });
    clock.advance(200);
    await expect(call).resolves.toBe(2);
    expect(retry.snapshot()).toMatchObject({ recovered: 1, budget: { active: 0, retrying: 0 } });
  });

  it.each<[string, Error]>([
    ['an open breaker', new BreakerOpenError('b', 1, () => 0)],
    ["the caller's abort", Object.assign(new Error('aborted'), { name: 'AbortError' })],
  ])('does not retry %s', async (_says, error) => {
    const { retry } = setUp();
    await expect(retry.run(() => Promise.reject(error))).rejects.toBe(error);
    expect(retry.snapshot().retries).toBe(0);
  });

  it('retries a timeout', async () => {
    const { clock, retry } = setUp();
    const error = new CallTimeoutError('t', 5);
    const call = retry.run(({ attempt }) => (attempt === 1 ? Promise.reject(error) : 'ok'));
    await turns();
    clock.advance(200);
    await expect(call).resolves.toBe('ok');
  });

  it('asks its options which errors to retry, and takes their fault for a no', async () => {
    const { retry } = setUp({
      retryOf: () => {
        throw new Error('fault of the judge');
      },
    });
    await expect(retry.run(() => Promise.reject(new Error('fault')))).rejects.toThrow(/^fault$/);
  });

  it('waits as long as the server asks, and not at all again when it asks for never', async () => {
    const { clock, retry, held } = setUp({
      pushbackMs: (error) => (String(error).includes('never') ? 'never' : 5000),
    });
    const call = retry.run(held.begin);
    held.fail(0, new Error('wait'));
    await turns();
    clock.advance(4999);
    await turns();
    expect(held.begun()).toBe(1);
    clock.advance(10);
    await turns();
    expect(held.begun()).toBe(2);
    held.fail(1, new Error('never'));
    await expect(call).rejects.toThrow('never');
  });

  it('draws its delay with full jitter', async () => {
    const { clock, retry, held } = setUp({ jitter: 'full', random: () => 0.5, delayMs: 1000 });
    void retry.run(held.begin).catch(() => undefined);
    held.fail(0);
    await turns();
    clock.advance(499);
    await turns();
    expect(held.begun()).toBe(1);
    clock.advance(10);
    await turns();
    expect(held.begun()).toBe(2);
  });

  it('stops waiting when the caller aborts, and gives its share of the budget back', async () => {
    const { retry, held } = setUp();
    const caller = new AbortController();
    const call = retry.run(held.begin, { signal: caller.signal });
    held.fail(0);
    await turns();
    caller.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
    expect(retry.snapshot()).toMatchObject({ waiting: 0, budget: { active: 0, retrying: 0 } });
  });
});

describe('a retry budget', () => {
  it.each([
    ['its minimum, however few calls there are', { ratio: 0.2, minRetries: 3 }, 1, 3],
    ['its minimum up to where the share is larger', { ratio: 0.2, minRetries: 3 }, 19, 3],
    ['its share of the calls in flight', { ratio: 0.2, minRetries: 3 }, 20, 4],
    ['nothing, when it is told so', { ratio: 0, minRetries: 0 }, 100, 0],
  ])('allows %s', (_says, settings, active, allowed) => {
    const budget = new RetryBudget('payments', settings);
    for (let call = 0; call < active; call++) budget.begin();
    let retries = 0;
    while (budget.tryRetry()) retries++;
    expect(retries).toBe(allowed);
    expect(budget.snapshot()).toMatchObject({
      active,
      retrying: allowed,
      limit: allowed,
      refused: 1,
    });
    if (allowed > 0) {
      budget.endRetry();
      expect(budget.tryRetry()).toBe(true);
    }
  });

  it('is shared: the retries of one leave less to the other', async () => {
    const budget = new RetryBudget('payments', { ratio: 0, minRetries: 1 });
    const one = setUp({ budget });
    const other = setUp({ budget });
    void one.retry.run(one.held.begin).catch(() => undefined);
    one.held.fail(0);
    await turns();
    const call = other.retry.run(other.held.begin);
    other.held.fail(0, new Error('of the other'));
    await expect(call).rejects.toThrow('of the other');
    expect(other.retry.snapshot()).toMatchObject({ overBudget: 1, retries: 0 });
  });

  it('is retuned at once, and refuses what is out of range', () => {
    const budget = new RetryBudget('payments', { ratio: 0, minRetries: 0 });
    expect(budget.tryRetry()).toBe(false);
    expect(budget.retune({ minRetries: 1 })).toMatchObject({ kind: 'applied' });
    expect(budget.tryRetry()).toBe(true);
    expect(budget.retune({ ratio: 1.1 })).toMatchObject({ kind: 'refused' });
    expect(budget.snapshot().ratio).toBe(0);
  });
});
