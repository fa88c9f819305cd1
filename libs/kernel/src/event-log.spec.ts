import { describe, expect, it } from '@jest/globals';
import { EventLog } from './event-log.ts';

const never = () => new AbortController().signal;

describe('an event log', () => {
  it('tells everything in order to those who came early and to those who come late', async () => {
    const log = new EventLog<number>();
    log.push(1);
    const early = Array.fromAsync(log.follow(never()));
    await Promise.resolve();
    log.push(2);
    log.push(3);
    log.close();
    expect(await early).toEqual([1, 2, 3]);
    expect(await Array.fromAsync(log.follow(never()))).toEqual([1, 2, 3]);
  });

  it('tells the error after the last event, to all', async () => {
    const log = new EventLog<number>();
    log.push(1);
    log.fail(new Error('broken'));
    for (const follower of [log.follow(never()), log.follow(never())]) {
      expect((await follower.next()).value).toBe(1);
      await expect(follower.next()).rejects.toThrow('broken');
    }
  });

  it('lets one go without taking it from the others', async () => {
    const log = new EventLog<number>();
    const gone = new AbortController();
    const leaving = Array.fromAsync(log.follow(gone.signal));
    const staying = Array.fromAsync(log.follow(never()));
    log.push(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    gone.abort();
    expect(await leaving).toEqual([1]);
    log.push(2);
    log.close();
    expect(await staying).toEqual([1, 2]);
  });

  it('ends once: what comes after the end changes nothing', async () => {
    const log = new EventLog<number>();
    log.close();
    log.fail(new Error('late'));
    expect(await Array.fromAsync(log.follow(never()))).toEqual([]);
    expect(log.isClosed).toBe(true);
  });
});
