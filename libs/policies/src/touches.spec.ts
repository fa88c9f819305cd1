import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { Touched } from './evidence.ts';
import { createPolicies } from './policies.ts';
import { RememberedAnswers } from './remembered-answers.ts';
import type { Retuned, Touch } from './retuned.ts';
import { createFakeClock } from './test/fake-clock.ts';

/** A policy by what all of them share: a change that it takes, one that it refuses, and what it shows. */
interface Tuned {
  retune(touch?: Touch): Retuned<object>;
  retuneWrongly(touch: Touch): Retuned<object>;
  shown(): Touched;
}

const clock = createFakeClock();

function tuned<C>(
  policy: { retune(change: C, touch?: Touch): Retuned<object>; snapshot(): Touched },
  right: C,
  wrong: C,
): Tuned {
  return {
    retune: (touch) => policy.retune(right, touch),
    retuneWrongly: (touch) => policy.retune(wrong, touch),
    shown: () => policy.snapshot(),
  };
}

function remembered(): Tuned {
  const cache = new RememberedAnswers<string>('cache', { freshForMs: 1000, clock });
  const prices = policies().fallback<string>('prices', { strategies: [cache] });
  const shown = () => prices.snapshot().strategies[0] ?? {};
  return {
    retune: (touch) => cache.retune({ maxEntries: 10 }, touch),
    retuneWrongly: (touch) => cache.retune({ maxEntries: 0 }, touch),
    shown,
  };
}

const kinds: Readonly<Record<string, () => Tuned>> = {
  breaker: () => tuned(policies().breaker('p'), { recoveryMs: 10 }, { recoveryMs: 0 }),
  bulkhead: () =>
    tuned(
      policies().bulkhead('p', { maxConcurrent: 1 }),
      { maxConcurrent: 2 },
      { maxConcurrent: 0 },
    ),
  queue: () =>
    tuned(
      policies().queue('p', { maxWorkers: 1, maxSize: 1 }),
      { maxWorkers: 2, drain: 'reject-oldest' },
      { maxWorkers: 0 },
    ),
  'rate limit': () =>
    tuned(
      policies().rateLimit('p', { permits: 1, periodMs: 1000 }),
      { permits: 2 },
      { permits: 0 },
    ),
  concurrency: () => tuned(policies().concurrency('p'), { maxLimit: 50 }, { maxLimit: 0 }),
  timeout: () =>
    tuned(policies().timeout('p', { timeoutMs: 5 }), { timeoutMs: 6 }, { timeoutMs: 0 }),
  retry: () => tuned(policies().retry('p'), { maxAttempts: 2 }, { maxAttempts: 0 }),
  'retry budget': () => tuned(policies().retryBudget('p'), { ratio: 0.5 }, { ratio: 2 }),
  pool: () => {
    const pool = Object.assign(new EventEmitter(), {
      totalCount: 0,
      idleCount: 0,
      waitingCount: 0,
      options: { max: 2 },
      connect: () => Promise.resolve({}),
    });
    return tuned(policies().watchPool('p', pool), { max: 3 }, { max: 0 });
  },
  backpressure: () => {
    const slows = policies().rateLimit('slowed', { permits: 1, periodMs: 1000 });
    const watches = { utilisation: 0 };
    return tuned(
      policies().backpressure('p', { watches, slows }),
      { slowToRatio: 0.2 },
      { slowToRatio: 2 },
    );
  },
  'remembered answers': remembered,
};

function policies() {
  return createPolicies({ service: 'checkout', clock });
}

describe.each(Object.keys(kinds))('who changed a %s by hand', (kind) => {
  const make = () => kinds[kind]!();

  it('is shown, with the reason, the moment and the version', () => {
    const policy = make();
    expect(policy.shown()).not.toHaveProperty('touches');
    const at = clock.wallTime();
    expect(policy.retune({ by: 'anna', reason: 'it drowns', version: 'v8' }).kind).toBe('applied');
    clock.advance(1000);
    policy.retune({ by: 'bob' });
    expect(policy.shown()).toMatchObject({
      policyVersion: 'v8',
      touches: [
        { what: 'retune', by: 'bob', at: new Date(at.getTime() + 1000) },
        { what: 'retune', by: 'anna', reason: 'it drowns', at },
      ],
    });
  });

  it('is not shown when nothing was changed, or nobody says who it was', () => {
    const policy = make();
    expect(policy.retuneWrongly({ by: 'anna', version: 'v8' }).kind).toBe('refused');
    expect(policy.retune().kind).toBe('applied');
    expect(policy.shown()).not.toHaveProperty('touches');
    expect(policy.shown()).not.toHaveProperty('policyVersion');
  });

  it('is remembered four times', () => {
    const policy = make();
    for (const by of ['a', 'b', 'c', 'd', 'e']) policy.retune({ by });
    expect(policy.shown().touches?.map(({ by }) => by)).toEqual(['e', 'd', 'c', 'b']);
  });
});
