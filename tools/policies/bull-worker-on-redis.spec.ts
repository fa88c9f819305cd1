import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, waitUntil, type LabRedis } from '@starr/lab';
import { adaptBullWorker } from '@starr/policies/adapters';
import { Queue, Worker } from 'bullmq';

let redis: LabRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

interface HeldCalls {
  readonly begin: () => Promise<string>;
  succeed(number: number): void;
  fail(number: number, error?: Error): void;
  begun(): number;
}

/** The work of the worker: each call ends when, and as, the spec says. */
function calls(): HeldCalls {
  const held: ReturnType<typeof Promise.withResolvers<string>>[] = [];
  return {
    begin: () => {
      const call = Promise.withResolvers<string>();
      held.push(call);
      return call.promise;
    },
    succeed: (number) => held[number]?.resolve('done'),
    fail: (number, error = new Error('down')) => held[number]?.reject(error),
    begun: () => held.length,
  };
}

async function withWorker(
  name: string,
  concurrency: number,
  check: (stage: { queue: Queue; worker: Worker; act: HeldCalls }) => Promise<void>,
): Promise<void> {
  const connection = { host: redis.host, port: redis.port };
  const act = calls();
  const queue = new Queue(name, { connection });
  const worker = new Worker(name, () => act.begin(), { connection, concurrency });
  try {
    await worker.waitUntilReady();
    await check({ queue, worker, act });
  } finally {
    await worker.close(true);
    await queue.close();
  }
}

const until = (what: string, check: () => boolean) =>
  waitUntil(() => check() || undefined, { what });

describe('a BullMQ worker on a real Redis under our view', () => {
  it('shows what runs and, from Redis, what waits', async () => {
    await withWorker('mails', 2, async ({ queue, worker, act }) => {
      const adapted = adaptBullWorker(worker, { queue });
      await queue.addBulk([1, 2, 3, 4, 5].map((to) => ({ name: 'mail', data: { to } })));
      await until('two run', () => act.begun() === 2);
      await adapted.look();
      expect(adapted.snapshot()).toMatchObject({
        kind: 'queue',
        name: 'mails',
        limited: { library: 'bullmq' },
        size: 3,
        activeWorkers: 2,
        maxWorkers: 2,
        processed: 0,
      });
      expect(adapted.snapshot().oldestWaitMs).toBeGreaterThanOrEqual(0);
      act.succeed(0);
      act.fail(1);
      await until('two more run', () => act.begun() === 4);
      act.fail(2, Object.assign(new Error('late'), { name: 'TimeoutError' }));
      await until('all run', () => act.begun() === 5);
      act.succeed(3);
      act.succeed(4);
      await until('all ended', () => adapted.snapshot().processed === 3);
      await adapted.look();
      expect(adapted.snapshot()).toMatchObject({
        size: 0,
        activeWorkers: 0,
        processed: 3,
        failed: 1,
        timedOut: 1,
        oldestWaitMs: 0,
      });
      adapted.end();
    });
  });

  it('scales the worker while it works', async () => {
    await withWorker('scaled', 1, async ({ queue, worker, act }) => {
      const adapted = adaptBullWorker(worker, { queue });
      await queue.addBulk([1, 2, 3].map((to) => ({ name: 'mail', data: { to } })));
      await until('one runs', () => act.begun() === 1);
      adapted.scaleWorkers(3);
      act.succeed(0);
      await until('all run', () => act.begun() === 3);
      expect(adapted.snapshot()).toMatchObject({ activeWorkers: 2, maxWorkers: 3 });
      act.succeed(1);
      act.succeed(2);
      await until('all ended', () => adapted.snapshot().processed === 3);
    });
  });

  it('limits the workers of all processes, and lifts the limit', async () => {
    await withWorker('fleet', 5, async ({ queue, worker }) => {
      const adapted = adaptBullWorker(worker, { queue });
      await adapted.scaleFleet(2);
      await expect(queue.getGlobalConcurrency()).resolves.toBe(2);
      await adapted.scaleFleet(0);
      await expect(queue.getGlobalConcurrency()).resolves.toBeNull();
      await expect(adaptBullWorker(worker).scaleFleet(2)).rejects.toThrow('without its queue');
    });
  });

  it('looks again by itself when the last look is old, and a snapshot never waits for it', async () => {
    await withWorker('old-looks', 1, async ({ queue, worker, act }) => {
      const adapted = adaptBullWorker(worker, { queue, lookEveryMs: 1 });
      await queue.addBulk([1, 2].map((to) => ({ name: 'mail', data: { to } })));
      await until('one runs', () => act.begun() === 1);
      await until('the waiting one is seen', () => adapted.snapshot().size === 1);
      act.succeed(0);
      await until('the other runs', () => act.begun() === 2);
      act.succeed(1);
      await until('all ended', () => adapted.snapshot().processed === 2);
    });
  });
});
