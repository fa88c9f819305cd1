import { expect, it } from '@jest/globals';
import { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import { followLimit } from './follow-limit.ts';
import { createFakeClock } from './test/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

it('a queue that follows a limit has as many workers as it lets in, so that calls wait and none is refused', async () => {
  const clock = createFakeClock();
  const concurrency = new AdaptiveConcurrency('db', {
    initialLimit: 4,
    windowMs: 10,
    windowSamples: 4,
    clock,
  });
  const queue = new WorkQueue('db', { maxWorkers: 100, maxSize: 1000, clock });
  const stop = followLimit(queue, concurrency);
  expect(queue.settings.maxWorkers).toBe(4);
  let most = 0;
  const works = Array.from({ length: 200 }, () =>
    queue.submit(() =>
      concurrency.run(async () => {
        most = Math.max(most, concurrency.snapshot().inFlight - concurrency.limit);
        await new Promise((resolve) =>
          clock.schedule(() => {
            resolve(undefined);
          }, 10),
        );
      }),
    ),
  );
  for (let round = 0; round < 60; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10);
  }
  await Promise.all(works);
  expect(concurrency.limit).toBeGreaterThan(4);
  expect(queue.settings.maxWorkers).toBe(concurrency.limit);
  expect(most).toBe(0);
  expect(concurrency.snapshot()).toMatchObject({ rejected: 0, succeeded: 200 });

  stop();
  queue.retune({ maxWorkers: 1 });
  const last = Array.from({ length: 4 }, () =>
    queue.submit(() =>
      concurrency.run(() => {
        clock.advance(20);
      }),
    ),
  );
  await Promise.all(last);
  expect(queue.settings.maxWorkers).toBe(1);
});
