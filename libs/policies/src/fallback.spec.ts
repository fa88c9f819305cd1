import { describe, expect, it, jest } from '@jest/globals';
import { Breaker } from './breaker.ts';
import { Fallback, type FallbackOptions } from './fallback.ts';
import { fixedAnswer, otherCall } from './fallback-strategy.ts';
import { RememberedAnswers, type RememberedAnswersOptions } from './remembered-answers.ts';
import { createFakeClock } from './test/fake-clock.ts';

const down = () => Promise.reject<string>(new Error('down'));
const says = (value: string) => () => value;

function setUp(
  remembered: Partial<RememberedAnswersOptions> = {},
  more: Partial<FallbackOptions<string>> = {},
) {
  const clock = createFakeClock();
  const breaker = new Breaker('quotes', {
    opensOn: { kind: 'consecutive', failures: 1 },
    recoveryMs: 3_600_000,
    recoveryMaxMs: 3_600_000,
    jitter: 'none',
    clock,
  });
  const cache = new RememberedAnswers<string>('cache', {
    freshForMs: 600_000,
    staleForMs: 1_800_000,
    clock,
    ...remembered,
  });
  const fallback = new Fallback<string>('quotes', { strategies: [cache], clock, ...more });
  return { clock, breaker, cache, fallback };
}

