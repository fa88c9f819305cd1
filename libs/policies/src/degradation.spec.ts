import { expect, it, jest } from '@jest/globals';
import { breakerState } from './interlock-sources.ts';
import { createPolicies } from './policies.ts';
import { RememberedAnswers } from './remembered-answers.ts';
import { createFakeClock } from './test/fake-clock.ts';

/** A shop: prices come from Redis, orders go through a queue to the database. */
function openShop() {
  const clock = createFakeClock();
  const policies = createPolicies({ service: 'shop', clock });
  const redis = policies.breaker('redis', {
    opensOn: { kind: 'consecutive', failures: 3 },
    recoveryMs: 10_000,
    jitter: 'none',
  });
  const intake = policies.rateLimit('intake', { permits: 10, burst: 20 });
  const orders = policies.queue('orders', { maxWorkers: 2, maxSize: 10 });
  const backpressure = policies.backpressure('orders', { watches: orders, slows: intake });
  const remembered = new RememberedAnswers<string>('last price', {
    freshForMs: 5000,
    staleForMs: 3_600_000,
    clock,
  });
  const prices = policies.fallback('prices', { strategies: [remembered] });
  const interlocks = policies.interlocks('shop', {
    rules: [
      {
        name: 'without the cache the database works for two',
        when: breakerState(redis),
        is: ['open', 'half-open'],
        then: { kind: 'slow-down', policy: orders, share: 0.5 },
      },
    ],
  });
  const priceOf = (sku: string, get: () => Promise<string>) =>
    prices.run(() => redis.run(get), sku);
  return { clock, policies, redis, intake, orders, backpressure, interlocks, priceOf };
}

it('a shop whose cache is away sells at old prices, spares its database, and is itself again afterwards', async () => {
  const { clock, policies, redis, orders, priceOf } = openShop();
  const away = () => Promise.reject(new Error('connection refused'));
  await priceOf('tea', () => Promise.resolve('3.20'));

  for (let call = 0; call < 3; call++) {
    await expect(priceOf('tea', away)).resolves.toMatchObject({
      source: 'last price',
      stale: false,
    });
  }
  clock.advance(6000);
  await expect(priceOf('tea', away)).resolves.toEqual({
    value: '3.20',
    source: 'last price',
    ageMs: 6000,
    stale: true,
  });
  await expect(priceOf('coffee', away)).rejects.toMatchObject({ code: 'open' });
  expect(orders.snapshot().slowedBy).toMatchObject([{ share: 0.5 }]);
  expect(policies.allSnapshots()).toMatchObject([
    { kind: 'breaker', name: 'redis', state: 'open' },
    { kind: 'rate-limit', name: 'intake', share: 1 },
    { kind: 'queue', name: 'orders' },
    { kind: 'backpressure', state: 'released', slows: 'rate-limit:intake' },
    { kind: 'fallback', calls: 6, primary: 1, fallen: 5, unanswered: 1, staleRatio: 1 / 5 },
    { kind: 'interlocks', rules: [{ active: true, activations: 1 }] },
  ]);

  clock.advance(10_000);
  await expect(priceOf('tea', () => Promise.resolve('3.40'))).resolves.toMatchObject({
    value: '3.40',
    source: 'primary',
  });
  expect(redis.snapshot().state).toBe('closed');
  expect(orders.snapshot().slowedBy).toEqual([]);
});

it('a shop that gets more orders than it can do takes fewer until it has caught up', async () => {
  const { clock, intake, orders, backpressure } = openShop();
  const ends: ((value: unknown) => void)[] = [];
  const order = () =>
    intake
      .run(() => orders.submit(() => new Promise((resolve) => ends.push(resolve))))
      .catch((error: unknown) => (error as { code: string }).code);

  const answers = Array.from({ length: 10 }, order);
  // two are at work and eight wait
  expect(backpressure.state).toBe('engaged');
  answers.push(...Array.from({ length: 10 }, order));
  expect(intake.snapshot()).toMatchObject({ share: 0.5, available: 0 });
  clock.advance(1000);
  // half of the ten that a second brings otherwise
  const later = await Promise.all([...Array.from({ length: 10 }, order)].slice(5));
  expect(later).toEqual(Array.from({ length: 5 }, () => 'rate-limited'));

  while (ends.length > 0) {
    for (const end of ends.splice(0)) end('done');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(answers);
  expect(orders.snapshot()).toMatchObject({ size: 0, processed: 12, rejected: 13 });
  expect(backpressure.state).toBe('released');
  expect(intake.snapshot().share).toBe(1);
});

it('a call whose time is over while it waits in a queue never runs', async () => {
  const clock = createFakeClock();
  const policies = createPolicies({ service: 'shop', clock });
  const queue = policies.queue('orders', { maxWorkers: 1, maxSize: 10 });
  const pipeline = policies.pipeline('orders', {
    timeout: policies.timeout('orders', { timeoutMs: 1000 }),
    queue,
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  const first = queue.submit(() => promise);
  const act = jest.fn(() => 'too late');
  const second = pipeline.run(act);
  expect(queue.snapshot().size).toBe(1);
  clock.advance(1008);
  await expect(second).rejects.toMatchObject({ code: 'timeout' });
  expect(queue.snapshot()).toMatchObject({ size: 0, withdrawn: 1 });
  resolve('done');
  await first;
  expect(act).not.toHaveBeenCalled();
});

it('all snapshots are plain: they can be sent anywhere', () => {
  const { policies } = openShop();
  policies.concurrency('database');
  const snapshots = policies.allSnapshots();
  expect(snapshots.map(({ kind }) => kind)).toContain('interlocks');
  expect(structuredClone(snapshots)).toEqual(snapshots);
  // nor is there a number that JSON cannot write, such as Infinity
  expect(JSON.stringify(snapshots)).not.toContain('null');
});
