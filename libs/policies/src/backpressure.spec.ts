import { describe, expect, it } from '@jest/globals';
import { Backpressure, type BackpressureOptions } from './backpressure.ts';
import { RateLimit } from './rate-limit.ts';
import { createFakeClock } from './test/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

function setUp(options: Partial<BackpressureOptions> = {}) {
  const clock = createFakeClock();
  const limit = new RateLimit('api', { permits: 100, clock });
  const level = { utilisation: 0 };
  const backpressure = new Backpressure('api', { watches: level, slows: limit, clock, ...options });
  const at = (utilisation: number) => {
    level.utilisation = utilisation;
    return backpressure.check();
  };
  return { clock, limit, backpressure, at };
}

describe('backpressure', () => {
  it('engages at its threshold and not below, releases at the lower one and not above', () => {
    const { at, limit } = setUp();
    expect(at(0.79)).toBe('released');
    expect(limit.snapshot().share).toBe(1);
    expect(at(0.8)).toBe('engaged');
    expect(limit.snapshot()).toMatchObject({
      share: 0.5,
      slowedBy: [{ by: 'backpressure:api', share: 0.5 }],
    });
    expect(at(0.61)).toBe('engaged');
    expect(at(0.6)).toBe('released');
    expect(limit.snapshot().share).toBe(1);
    expect(at(0.79)).toBe('released');
  });

  it('engages at once when what it watches is already full', () => {
    const { limit } = setUp({ watches: { utilisation: 0.8 } });
    expect(limit.snapshot().share).toBe(0.5);
  });

  it('looks again whenever somebody looks at it', () => {
    const clock = createFakeClock();
    const limit = new RateLimit('api', { permits: 1, clock });
    const level = { utilisation: 0 };
    const backpressure = new Backpressure('api', { watches: level, slows: limit, clock });
    level.utilisation = 1;
    expect(backpressure.snapshot()).toMatchObject({ state: 'engaged', engagements: 1 });
    level.utilisation = 0;
    expect(backpressure.state).toBe('released');
    expect(limit.snapshot().share).toBe(1);
  });

  it('shows its state, since when, how often, and what it slows down', () => {
    const { at, backpressure, clock } = setUp({
      engageAtRatio: 0.9,
      releaseAtRatio: 0,
      slowToRatio: 0.1,
    });
    at(1);
    at(0);
    at(0.95);
    clock.advance(1500);
    expect(backpressure.snapshot()).toEqual({
      kind: 'backpressure',
      name: 'api',
      state: 'engaged',
      since: new Date(Date.UTC(2026, 0, 1) + 1_000_000),
      stateAgeMs: 1500,
      utilisation: 0.95,
      engageAtRatio: 0.9,
      releaseAtRatio: 0,
      slowToRatio: 0.1,
      slows: 'rate-limit:api',
      engagements: 2,
    });
  });

  it('follows a queue by itself as works come and go', async () => {
    const clock = createFakeClock();
    const queue = new WorkQueue('jobs', { maxWorkers: 1, maxSize: 5, clock });
    const limit = new RateLimit('api', { permits: 100, clock });
    const backpressure = new Backpressure('api', { watches: queue, slows: limit, clock });
    const told: string[] = [];
    backpressure.onChange((state, utilisation) => told.push(`${state} at ${utilisation}`));
    const ends = Array.from({ length: 5 }, () => Promise.withResolvers<undefined>());
    const works = ends.map(({ promise }) => queue.submit(() => promise));
    expect(told).toEqual(['engaged at 0.8']);
    ends[0]!.resolve(undefined);
    await works[0];
    expect(limit.snapshot().share).toBe(1);
    expect(told).toEqual(['engaged at 0.8', 'released at 0.6']);
    for (const { resolve } of ends) resolve(undefined);
    await Promise.all(works);
    backpressure.stop();
  });

  it('is held by hand for a time, by whom and why, and then what it watches decides', () => {
    const { at, backpressure, clock, limit } = setUp();
    backpressure.force('engaged', { forMs: 60_000, by: 'ada', reason: 'a sale begins' });
    expect(limit.snapshot().share).toBe(0.5);
    expect(at(0)).toBe('engaged');
    expect(backpressure.snapshot().forced).toEqual({
      to: 'engaged',
      by: 'ada',
      reason: 'a sale begins',
      endsInMs: 60_000,
    });
    clock.advance(59_999);
    expect(at(0)).toBe('engaged');
    clock.advance(1);
    expect(backpressure.state).toBe('released');
    expect(backpressure.snapshot().forced).toBeUndefined();
    expect(limit.snapshot().share).toBe(1);
  });

  it('can be held released although it would engage, and unforced', () => {
    const { at, backpressure, limit } = setUp();
    backpressure.force('released', { forMs: 1000, by: 'ada', reason: 'drill' });
    expect(at(1)).toBe('released');
    expect(backpressure.unforce()).toBe(true);
    expect(limit.snapshot().share).toBe(0.5);
    expect(backpressure.state).toBe('engaged');
    expect(backpressure.unforce()).toBe(false);
  });

  it('changes the share at once while engaged, and its thresholds with the next look', () => {
    const { at, backpressure, limit } = setUp();
    at(0.85);
    expect(backpressure.retune({ slowToRatio: 0.2 })).toMatchObject({
      kind: 'applied',
      before: { slowToRatio: 0.5 },
      after: { slowToRatio: 0.2 },
    });
    expect(limit.snapshot().share).toBe(0.2);
    backpressure.retune({ engageAtRatio: 0.95, releaseAtRatio: 0.9 });
    expect(limit.snapshot().share).toBe(0.2);
    expect(at(0.85)).toBe('released');
  });

  it('slows nothing down by a retune while it is released, or when it is stopped', () => {
    const { at, backpressure, limit } = setUp();
    backpressure.retune({ slowToRatio: 0.2 });
    expect(limit.snapshot().share).toBe(1);
    at(1);
    backpressure.stop();
    backpressure.retune({ slowToRatio: 0.3 });
    expect(limit.snapshot().share).toBe(1);
  });

  it('does nothing any more when it was stopped while released', () => {
    const { at, backpressure, limit } = setUp();
    backpressure.stop();
    expect(at(1)).toBe('released');
    expect(limit.snapshot().share).toBe(1);
  });

  it('tells listeners, of which one may throw and one may leave', () => {
    const { at, backpressure } = setUp();
    const told: string[] = [];
    backpressure.onChange(() => {
      throw new Error('fault of the listener');
    });
    const stop = backpressure.onChange((state) => told.push(state));
    at(1);
    stop();
    at(0);
    expect(told).toEqual(['engaged']);
  });

  it('lets go of what it slowed down when it is stopped, and follows the queue no more', () => {
    const clock = createFakeClock();
    const queue = new WorkQueue('jobs', { maxWorkers: 1, maxSize: 1, clock });
    const limit = new RateLimit('api', { permits: 100, clock });
    const backpressure = new Backpressure('api', { watches: queue, slows: limit, clock });
    const submit = () => {
      queue.submit(() => new Promise(() => undefined)).catch(() => undefined);
    };
    submit();
    submit();
    expect(limit.snapshot().share).toBe(0.5);
    backpressure.stop();
    expect(limit.snapshot().share).toBe(1);
    queue.retune({ maxSize: 2 });
    submit();
    expect(limit.snapshot().share).toBe(1);
    queue.retune({ maxSize: 1 });
    expect(backpressure.snapshot().state).toBe('engaged');
    expect(limit.snapshot().share).toBe(1);
  });

  it.each<[string, Partial<BackpressureOptions>]>([
    ['engageAtRatio', { engageAtRatio: 1.1 }],
    ['engageAtRatio', { engageAtRatio: 0 }],
    ['releaseAtRatio', { releaseAtRatio: 0.8 }],
    ['releaseAtRatio', { releaseAtRatio: -0.1 }],
    ['slowToRatio', { slowToRatio: 0 }],
  ])('refuses a wrong %s, in a retune without changing anything', (option, options) => {
    expect(() => setUp(options)).toThrow(new RegExp(`api: ${option} is .*; allowed: `));
    const { backpressure } = setUp();
    expect(backpressure.retune(options)).toMatchObject({ kind: 'refused' });
    expect(backpressure.settings).toEqual({
      engageAtRatio: 0.8,
      releaseAtRatio: 0.6,
      slowToRatio: 0.5,
    });
  });

  it('refuses to be held without an end', () => {
    const { backpressure } = setUp();
    const options = { forMs: Infinity, by: 'ada', reason: 'drill' };
    expect(() => {
      backpressure.force('engaged', options);
    }).toThrow('forMs');
  });
});