describe('a fallback', () => {
  it('gives the answer of the call itself while there is one', async () => {
    const { fallback } = setUp();
    await expect(fallback.run(says('7.5'), 'ACME')).resolves.toEqual({
      value: '7.5',
      source: 'primary',
      ageMs: 0,
      stale: false,
    });
    expect(fallback.snapshot()).toMatchObject({ calls: 1, primary: 1, fallen: 0, staleRatio: 0 });
    expect(fallback.snapshot().hitRatio).toBeUndefined();
  });

  it('gives the last good answer with its source and age when the call fails', async () => {
    const { fallback, clock } = setUp();
    await fallback.run(says('7.5'), 'ACME');
    clock.advance(600_000);
    await expect(fallback.run(down, 'ACME')).resolves.toEqual({
      value: '7.5',
      source: 'cache',
      ageMs: 600_000,
      stale: false,
    });
    await expect(fallback.value(down, 'ACME')).resolves.toBe('7.5');
  });

  it('gives what is older only while the call is refused, and calls it stale', async () => {
    const { fallback, clock, breaker } = setUp();
    await fallback.run(says('7.5'), 'ACME');
    clock.advance(600_001);
    await expect(fallback.run(down, 'ACME')).rejects.toThrow('down');
    await breaker.run(down).catch(() => undefined);
    const guarded = () => breaker.run(says('not reached'));
    await expect(fallback.run(guarded, 'ACME')).resolves.toEqual({
      value: '7.5',
      source: 'cache',
      ageMs: 600_001,
      stale: true,
    });
    clock.advance(1_199_999);
    await expect(fallback.run(guarded, 'ACME')).resolves.toMatchObject({ ageMs: 1_800_000 });
    clock.advance(1);
    await expect(fallback.run(guarded, 'ACME')).rejects.toMatchObject({ code: 'open' });
    expect(fallback.snapshot()).toEqual({
      kind: 'fallback',
      name: 'quotes',
      calls: 5,
      primary: 1,
      passedOn: 0,
      fallen: 4,
      unanswered: 2,
      hitRatio: 0.5,
      staleRatio: 2 / 3,
      longestServedAgeMs: 1_800_000,
      strategies: [{ name: 'cache', answered: 2, stale: 2, missed: 2, failed: 0, entries: 0 }],
    });
  });

  it('asks its strategies in order until one has an answer, over one that throws', async () => {
    const { cache, fallback } = setUp(
      {},
      {
        strategies: [
          new RememberedAnswers<string>('cache', { freshForMs: 1000 }),
          otherCall('replica', down),
          otherCall('neighbour', (key) => `${key} next door`),
          fixedAnswer('last resort', 'unknown'),
        ],
      },
    );
    expect(cache.entries).toBe(0);
    await expect(fallback.run(down, 'ACME')).resolves.toMatchObject({
      value: 'ACME next door',
      source: 'neighbour',
    });
    expect(fallback.snapshot().strategies).toMatchObject([
      { name: 'cache', answered: 0, missed: 1, failed: 0 },
      { name: 'replica', answered: 0, missed: 0, failed: 1 },
      { name: 'neighbour', answered: 1, missed: 0, failed: 0 },
      { name: 'last resort', answered: 0, missed: 0, failed: 0 },
    ]);
  });

  it('keeps the answers of each key apart, also undefined ones', async () => {
    const cache = new RememberedAnswers<string | undefined>('cache', { freshForMs: 1000 });
    const fallback = new Fallback('quotes', { strategies: [cache] });
    await fallback.run(() => undefined, 'ACME');
    await expect(
      fallback.run(() => Promise.reject(new Error('down')), 'ACME'),
    ).resolves.toMatchObject({
      value: undefined,
      source: 'cache',
    });
    await expect(fallback.run(() => Promise.reject(new Error('down')), 'INITECH')).rejects.toThrow(
      'down',
    );
  });

  it('lets an abort, and what the options say, through to the caller', async () => {
    const { fallback } = setUp();
    await fallback.run(says('7.5'));
    const aborted = Object.assign(new Error('left'), { name: 'AbortError' });
    await expect(fallback.run(() => Promise.reject(aborted))).rejects.toBe(aborted);
    expect(fallback.snapshot()).toMatchObject({ passedOn: 1, fallen: 0 });
    const strict = setUp({}, { fallsOn: (error) => !String(error).includes('not found') }).fallback;
    await expect(strict.run(() => Promise.reject(new Error('not found')))).rejects.toThrow(
      'not found',
    );
    expect(strict.snapshot()).toMatchObject({ calls: 1, passedOn: 1 });
  });

  it('serves from a strategy by hand, without the call, for a time', async () => {
    const { fallback, clock } = setUp();
    await fallback.run(says('7.5'), 'ACME');
    clock.advance(900_000);
    fallback.force('cache', { forMs: 60_000, by: 'ada', reason: 'quotes are wrong' });
    const act = jest.fn(says('8'));
    await expect(fallback.run(act, 'ACME')).resolves.toMatchObject({ value: '7.5', stale: true });
    await expect(fallback.run(act, 'INITECH')).rejects.toMatchObject({ code: 'no-fallback' });
    expect(act).not.toHaveBeenCalled();
    expect(fallback.snapshot().forced).toEqual({
      to: 'cache',
      by: 'ada',
      reason: 'quotes are wrong',
      endsInMs: 60_000,
    });
    clock.advance(60_000);
    await expect(fallback.run(act, 'ACME')).resolves.toMatchObject({
      value: '8',
      source: 'primary',
    });
    fallback.force('cache', { forMs: 60_000, by: 'ada', reason: 'again' });
    expect(fallback.unforce()).toBe(true);
    await expect(fallback.run(act, 'ACME')).resolves.toMatchObject({ source: 'primary' });
  });

  it('serves from the forced strategy first and then from the others', async () => {
    const { cache } = setUp();
    const fallback = new Fallback<string>('quotes', {
      strategies: [fixedAnswer('fixed', '0'), cache],
    });
    await fallback.run(says('7.5'));
    fallback.force('cache', { forMs: 1000, by: 'ada', reason: 'drill' });
    await expect(fallback.value(down)).resolves.toBe('7.5');
    cache.forget();
    await expect(fallback.value(down)).resolves.toBe('0');
  });

  it('serves from a strategy for whoever holds it, until it is released', async () => {
    const { fallback } = setUp();
    await fallback.run(says('7.5'));
    fallback.serveFrom('interlock:a', 'cache');
    await expect(fallback.run(says('8'))).resolves.toMatchObject({ value: '7.5', source: 'cache' });
    expect(fallback.snapshot().servesFrom).toEqual({ by: 'interlock:a', strategy: 'cache' });
    expect(fallback.release('interlock:a')).toBe(true);
    expect(fallback.release('interlock:a')).toBe(false);
    await expect(fallback.value(says('8'))).resolves.toBe('8');
  });

  it('can ask other strategies, or in another order, from now on', async () => {
    const { cache } = setUp();
    const fallback = new Fallback<string>('quotes', {
      strategies: [cache, fixedAnswer('fixed', '0')],
    });
    await fallback.run(says('7.5'));
    fallback.reorder(['fixed', 'cache']);
    await expect(fallback.value(down)).resolves.toBe('0');
    fallback.reorder(['cache']);
    await expect(fallback.value(down)).resolves.toBe('7.5');
    expect(fallback.snapshot().strategies.map(({ name }) => name)).toEqual(['cache']);
    expect(() => {
      fallback.reorder(['cache', 'cache']);
    }).toThrow('twice');
    expect(() => {
      fallback.reorder(['unknown']);
    }).toThrow('allowed: cache, fixed');
  });

  it('gives the answer of the call although a strategy cannot remember it', async () => {
    const broken = {
      name: 'broken',
      answer: () => undefined,
      remember: () => {
        throw new Error('disk full');
      },
    };
    const fallback = new Fallback<string>('quotes', { strategies: [broken] });
    await expect(fallback.value(says('7.5'))).resolves.toBe('7.5');
    expect(fallback.snapshot().strategies).toMatchObject([{ failed: 1 }]);
  });

  it('refuses no strategy, two of one name, and one named as the call itself', () => {
    const make = (...names: string[]) =>
      new Fallback('quotes', { strategies: names.map((name) => fixedAnswer(name, '0')) });
    expect(() => make()).toThrow('strategies is empty');
    expect(() => make('a', 'a')).toThrow('duplicate-name');
    expect(() => make('primary')).toThrow('primary');
  });
});

