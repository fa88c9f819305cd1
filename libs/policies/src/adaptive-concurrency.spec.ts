import { describe, expect, it, jest } from '@jest/globals';
import { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import type { AdaptiveConcurrencyOptions } from './adaptive-concurrency-options.ts';
import type { ConcurrencyDecision } from './flow-snapshots.ts';
import { createFakeClock } from './test/fake-clock.ts';
import { startClients } from './test/simulated-service.ts';

function setUp(options: AdaptiveConcurrencyOptions = {}) {
  const clock = createFakeClock();
  return { clock, concurrency: new AdaptiveConcurrency('db', { clock, ...options }) };
}

/** Calls of 10 ms, `inFlight` at once, until a window is full. */
function fillWindow({ clock, concurrency }: ReturnType<typeof setUp>, inFlight = 20) {
  for (let calls = 0; calls < 2000; calls += inFlight) {
    const permits = Array.from({ length: inFlight }, () => concurrency.acquire()!);
    clock.advance(10);
    for (const permit of permits) concurrency.record(permit, 'success');
  }
}

describe('an adaptive concurrency limit', () => {
  it('lets in as many calls as its limit and refuses the next one without running it', async () => {
    const { concurrency } = setUp({ initialLimit: 2 });
    const ends = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    const calls = ends.map(({ promise }) => concurrency.run(() => promise));
    const act = jest.fn();
    await expect(concurrency.run(act)).rejects.toMatchObject({ code: 'overloaded', policy: 'db' });
    expect(act).not.toHaveBeenCalled();
    expect(concurrency.snapshot()).toMatchObject({ limit: 2, inFlight: 2, rejected: 1 });
    for (const { resolve } of ends) resolve('done');
    await expect(Promise.all(calls)).resolves.toEqual(['done', 'done']);
    expect(concurrency.snapshot()).toMatchObject({ inFlight: 0, succeeded: 2 });
  });

  it('decides after its window in time and its samples, both, and tells each decision', () => {
    const set = setUp({ windowMs: 1000, windowSamples: 3, initialLimit: 4 });
    const { clock, concurrency } = set;
    const told: ConcurrencyDecision[] = [];
    const stop = concurrency.onDecision((decision) => told.push(decision));
    const call = (tookMs: number) => {
      const permit = concurrency.acquire()!;
      clock.advance(tookMs);
      concurrency.record(permit, 'success');
    };
    call(500);
    call(499);
    expect(told).toEqual([]);
    call(0.5);
    expect(told).toEqual([]);
    call(0.5);
    expect(told).toMatchObject([{ from: 4, to: 4, samples: 4, inFlight: 1, why: 'app-limited' }]);
    expect(concurrency.snapshot().lastDecision).toEqual(told[0]);
    clock.advance(5000);
    call(1);
    call(1);
    expect(told).toHaveLength(1);
    call(1);
    expect(told).toHaveLength(2);
    stop();
    clock.advance(5000);
    for (let calls = 0; calls < 3; calls++) call(1);
    expect(told).toHaveLength(2);
  });

  it('does not learn from failures, learns from timeouts, and counts nothing for an abort', async () => {
    const { clock, concurrency } = setUp({ windowSamples: 1 });
    const end = async (name: string) => {
      const call = concurrency.run(async () => {
        clock.advance(2000);
        await Promise.reject(Object.assign(new Error('no'), { name }));
      });
      await expect(call).rejects.toThrow('no');
      return concurrency.snapshot();
    };
    expect(await end('Error')).toMatchObject({ dropped: 1, inFlight: 0 });
    expect(await end('AbortError')).toMatchObject({ dropped: 1, inFlight: 0 });
    expect(concurrency.snapshot().shortMs).toBeUndefined();
    const { dropped, shortMs } = await end('TimeoutError');
    expect(dropped).toBe(2);
    expect(shortMs).toBeCloseTo(2000, -2);
  });

  it('gives the place back although the options judge by throwing', async () => {
    const { concurrency } = setUp({
      outcomeOfError: () => {
        throw new Error('fault of the judge');
      },
    });
    await expect(concurrency.run(() => Promise.reject(new Error('fault')))).rejects.toThrow(
      /^fault$/,
    );
    expect(concurrency.snapshot()).toMatchObject({ inFlight: 0, dropped: 1 });
  });

  it('survives a listener that throws', () => {
    const set = setUp();
    set.concurrency.onDecision(() => {
      throw new Error('fault of the listener');
    });
    expect(() => {
      fillWindow(set);
    }).not.toThrow();
  });

  it('shows calls beyond a limit that fell, refuses until they have ended, and interrupts none', () => {
    const { concurrency } = setUp({ initialLimit: 10 });
    const permits = Array.from({ length: 10 }, () => concurrency.acquire()!);
    expect(concurrency.retune({ maxLimit: 4, initialLimit: 4 })).toMatchObject({
      kind: 'applied',
      before: { maxLimit: 200 },
      after: { maxLimit: 4 },
    });
    expect(concurrency.snapshot()).toMatchObject({ limit: 4, inFlight: 10, overLimit: 6 });
    for (const permit of permits.slice(0, 6)) concurrency.record(permit, 'success');
    expect(concurrency.snapshot()).toMatchObject({ inFlight: 4, overLimit: 0 });
    expect(concurrency.acquire()).toBeUndefined();
    concurrency.record(permits[6]!, 'success');
    expect(concurrency.acquire()).toBeDefined();
  });

  it('keeps what it learned over a retune', () => {
    const set = setUp();
    fillWindow(set);
    const before = set.concurrency.snapshot();
    set.concurrency.retune({ tolerance: 2 });
    expect(set.concurrency.snapshot()).toEqual(before);
    set.concurrency.reset();
    expect(set.concurrency.snapshot()).toMatchObject({ limit: 20 });
    expect(set.concurrency.snapshot().longMs).toBeUndefined();
  });

  it('can be slowed down to a share, at least one call, and the lowest share counts until it ends', () => {
    const { clock, concurrency } = setUp({ initialLimit: 10 });
    concurrency.slowDown('interlock:a', 0.6);
    concurrency.slowDown('interlock:b', 0.01, 1000);
    expect(concurrency.snapshot()).toMatchObject({
      limit: 1,
      slowedBy: [
        { by: 'interlock:a', share: 0.6 },
        { by: 'interlock:b', share: 0.01, endsInMs: 1000 },
      ],
    });
    clock.advance(999);
    expect(concurrency.limit).toBe(1);
    clock.advance(1);
    expect(concurrency.limit).toBe(6);
    expect(concurrency.release('interlock:a')).toBe(true);
    expect(concurrency.release('interlock:a')).toBe(false);
    expect(concurrency.limit).toBe(10);
  });

  it.each<[string, AdaptiveConcurrencyOptions]>([
    ['minLimit', { minLimit: 0 }],
    ['maxLimit', { minLimit: 5, maxLimit: 4 }],
    ['initialLimit', { maxLimit: 10, initialLimit: 11 }],
    ['tolerance', { tolerance: 0.99 }],
    ['smoothing', { smoothing: 0 }],
    ['longWindow', { longWindow: 0 }],
    ['headroom', { headroom: 0 }],
    ['quantile', { quantile: 1 }],
    ['windowMs', { windowMs: 0 }],
    ['windowSamples', { windowSamples: 0 }],
    ['maxInFlightFactor', { maxInFlightFactor: 0.5 }],
    ['correlationWindow', { correlationWindow: 1 }],
  ])('refuses a wrong %s, in a retune without changing anything', (option, options) => {
    expect(() => setUp(options)).toThrow(option);
    const { concurrency } = setUp();
    const before = concurrency.settings;
    expect(concurrency.retune({ ...before, ...options })).toMatchObject({
      kind: 'refused',
      now: before,
    });
    expect(concurrency.settings).toBe(before);
  });
});

describe('an adaptive concurrency limit before a service that queues beyond its capacity', () => {
  function simulate(clients: number) {
    const { clock, concurrency } = setUp();
    const service = { capacity: 30, baseMs: 10, inFlight: 0, mostInFlight: 0, served: 0 };
    const gate = {
      enter() {
        const permit = concurrency.acquire();
        return (
          permit &&
          (() => {
            concurrency.record(permit, 'success');
          })
        );
      },
    };
    startClients(clock, service, gate, { clients });
    const run = (seconds: number) => {
      let lowest = Infinity;
      let highest = 0;
      service.served = 0;
      for (let second = 0; second < seconds; second++) {
        clock.advance(1000);
        lowest = Math.min(lowest, concurrency.limit);
        highest = Math.max(highest, concurrency.limit);
      }
      return { lowest, highest, servedASecond: service.served / seconds };
    };
    return { service, run };
  }

  it('finds the capacity and stays about it, although ever more calls would come', () => {
    const { run } = simulate(60);
    run(20);
    const { lowest, highest, servedASecond } = run(100);
    expect(lowest).toBeGreaterThanOrEqual(20);
    expect(highest).toBeLessThanOrEqual(60);
    // the service could serve 3000
    expect(servedASecond).toBeGreaterThan(2500);
  });

  it('falls when the service gets slower, and comes back with it', () => {
    const { service, run } = simulate(60);
    run(30);
    service.capacity = 6;
    run(20);
    expect(run(30).highest).toBeLessThanOrEqual(20);
    service.capacity = 30;
    run(60);
    expect(run(20).lowest).toBeGreaterThanOrEqual(20);
  });

  it('does not grow on calls that never come near it', () => {
    const { run } = simulate(3);
    run(30);
    expect(run(60)).toMatchObject({ highest: 15 });
  });
});
