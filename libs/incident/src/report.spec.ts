import { describe, expect, it } from '@jest/globals';
import { blindSpot, type CheckResult, type SealedPlan } from '@starr/kernel';
import fc from 'fast-check';
import { reportAnswer, type ReportOptions } from './report.ts';
import { answerSweep, type SweepInput } from './sweep-answer.ts';
import { at, catalogOf, check, entity, measurement } from './test/build.ts';
import { shopPlaybooks } from './test/files/bundled.ts';
import {
  breakerStuckOpen,
  cacheCannotEvict,
  dependencyDown,
  leakByRollout,
  loudButHealthy,
  twoCauses,
} from './test/scenarios.ts';
import { healthyShop, withResults } from './test/shop.ts';

const playbooks = shopPlaybooks();

function report(
  results: readonly CheckResult[],
  options: ReportOptions = {},
  more: Partial<SweepInput> = {},
): string {
  const answer = answerSweep({
    environment: 'prod-eu',
    startedAt: at('03:12:08'),
    endedAt: new Date(at('03:12:08').getTime() + 900),
    results,
    playbooks,
    catalog: catalogOf(),
    ...more,
  });
  return reportAnswer(answer, options);
}

const redisDenied = check('cache.memory', 'sessions', {
  blind: [blindSpot('denied', 'NOPERM info', 'ACL SETUSER starr +info')],
});

const sealed: SealedPlan = {
  remedy: 'k8s.rollback',
  target: 'prod',
  operations: [
    {
      id: 'INC-7.2/1',
      says: 'back to revision 1 (healthy 6 d); 3 pods, ~40 s',
      byHand:
        'kubectl --context prod-eu -n shop rollout undo deploy/checkout --to-revision=1 --dry-run=server',
      reversible: true,
      onRefused: 'stop',
      onFailed: 'stop',
    },
  ],
  effect: {
    diagnostic: 'k8s.error-distribution',
    about: entity('deployment', 'shop/checkout', 'prod'),
    measurement: 'errorsPerMinute',
    below: 1,
    settleMs: 1,
    holdMs: 1,
    withinMs: 1,
    onMiss: 'ask',
  },
  touches: [measurement('podsReplaced', entity('deployment', 'shop/checkout', 'prod'), 3)],
  warnings: ['not checked: schema migrations of revision 2'],
  hash: 'sha256:0',
  seal: '',
  expiresAt: at('04:00:00'),
};

const LEAK = `prod-eu · 03:12:08 UTC (04:12 CET) · 0.9 s · history since 02:40
CRITICAL  checkout revision 2 leaks connections of orders. FULL IN ~20 s.

1 Leak since rollout 1→2 of shop/checkout              explains 5 of 5 findings, 0 against
  03:05:02  rollout 1→2 of shop/checkout, image 1.8.1→1.8.2, by deploy-bot
  03:05:40  checkout leaks connections: 77 sessions, each used once and idle since
                                                               leaked sessions 77, limit 5
  03:10:50  pool checkout/orders: 30/30 in use on 3/3
  03:11:00  checkout: errors 0.2→14 %                          error ratio 14 %, limit 5 %
  03:11:20  shop/checkout logs "timeout acquiring client" ×1167
  path      application checkout → 3 clients → 3 addresses → 3 pods → revision
            shop/checkout#2 (3 of 3 addresses)
  also      93 of 97 usable slots are in use, growing by 12 a minute: full in ~20 s
  do not    resilience.reset-breaker: it opens again while the pool is empty
  ruled out slow queries (300 ms) · OOM, restarts (0)
  unproven  revision 1 under this traffic

No second cause. Nothing unexplained.

COULD NOT LOOK  1 of 16
  cache.memory   sessions   NOPERM info
    cure: ACL SETUSER starr +info

NEXT
  relieve  starr plan INC-7.1   End idle sessions on orders (application checkout)
  cure     starr apply INC-7.2   back to revision 1 (healthy 6 d); 3 pods, ~40 s
           pods replaced 3; reversible
           not checked: schema migrations of revision 2
  by hand  kubectl --context prod-eu -n shop rollout undo deploy/checkout \\
             --to-revision=1 --dry-run=server

INC-7 · trace 4bf92f3577b3 · 10 healthy checks: starr show INC-7 --all
cost  orders 1 connection, 9 queries, 11 ms
`;