describe('remembered answers', () => {
  it('forget the one unused longest when there are too many, also after a retune', async () => {
    const { fallback, cache } = setUp({ maxEntries: 2 });
    await fallback.run(says('1'), 'a');
    await fallback.run(says('2'), 'b');
    await fallback.value(down, 'a');
    await fallback.run(says('3'), 'c');
    expect(cache.entries).toBe(2);
    await expect(fallback.value(down, 'b')).rejects.toThrow('down');
    await expect(fallback.value(down, 'a')).resolves.toBe('1');
    cache.retune({ maxEntries: 1 });
    expect(cache.entries).toBe(1);
    await expect(fallback.value(down, 'a')).resolves.toBe('1');
    cache.forget('a');
    expect(cache.entries).toBe(0);
  });

  it('are as old as they are: a retune counts for those already there', async () => {
    const { fallback, cache, clock } = setUp({ freshForMs: 1000, staleForMs: 1000 });
    await fallback.run(says('1'));
    clock.advance(1001);
    cache.retune({ staleForMs: 5000, freshForMs: 2000 });
    await expect(fallback.run(down)).resolves.toMatchObject({ ageMs: 1001, stale: false });
  });

  it('are not stale without staleForMs: what is not fresh is gone', async () => {
    const { clock } = setUp();
    const cache = new RememberedAnswers<string>('cache', { freshForMs: 1000, clock });
    cache.remember('a', '1');
    clock.advance(1000);
    expect(cache.answer('a', { kind: 'forced' })).toMatchObject({ stale: false });
    clock.advance(1);
    expect(cache.answer('a', { kind: 'forced' })).toBeUndefined();
    expect(cache.entries).toBe(0);
    await Promise.resolve();
  });

  it.each<[string, Partial<RememberedAnswersOptions>]>([
    ['freshForMs', { freshForMs: 0 }],
    ['staleForMs', { freshForMs: 1000, staleForMs: 999 }],
    ['maxEntries', { maxEntries: 0 }],
  ])('refuse a wrong %s, in a retune without changing anything', (option, options) => {
    expect(() => setUp(options)).toThrow(option);
    const { cache } = setUp();
    const before = cache.settings;
    const { clock: _clock, ...change } = options;
    expect(cache.retune(change)).toMatchObject({ kind: 'refused', now: before });
    expect(cache.settings).toBe(before);
  });
});
