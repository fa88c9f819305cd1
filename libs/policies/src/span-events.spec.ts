import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Attributes, type Context, ROOT_CONTEXT, context, trace } from '@opentelemetry/api';
import { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import { Breaker } from './breaker.ts';
import { Fallback } from './fallback.ts';
import { fixedAnswer } from './fallback-strategy.ts';
import { RateLimit } from './rate-limit.ts';
import { WorkQueue } from './work-queue.ts';

const store = new AsyncLocalStorage<Context>();

beforeAll(() => {
  context.setGlobalContextManager({
    active: () => store.getStore() ?? ROOT_CONTEXT,
    with: (active, act, self, ...args) => store.run(active, () => act.apply(self, args)),
    bind: (_active, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
});
afterAll(() => {
  context.disable();
});

/** What is noted on the span of a caller while `act` runs. */
async function notedBy(act: () => Promise<unknown>): Promise<Record<string, Attributes>> {
  const noted: Record<string, Attributes> = {};
  const span = trace.wrapSpanContext({
    traceId: '1'.repeat(32),
    spanId: '1'.repeat(16),
    traceFlags: 1,
  });
  span.addEvent = (name, attributes) => {
    noted[name] = attributes as Attributes;
    return span;
  };
  await context.with(trace.setSpan(ROOT_CONTEXT, span), () => act().catch(() => undefined));
  return noted;
}

const down = () => Promise.reject(new Error('down'));

describe('the span of a caller', () => {
  it('tells of the refusal of a limit, and never for whom it was', async () => {
    const limit = new RateLimit('mails', { permits: 1 });
    limit.tryAcquire('ada@example.org');
    await expect(notedBy(() => limit.run(down, 'ada@example.org'))).resolves.toEqual({
      'starr.rate-limit.rejected': { 'starr.rate-limit': 'mails' },
    });
  });

  it('tells of a concurrency that is reached, and of a full queue', async () => {
    const concurrency = new AdaptiveConcurrency('db', { maxLimit: 1 });
    concurrency.acquire();
    await expect(notedBy(() => concurrency.run(down))).resolves.toEqual({
      'starr.concurrency.rejected': { 'starr.concurrency': 'db' },
    });
    const queue = new WorkQueue('jobs', { maxWorkers: 1, maxSize: 0 });
    const { promise, resolve } = Promise.withResolvers();
    const running = queue.submit(() => promise);
    await expect(notedBy(() => queue.submit(down))).resolves.toEqual({
      'starr.queue.rejected': { 'starr.queue': 'jobs' },
    });
    resolve(undefined);
    await running;
  });

  it('tells with what a fallback answered, and why it had to', async () => {
    const breaker = new Breaker('quotes', { opensOn: { kind: 'consecutive', failures: 1 } });
    await breaker.run(down).catch(() => undefined);
    const fallback = new Fallback<unknown>('quotes', { strategies: [fixedAnswer('none', '-')] });
    await expect(notedBy(() => fallback.run(() => breaker.run(down)))).resolves.toEqual({
      'starr.breaker.rejected': { 'starr.breaker': 'quotes' },
      'starr.fallback.answered': {
        'starr.fallback': 'quotes',
        'starr.fallback.source': 'none',
        'starr.fallback.age_ms': 0,
        'starr.fallback.stale': false,
      },
    });
  });

  it('is left alone while nothing is out of the ordinary', async () => {
    const limit = new RateLimit('mails', { permits: 1 });
    const concurrency = new AdaptiveConcurrency('db');
    await expect(notedBy(() => limit.run(() => concurrency.run(() => 'done')))).resolves.toEqual(
      {},
    );
  });
});
