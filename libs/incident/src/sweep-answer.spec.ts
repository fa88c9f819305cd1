import { describe, expect, it } from '@jest/globals';
import type { CheckResult } from '@starr/kernel';
import { answerSweep, type SweepInput } from './sweep-answer.ts';
import { at, catalogOf } from './test/build.ts';
import { bundledPlaybooks } from './test/files/bundled.ts';
import {
  breakerStuckOpen,
  cacheCannotEvict,
  dependencyDown,
  leakAndStuckBreaker,
  leakByRollout,
  twoCauses,
} from './test/scenarios.ts';
import { healthyShop } from './test/shop.ts';

const playbooks = bundledPlaybooks();

function answer(results: readonly CheckResult[], more: Partial<SweepInput> = {}) {
  return answerSweep({
    environment: 'prod-eu',
    startedAt: at('03:12:08'),
    endedAt: at('03:12:09'),
    results,
    playbooks,
    catalog: catalogOf(),
    ...more,
  });
}

const top = (results: readonly CheckResult[]) => answer(results).causes.map((c) => c.playbook);

describe('answerSweep', () => {
  it('names the rollout that leaks, its path and everything that follows from it', () => {
    const { causes, possible, unexplained, headline, urgent } = answer(leakByRollout());
    expect(causes.map(({ playbook }) => playbook)).toEqual(['leak-since-rollout']);
    expect(possible).toEqual([]);
    expect(unexplained).toEqual([]);
    expect(headline).toBe('checkout revision 2 leaks connections of orders.');
    expect(urgent).toBe('FULL IN ~20 s');
    expect(causes[0]?.path).toEqual([
      'application checkout → 3 clients → 3 addresses → 3 pods → revision shop/checkout#2 (3 of 3 addresses)',
    ]);
    expect(causes[0]?.explains).toHaveLength(5);
    expect(causes[0]?.ruledOut).toEqual(['slow queries (300 ms)', 'OOM, restarts (0)']);
  });

  it('ends the path at a shared address and says so', () => {
    const { causes, possible } = answer(leakByRollout({ shared: true }));
    expect(causes[0]?.playbook).toBe('connection-leak');
    expect(causes[0]?.path).toContain(
      'pod not identified, path ends at address 10.0.0.9 (3 holders)',
    );
    expect(possible.map(({ playbook, standing }) => [playbook, standing])).toEqual([
      ['leak-since-rollout', 'ungrounded'],
    ]);
  });

  it('sees a breaker that is open without need', () => {
    expect(top(breakerStuckOpen())).toEqual(['breaker-stuck-open']);
  });

  it('sees a dependency that is down, and the breaker before it as its consequence', () => {
    expect(top(dependencyDown())).toEqual(['dependency-down']);
  });

  it('sees a cache that cannot evict', () => {
    expect(top(cacheCannotEvict())).toEqual(['cache-cannot-evict']);
  });

  it('keeps two independent causes apart', () => {
    expect(top(twoCauses())).toEqual(['leak-since-rollout', 'cache-cannot-evict']);
  });

  it('keeps a leak and a breaker stuck before another dependency apart, in one and the same service', () => {
    expect(top(leakAndStuckBreaker())).toEqual(['leak-since-rollout', 'breaker-stuck-open']);
  });

  it('names no cause where nothing is found', () => {
    const { causes, possible, headline, severity } = answer(healthyShop());
    expect([causes, possible]).toEqual([[], []]);
    expect([headline, severity]).toEqual(['Nothing found.', 'none']);
  });
});