describe('reportAnswer', () => {
  it('prints the answer first, then why, what could not be seen, what to do and what it cost', () => {
    const use = leakByRollout().find(({ diagnostic }) => diagnostic === 'db.connection-use')!;
    const results = withResults(
      leakByRollout(),
      {
        ...use,
        relations: [],
        historySince: at('02:40:00'),
        footprint: { connections: 1, queries: 9, serverMs: 11.2 },
      },
      redisDenied,
    );
    expect(
      report(results, {
        incident: 'INC-7',
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        timeZone: 'Europe/Berlin',
        plans: [{ id: 'INC-7.2', sealed }],
      }),
    ).toBe(LEAK);
  });

  it('says where a path ends, and what is possible but not proven', () => {
    const text = report(leakByRollout({ shared: true }));
    expect(text).toContain(`  path      application checkout → address 10.0.0.9
            pod not identified, path ends at address 10.0.0.9 (3 holders)`);
    expect(text).toContain(`POSSIBLE, not proven
  Leak since rollout 1→2 of shop/checkout: ungrounded
    pod not identified, path ends at address 10.0.0.9 (3 holders)`);
  });

  it('is short when all is well, and says what was not seen when it is not known', () => {
    expect(report(healthyShop())).toBe(`prod-eu · 03:12:08 UTC · 0.9 s · no history yet
OK  Nothing found.

16 healthy checks
cost  orders 9 queries, 11 ms
`);
    expect(report(withResults(healthyShop(), redisDenied)).split('\n')[1]).toBe(
      'BLIND  Nothing found, but 1 could not be looked at.',
    );
  });

  it('counts a doctor that did not answer as one that could not look', () => {
    const text = report(
      healthyShop().filter(({ diagnostic }) => !diagnostic.startsWith('db.')),
      {},
      {
        unseen: [
          { doctor: 'db-doctor', prefixes: ['db.'], spot: blindSpot('unreachable', 'it is gone') },
        ],
      },
    );
    expect(text).toContain('COULD NOT LOOK  1 of 13\n  db.*   db-doctor   it is gone\n');
  });

  it('lists what no cause explains', () => {
    const [memory] = cacheCannotEvict().filter(({ diagnostic }) => diagnostic === 'cache.memory');
    const text = report(
      withResults(healthyShop(), {
        ...check('cache.hit-rate', 'sessions', { findings: memory!.verdict.findings! }),
      }),
    );
    expect(text).toContain('UNEXPLAINED  1 of 1\n  critical  340 writes refused');
  });

  it('keeps to its width, with and without a style that marks roles', () => {
    const scenarios = fc.constantFrom(
      leakByRollout(),
      leakByRollout({ shared: true }),
      twoCauses(),
      breakerStuckOpen(),
      dependencyDown(),
      loudButHealthy(),
      withResults(leakByRollout(), redisDenied),
    );
    fc.assert(
      fc.property(scenarios, fc.integer({ min: 60, max: 140 }), (results, width) => {
        const plain = report(results, { width, incident: 'INC-7' });
        expect(Math.max(...plain.split('\n').map((line) => line.length))).toBeLessThanOrEqual(
          width,
        );
        const styled = report(results, {
          width,
          incident: 'INC-7',
          style: (role, text) => `<${role}>${text}</>`,
        });
        expect(styled.replace(/<[^>]*>/g, '')).toBe(plain);
      }),
    );
  });

  it('lets no text of a patient rewrite the terminal', () => {
    const [use] = leakByRollout().filter(({ diagnostic }) => diagnostic === 'db.connection-use');
    const hostile = 'a\u001b[2J\u009b31m\r\n\u202eb';
    const finding = { ...use!.verdict.findings![0]!, says: hostile };
    const text = report(
      withResults(healthyShop(), check('db.connection-use', 'orders', { findings: [finding] })),
    );

    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(text).toContain('a\ufffd[2J\ufffd31m\ufffd\ufffd\ufffdb');
  });
});
