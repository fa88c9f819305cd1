import { describe, expect, it } from '@jest/globals';
import PQueue, { TimeoutError } from 'p-queue';
import { createFakeClock } from '../test/fake-clock.ts';
import { calls } from '../test/held-calls.ts';
import { adaptPQueue } from './adapt-p-queue.ts';
import { withoutBound } from './adapted.ts';

function setUp(concurrency = 2) {
  const clock = createFakeClock();
  const queue = new PQueue({ concurrency });
  const act = calls();
  return { clock, queue, act, adapted: adaptPQueue(queue, { name: 'mails', clock }) };
}

describe('a p-queue under our view', () => {
  it('shows what waits, for how long, and what runs', async () => {
    const { clock, queue, act, adapted } = setUp();
    const works = [1, 2].map(() => queue.add(act.begin));
    expect(adapted.snapshot()).toMatchObject({ size: 0, activeWorkers: 2, oldestWaitMs: 0 });
    clock.advance(100);
    works.push(queue.add(act.begin));
    clock.advance(30);
    works.push(queue.add(act.begin));
    clock.advance(20);
    expect(adapted.snapshot()).toMatchObject({
      kind: 'queue',
      name: 'mails',
      limited: { library: 'p-queue' },
      size: 2,
      maxSize: withoutBound,
      activeWorkers: 2,
      maxWorkers: 2,
      oldestWaitMs: 50,
    });
    act.succeed(0);
    await works[0];
    await Promise.resolve();
    expect(adapted.snapshot()).toMatchObject({ size: 1, oldestWaitMs: 20, processed: 1 });
    for (const number of [1, 2]) act.succeed(number);
    await queue.onSizeLessThan(1);
    act.succeed(3);
    await Promise.all(works);
    expect(adapted.snapshot()).toMatchObject({ size: 0, processed: 4, oldestWaitMs: 0 });
  });

  it('keeps failures and timeouts apart', async () => {
    const { queue, adapted } = setUp();
    await queue.add(() => Promise.reject(new Error('down'))).catch(() => 'failed');
    await expect(queue.add(calls().begin, { timeout: 1 })).rejects.toThrow(TimeoutError);
    expect(adapted.snapshot()).toMatchObject({ processed: 0, failed: 1, timedOut: 1 });
  });

  it('scales its workers at once, and refuses what the queue refuses', async () => {
    const { queue, act, adapted } = setUp(1);
    const works = [1, 2, 3].map(() => queue.add(act.begin));
    adapted.scaleWorkers(3);
    expect(adapted.snapshot()).toMatchObject({ size: 0, activeWorkers: 3, maxWorkers: 3 });
    adapted.scaleWorkers(1);
    expect(adapted.snapshot()).toMatchObject({ activeWorkers: 3, maxWorkers: 1 });
    expect(() => {
      adapted.scaleWorkers(0);
    }).toThrow(TypeError);
    for (const number of [0, 1, 2]) act.succeed(number);
    await Promise.all(works);
  });

  it('shows a queue without any limit as such', () => {
    const adapted = adaptPQueue(new PQueue(), { name: 'mails' });
    expect(adapted.snapshot().maxWorkers).toBe(withoutBound);
  });

  it('is right again after works were cleared away', async () => {
    const { clock, queue, act, adapted } = setUp(1);
    const first = queue.add(act.begin);
    const cleared = [1, 2, 3].map(() => queue.add(act.begin).catch(() => 'cleared'));
    clock.advance(1000);
    queue.clear();
    await Promise.all(cleared);
    const second = queue.add(act.begin);
    clock.advance(10);
    expect(adapted.snapshot()).toMatchObject({ size: 1, oldestWaitMs: 10 });
    act.succeed(0);
    await first;
    await queue.onSizeLessThan(1);
    act.succeed(1);
    await second;
  });

  it('counts nothing more once the watch has ended', async () => {
    const { queue, adapted } = setUp();
    adapted.end();
    await queue.add(() => 'done');
    expect(adapted.snapshot().processed).toBe(0);
  });
});
