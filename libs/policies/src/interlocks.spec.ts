import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Backpressure } from './backpressure.ts';
import { Breaker } from './breaker.ts';
import { Fallback } from './fallback.ts';
import { fixedAnswer } from './fallback-strategy.ts';
import { findCycle } from './interlock-cycle.ts';
import { backpressureState, breakerState } from './interlock-sources.ts';
import { Interlocks, checkInterlocks, type InterlockRule } from './interlocks.ts';
import { RateLimit } from './rate-limit.ts';
import { createFakeClock } from './test/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

function setUp() {
  const clock = createFakeClock();
  const breaker = new Breaker('redis', {
    opensOn: { kind: 'consecutive', failures: 1 },
    recoveryMs: 1000,
    jitter: 'none',
    clock,
  });
  const limit = new RateLimit('db', { permits: 100, clock });
  const rule: InterlockRule = {
    name: 'spare the database',
    when: breakerState(breaker),
    is: ['open', 'half-open'],
    then: { kind: 'slow-down', policy: limit, share: 0.6 },
  };
  const open = () => breaker.run(() => Promise.reject(new Error('down'))).catch(() => undefined);
  return { clock, breaker, limit, rule, open };
}

describe('interlocks', () => {
  it('hold while their cause is in its state, and let go when it has left', async () => {
    const { clock, breaker, limit, rule, open } = setUp();
    const interlocks = new Interlocks('shop', { rules: [rule], clock });
    expect(limit.snapshot().share).toBe(1);
    await open();
    expect(limit.snapshot()).toMatchObject({
      share: 0.6,
      slowedBy: [{ by: 'interlock:shop/spare the database', share: 0.6 }],
    });
    clock.advance(1000);
    const probe = breaker.acquire()!;
    expect(limit.snapshot().share).toBe(0.6);
    breaker.record(probe, 'success');
    expect(limit.snapshot().share).toBe(1);
    expect(interlocks.snapshot().rules).toMatchObject([{ active: false, activations: 1 }]);
  });

  it('show what they watch, what they do, since when and how often', async () => {
    const { clock, rule, open } = setUp();
    const interlocks = new Interlocks('shop', { rules: [rule], clock });
    clock.advance(5000);
    await open();
    expect(interlocks.snapshot()).toEqual({
      kind: 'interlocks',
      name: 'shop',
      rules: [
        {
          rule: 'spare the database',
          when: { policy: 'breaker:redis', is: ['open', 'half-open'] },
          does: 'slow rate-limit:db down to 0.6',
          active: true,
          since: clock.wallTime(),
          activations: 1,
        },
      ],
    });
  });

  it('take a breaker that an override holds open or closed for open or closed, as long as it does', async () => {
    const { clock, breaker, limit, rule, open } = setUp();
    new Interlocks('shop', { rules: [rule], clock });
    const by = { id: 'o-1', leaseMs: 1000, by: 'ada', reason: 'drill' };
    breaker.override({ ...by, kind: 'force-open' });
    expect(limit.snapshot().share).toBe(0.6);
    breaker.release('o-1');
    expect(limit.snapshot().share).toBe(1);
    breaker.override({ ...by, kind: 'serve-stale' });
    expect(limit.snapshot().share).toBe(0.6);
    clock.advance(1008);
    expect(limit.snapshot().share).toBe(1);
    breaker.override({ ...by, kind: 'hold-closed' });
    await open();
    expect(limit.snapshot().share).toBe(1);
    breaker.release('o-1');
    expect(limit.snapshot().share).toBe(0.6);
  });

  it('hold from the start when their cause is already there', async () => {
    const { limit, rule, open } = setUp();
    await open();
    const interlocks = new Interlocks('shop', { rules: [rule] });
    expect(limit.snapshot().share).toBe(0.6);
    interlocks.stop();
    expect(limit.snapshot().share).toBe(1);
    expect(interlocks.snapshot().rules).toEqual([]);
  });

  it('switch a fallback, and follow a backpressure', async () => {
    const { clock, limit } = setUp();
    const level = { utilisation: 0 };
    const backpressure = new Backpressure('api', { watches: level, slows: limit, clock });
    const quotes = new Fallback('quotes', { strategies: [fixedAnswer('closed', '-')], clock });
    const interlocks = new Interlocks('shop', {
      rules: [
        {
          name: 'no quotes under load',
          when: backpressureState(backpressure),
          is: ['engaged'],
          then: { kind: 'serve-from', policy: quotes, strategy: 'closed' },
        },
      ],
    });
    await expect(quotes.value(() => '7.5')).resolves.toBe('7.5');
    level.utilisation = 1;
    backpressure.check();
    await expect(quotes.value(() => '7.5')).resolves.toBe('-');
    expect(interlocks.snapshot().rules).toMatchObject([
      { does: 'serve fallback:quotes from closed', active: true },
    ]);
    level.utilisation = 0;
    backpressure.check();
    await expect(quotes.value(() => '7.5')).resolves.toBe('7.5');
  });

  it('are replaced together: what stays does not let go in between, what goes lets go, what is new holds', async () => {
    const { limit, rule, open } = setUp();
    const other = new RateLimit('search', { permits: 1 });
    const interlocks = new Interlocks('shop', { rules: [rule] });
    await open();
    const heard: number[] = [];
    const { slowDown, release } = {
      slowDown: limit.slowDown.bind(limit),
      release: limit.release.bind(limit),
    };
    limit.slowDown = (by, share) => {
      heard.push(share);
      slowDown(by, share);
    };
    limit.release = (by) => {
      heard.push(1);
      return release(by);
    };
    const stricter: InterlockRule = {
      ...rule,
      then: { kind: 'slow-down', policy: limit, share: 0.3 },
    };
    interlocks.replace([stricter]);
    expect(heard).toEqual([0.3]);
    expect(limit.snapshot().share).toBe(0.3);
    expect(interlocks.snapshot().rules).toMatchObject([{ active: true, activations: 1 }]);
    interlocks.replace([{ ...rule, then: { kind: 'slow-down', policy: other, share: 0.5 } }]);
    expect(limit.snapshot().share).toBe(1);
    expect(other.snapshot().share).toBe(0.5);
    interlocks.replace([{ ...rule, is: ['closed'] }]);
    expect(other.snapshot().share).toBe(1);
    expect(limit.snapshot().share).toBe(1);
  });

  it('refuse rules that would act on what made them act, and then change nothing', async () => {
    const { clock, limit, rule, open } = setUp();
    const level = { utilisation: 0 };
    const backpressure = new Backpressure('db', { watches: level, slows: limit, clock });
    const looping: InterlockRule = {
      name: 'loop',
      when: backpressureState(backpressure),
      is: ['engaged'],
      then: { kind: 'slow-down', policy: limit, share: 0.5 },
    };
    const couplings = [
      ['rate-limit:db', 'queue:db'],
      ['queue:db', 'backpressure:db'],
    ] as const;
    expect(checkInterlocks([looping])).toBeUndefined();
    expect(checkInterlocks([looping], couplings.slice(0, 1))).toBeUndefined();
    expect(checkInterlocks([looping], couplings)).toMatchObject({
      code: 'interlock-cycle',
      cycle: ['backpressure:db', 'rate-limit:db', 'queue:db', 'backpressure:db'],
    });
    const interlocks = new Interlocks('shop', { rules: [rule], couplings });
    expect(() => {
      interlocks.replace([rule, looping]);
    }).toThrow('rate-limit:db → queue:db → backpressure:db → rate-limit:db');
    await open();
    expect(limit.snapshot().share).toBe(0.6);
    expect(interlocks.snapshot().rules).toHaveLength(1);
  });

  it('know by themselves what a backpressure watches and slows down', () => {
    const { clock, limit } = setUp();
    const queue = new WorkQueue('db', { maxWorkers: 1, maxSize: 1, clock });
    const backpressure = new Backpressure('db', { watches: queue, slows: limit, clock });
    expect(backpressure.couplings).toEqual([
      ['queue:db', 'backpressure:db'],
      ['backpressure:db', 'rate-limit:db'],
    ]);
    // fewer workers would fill the queue even more
    const worse: InterlockRule = {
      name: 'worse',
      when: backpressureState(backpressure),
      is: ['engaged'],
      then: { kind: 'slow-down', policy: queue, share: 0.5 },
    };
    expect(checkInterlocks([worse])).toMatchObject({
      code: 'interlock-cycle',
      cycle: ['backpressure:db', 'queue:db', 'backpressure:db'],
    });
  });

  it('refuse two rules of one name, a rule that watches no state, and a share out of range', () => {
    const { rule, limit } = setUp();
    const make = (...rules: InterlockRule[]) => new Interlocks('shop', { rules });
    expect(() => make(rule, rule)).toThrow('duplicate-name');
    expect(() => make({ ...rule, is: [] })).toThrow('is names no state');
    expect(() => make({ ...rule, then: { kind: 'slow-down', policy: limit, share: 0 } })).toThrow(
      'share',
    );
  });
});

