import { describe, expect, it } from '@jest/globals';
import { blindSpot, type CheckResult } from '@starr/kernel';
import { answerSweep } from './sweep-answer.ts';
import { pagerDutyBody, slackBody, tenLines } from './ten-lines.ts';
import { at, catalogOf, check } from './test/build.ts';
import { bundledPlaybooks } from './test/files/bundled.ts';
import { leakByRollout, twoCauses } from './test/scenarios.ts';
import { healthyShop, withResults } from './test/shop.ts';

function answer(results: readonly CheckResult[]) {
  return answerSweep({
    environment: 'prod-eu',
    startedAt: at('03:12:08'),
    endedAt: at('03:12:09'),
    results,
    playbooks: bundledPlaybooks(),
    catalog: catalogOf(),
  });
}

const denied = check('cache.memory', 'sessions', { blind: [blindSpot('denied', 'NOPERM info')] });

describe('tenLines', () => {
  it('tells the cause, why, what could not be seen and what to do', () => {
    const lines = tenLines(answer(withResults(leakByRollout(), denied)), {
      incident: 'INC-7',
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    });
    expect(lines).toEqual([
      'prod-eu: checkout revision 2 leaks connections of orders. FULL IN ~20 s.',
      'explains 5 of 5 findings, 0 against',
      '03:05:02 rollout 1→2 of shop/checkout, image 1.8.1→1.8.2, by deploy-bot',
      '03:05:40 checkout leaks connections: 77 sessions, each used once and idle since',
      '03:10:50 pool checkout/orders: 30/30 in use on 3/3',
      'path: application checkout → 3 clients → 3 addresses → 3 pods → revision shop/checkout#2 (3 of 3 addresses)',
      'could not look: cache.memory on sessions (denied)',
      'relieve: starr plan INC-7.1: End idle sessions on orders (application checkout)',
      'cure: starr plan INC-7.2: Roll a Deployment back on prod (namespace shop, deployment checkout)',
      'starr show INC-7 · trace 4bf92f3577b34da6a3ce929d0e0e4736',
    ]);
  });

  it('names a second cause, and is never longer than ten lines of 200 characters', () => {
    const lines = tenLines(answer(withResults(twoCauses())), { incident: 'INC-7', traceId: 'x' });
    expect(lines).toContain('also: Cache sessions is full and cannot evict');
    expect(lines.length).toBeLessThanOrEqual(10);
    const finding = { ...leakByRollout()[0]!.verdict.findings![0]!, says: 'x'.repeat(1000) };
    const long = withResults(
      healthyShop(),
      check('db.connection-use', 'orders', { findings: [finding] }),
    );
    expect(Math.max(...tenLines(answer(long)).map((line) => line.length))).toBe(200);
  });

  it('tells the findings where no cause was recognised', () => {
    const [use] = leakByRollout();
    expect(tenLines(answer(withResults(healthyShop(), { ...use!, relations: [] })))).toEqual([
      'prod-eu: 93 of 97 usable slots are in use, growing by 12 a minute: full in ~20 s. No cause recognised.',
      'critical: 93 of 97 usable slots are in use, growing by 12 a minute: full in ~20 s',
    ]);
  });
});

describe('bodies', () => {
  it('lets nothing of a patient become a mention or a link in Slack', () => {
    expect(slackBody(['<!channel> & <http://x|y>'])).toEqual({
      text: '&lt;!channel&gt; &amp; &lt;http://x|y&gt;',
    });
  });

  it('makes an event of PagerDuty', () => {
    const sick = answer(leakByRollout());
    const lines = tenLines(sick);
    expect(pagerDutyBody(sick, lines, { routingKey: 'key', dedupKey: 'INC-7' })).toEqual({
      routing_key: 'key',
      event_action: 'trigger',
      dedup_key: 'INC-7',
      payload: {
        summary: lines[0],
        source: 'prod-eu',
        severity: 'critical',
        timestamp: '2026-11-24T03:12:09.000Z',
        custom_details: { starr: lines.join('\n') },
      },
    });
    const well = answer(healthyShop());
    expect(pagerDutyBody(well, [], { routingKey: 'k', dedupKey: 'd' }).payload).toMatchObject({
      severity: 'info',
      summary: 'Nothing found.',
    });
  });
});
