import { describe, expect, it } from '@jest/globals';
import { blindSpot, type CheckResult } from '@starr/kernel';
import fc from 'fast-check';
import { answerFromJson, answerToJson } from './answer-json.ts';
import { reportAnswer } from './report.ts';
import { answerSweep, type SweepInput } from './sweep-answer.ts';
import { at, catalogOf, check, entity } from './test/build.ts';
import { shopPlaybooks } from './test/files/bundled.ts';
import {
  breakerStuckOpen,
  cacheCannotEvict,
  dependencyDown,
  earlyLeak,
  leakAndStuckBreaker,
  leakByRollout,
  loudButHealthy,
  twoCauses,
} from './test/scenarios.ts';
import { healthyShop, revisionOf } from './test/shop.ts';

const playbooks = shopPlaybooks();

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
  it('says that it is full once nothing is left, not that it will be in 0 ms', () => {
    const full = leakByRollout().map((result) => ({
      ...result,
      verdict: {
        ...result.verdict,
        findings: (result.verdict.findings ?? []).map((finding) => ({
          ...finding,
          measured: finding.measured.map((each) =>
            each.name === 'fullInMs' ? { ...each, value: 0 } : each,
          ),
        })),
      },
    }));
    expect(answer(full).urgent).toBe('FULL NOW');
  });

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

  it.each([
    ['as its processes attach from there', 'peer', '3 holders'],
    ['which nobody in the cluster holds', 'pod', 'no holder known'],
  ] as const)('ends the path at a shared address and says so, %s', (_, attached, holders) => {
    for (const scenario of [leakByRollout, earlyLeak]) {
      const { causes, possible, unexplained } = answer(scenario({ shared: true, attached }));
      expect(causes.map(({ playbook }) => playbook)).toEqual(['connection-leak', 'bad-rollout']);
      expect(causes[0]?.path).toEqual([
        'application checkout → address 10.0.0.9',
        `pod not identified, path ends at address 10.0.0.9 (${holders})`,
      ]);
      expect(possible.map(({ playbook, standing }) => [playbook, standing])).toEqual([
        ['leak-since-rollout', 'ungrounded'],
      ]);
      expect(unexplained).toEqual([]);
    }
  });

  it('explains what stands before an ill server, from wherever it comes', () => {
    const results = leakByRollout({ shared: true }).filter(
      ({ diagnostic }) => !/^(?:k8s|traces)\./.test(diagnostic),
    );
    const options = { catalog: catalogOf(['db', 'cache', 'resilience']) };
    const [cause] = answer(results, options).causes;
    expect(cause?.explains.map((id) => id.split('@')[0])).toEqual([
      'db.connection-leak',
      'db.connection-use',
      'resilience.pools',
    ]);
    const wellServer = results.filter(({ diagnostic }) => diagnostic !== 'db.connection-use');
    const [poolUnexplained] = answer(wellServer, options).unexplained;
    expect(poolUnexplained).toContain('resilience.pools');
  });

  it("explains users' errors over the pool that an ill server starves, where the path to the leak itself ends", () => {
    const results = leakByRollout({ shared: true }).filter(
      ({ diagnostic }) => !diagnostic.startsWith('k8s.'),
    );
    const options = { catalog: catalogOf(['db', 'cache', 'resilience', 'traces']) };
    const { causes, unexplained } = answer(results, options);
    expect(causes[0]?.explains.map((id) => id.split('@')[0])).toContain('traces.error-rate');
    expect(unexplained).toEqual([]);
    const nothingStarved = results.filter(
      ({ diagnostic }) => !/^resilience\.(?:pools|breakers)$/.test(diagnostic),
    );
    expect(answer(nothingStarved, options).unexplained.join()).toContain('traces.error-rate');
  });

  it('names the rollout as well when the leak is young', () => {
    expect(top(earlyLeak())).toEqual(['leak-since-rollout']);
    expect(top(earlyLeak({ attached: 'pod' }))).toEqual(['leak-since-rollout']);
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

  it.each([
    ['a healthy shop', healthyShop()],
    ['a big static pool, loud old errors and an innocent rollout', loudButHealthy()],
  ])('names no cause where nothing is found: %s', (_, results) => {
    const { causes, possible, unexplained, headline, severity } = answer(results);
    expect([causes, possible, unexplained]).toEqual([[], [], []]);
    expect([headline, severity]).toEqual(['Nothing found.', 'none']);
  });

  it('does not blame the rollout of another revision than the one that leaks', () => {
    const results = leakByRollout({ revision: 1 });
    expect(top(results)[0]).toBe('connection-leak');
    expect(answer(results).possible.map(({ playbook }) => playbook)).toEqual([]);
  });

  it('names the same cause with any number of pods', () => {
    for (const pods of [1, 2, 7, 40]) {
      const [cause] = answer(leakByRollout({ pods })).causes;
      expect(cause?.playbook).toBe('leak-since-rollout');
      expect(cause?.path[0]).toContain('revision shop/checkout#2');
    }
  });

  it('does not blame a rollout when only a minority of the leaking addresses runs it', () => {
    const results = leakByRollout().map((result) => ({
      ...result,
      relations: result.relations.map((one) =>
        one.is === 'runs' && one.from.name !== 'shop/checkout-2'
          ? { ...one, to: revisionOf(1) }
          : one,
      ),
    }));
    expect(top(results)).not.toContain('leak-since-rollout');
  });

  it('blames it when most of them do, and says that the others lead elsewhere', () => {
    const results = leakByRollout().map((result) => ({
      ...result,
      relations: result.relations.map((one) =>
        one.is === 'runs' && one.from.name === 'shop/checkout-2'
          ? { ...one, to: revisionOf(1) }
          : one,
      ),
    }));
    const [cause] = answer(results).causes;
    expect(cause?.playbook).toBe('leak-since-rollout');
    expect(cause?.path[0]).toContain('(2 of 3 addresses)');
    expect(cause?.unproven).toContain('1 address of 3 leads elsewhere');
  });

  it('sleeps where there is no cluster, and leads to the service instead', () => {
    const results = leakByRollout().filter(({ diagnostic }) => !diagnostic.startsWith('k8s.'));
    const { causes, dormant } = answer(results, {
      catalog: catalogOf(['db', 'cache', 'resilience', 'traces']),
    });
    expect(causes.map(({ playbook }) => playbook)).toEqual(['connection-leak']);
    expect(causes[0]?.path).toEqual([
      'application checkout → 3 clients → 3 addresses → 3 processes → service checkout',
    ]);
    expect(dormant.map(({ playbook }) => playbook)).toEqual(['bad-rollout', 'leak-since-rollout']);
  });

  it('caps a cause where a doctor did not answer, and proposes nothing on a guess', () => {
    const results = leakByRollout().filter(({ diagnostic }) => !diagnostic.startsWith('db.'));
    const { causes, possible, blind } = answer(results, {
      unseen: [
        { doctor: 'db-doctor', prefixes: ['db.'], spot: blindSpot('unreachable', 'it is gone') },
      ],
    });
    expect(causes.map(({ playbook }) => playbook)).toEqual(['bad-rollout']);
    expect(possible.map(({ playbook, steps }) => [playbook, steps])).toEqual([
      ['leak-since-rollout', []],
    ]);
    expect(blind).toHaveLength(1);
  });

  it('does not suspect every rollout because one check saw in part only', () => {
    const results = leakByRollout().map((result) =>
      result.diagnostic === 'k8s.error-distribution'
        ? {
            ...result,
            verdict: { ...result.verdict, blind: [blindSpot('truncated', 'a log was too long')] },
          }
        : result,
    );
    const innocent = check('k8s.rollouts', 'elsewhere', {
      changes: [{ about: entity('service', 'worker'), at: at('03:04:00'), says: 'worker rolled' }],
    });
    const { causes, possible } = answer([...results, innocent]);
    expect(causes.map(({ playbook }) => playbook)).toEqual(['leak-since-rollout']);
    expect(possible).toEqual([]);
  });

  it('proposes what relieves and cures, with parameters from the evidence', () => {
    const [cause] = answer(leakByRollout()).causes;
    expect(cause?.steps).toEqual([
      {
        number: 1,
        role: 'relieve',
        remedy: 'db.terminate-idle-sessions',
        title: 'End idle sessions',
        target: 'orders',
        params: { application: 'checkout' },
        missing: [],
      },
      {
        number: 2,
        role: 'cure',
        remedy: 'k8s.rollback',
        title: 'Roll a Deployment back',
        target: 'prod',
        params: { namespace: 'shop', deployment: 'checkout' },
        missing: [],
      },
    ]);
  });

  it('proposes no remedy of a doctor that is not there', () => {
    const catalog = catalogOf();
    const remedies = new Map([...catalog.remedies].filter(([id]) => id !== 'k8s.rollback'));
    const [cause] = answer(leakByRollout(), {
      catalog: { ...catalog, remedies },
      playbooks: playbooks.map((one) => ({ ...one, cure: [] })),
    }).causes;
    expect(cause?.steps.map(({ role }) => role)).toEqual(['relieve']);
  });

  it('shows an accepted state, and lets it explain and alarm nobody', () => {
    const { findings, accepted, causes } = answer(cacheCannotEvict(), {
      acceptances: [
        {
          diagnostic: 'cache.memory',
          target: 'sessions',
          until: at('23:00:00'),
          reason: 'known',
          acceptedBy: 'anna',
        },
      ],
    });
    expect(findings.map(({ diagnostic }) => diagnostic)).toEqual(['traces.error-rate']);
    expect(accepted).toMatchObject([{ reason: 'known', finding: { diagnostic: 'cache.memory' } }]);
    expect(causes).toEqual([]);
  });

  it('adds up what the sweep cost, a target', () => {
    expect(answer(healthyShop()).cost).toContainEqual({
      target: 'orders',
      footprint: { queries: 9, serverMs: 11 },
    });
  });

  it('gives the same answer to the same evidence, in whatever order it came', () => {
    const scenarios = fc.constantFrom(
      leakByRollout(),
      leakByRollout({ shared: true }),
      leakAndStuckBreaker(),
      twoCauses(),
      dependencyDown(),
    );
    const shuffled = <T>(all: readonly T[]) =>
      fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length });
    fc.assert(
      fc.property(
        scenarios.chain((results) =>
          fc.tuple(
            fc.constant(results),
            shuffled(results).chain((mixed) =>
              fc.tuple(
                ...mixed.map((result) =>
                  shuffled(result.relations).map((relations) => ({ ...result, relations })),
                ),
              ),
            ),
            shuffled(playbooks),
          ),
        ),
        ([results, mixed, books]) => {
          expect(answer(mixed, { playbooks: books })).toEqual(answer(results));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('does not throw and explains only what was found, whatever the evidence', () => {
    const entities = fc.record({
      kind: fc.constantFrom('application', 'client', 'address', 'pod', 'revision', 'postgres'),
      name: fc.constantFrom('a', 'b', 'c'),
    });
    const findings = fc.record({
      severity: fc.constantFrom('warning' as const, 'critical' as const),
      about: entities,
      says: fc.string(),
      since: fc.constantFrom(at('03:00:00'), at('03:05:00')),
      measured: fc.array(
        fc.record({ name: fc.constant('number'), about: entities, value: fc.double() }),
        { maxLength: 2 },
      ),
      involves: fc.array(entities, { maxLength: 3 }),
    });
    const relations = fc.array(
      fc.record({
        from: entities,
        is: fc.constantFrom('of', 'at', 'runs', 'connects-from', 'uses', 'is'),
        to: entities,
      }),
      { maxLength: 20 },
    );
    const changes = fc.record({
      about: entities,
      at: fc.constant(at('03:00:00')),
      says: fc.string(),
    });
    const results = fc.array(
      fc
        .record({
          diagnostic: fc.constantFrom(...catalogOf().diagnostics.keys()),
          findings: fc.array(findings, { maxLength: 3 }),
          changes: fc.array(changes, { maxLength: 2 }),
          relations,
        })
        .map(({ diagnostic, ...parts }) => check(diagnostic, 't', parts)),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(results, (all) => {
        const whole = answer(all);
        const { causes, possible, findings: found, unexplained } = whole;
        expect(answerFromJson(answerToJson(whole))).toBeDefined();
        expect(reportAnswer(whole)).toContain(whole.environment);
        const ids = new Set(found.map(({ id }) => id));
        const explained = causes.flatMap(({ explains }) => explains);
        expect([...explained, ...unexplained].every((id) => ids.has(id))).toBe(true);
        expect(new Set([...explained, ...unexplained])).toEqual(ids);
        expect(causes.every(({ doubts }) => doubts.length === 0)).toBe(true);
        expect(possible.every(({ doubts, steps }) => doubts.length > 0 && steps.length === 0)).toBe(
          true,
        );
      }),
      { numRuns: 300 },
    );
  });
});