describe('the search for a cycle', () => {
  const name = fc.integer({ min: 0, max: 6 }).map(String);
  const edges = fc.array(fc.tuple(name, name), { maxLength: 12 });

  /** By taking away, again and again, every edge into something that nothing leaves. */
  const hasCycle = (all: readonly (readonly [string, string])[]): boolean => {
    let left = [...all];
    for (;;) {
      const still = left.filter(([, to]) => left.some(([from]) => from === to));
      if (still.length === left.length) return left.length > 0;
      left = still;
    }
  };

  it('finds one exactly when there is one, and what it tells is one', () => {
    fc.assert(
      fc.property(edges, (all) => {
        const cycle = findCycle(all);
        expect(cycle !== undefined).toBe(hasCycle(all));
        if (!cycle) return;
        expect(cycle[0]).toBe(cycle.at(-1));
        cycle.slice(1).forEach((to, index) => {
          expect(all).toContainEqual([cycle[index], to]);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('goes through twenty thousand in a row without an end of the stack', () => {
    const chain = Array.from({ length: 20_000 }, (_, at) => [`${at}`, `${at + 1}`] as const);
    expect(findCycle(chain)).toBeUndefined();
    expect(findCycle([...chain, ['20000', '0']])).toHaveLength(20_002);
  });

  it('takes a rule that acts on its own cause for a cycle', () => {
    expect(findCycle([['a', 'a']])).toEqual(['a', 'a']);
  });
});
