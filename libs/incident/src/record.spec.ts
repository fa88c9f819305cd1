import { describe, expect, it } from '@jest/globals';
import type { Incident } from './incident.ts';
import { fingerprintOf, opensIncident } from './incident.ts';
import { guardsOf } from './guards.ts';
import { answerFromJson, answerToJson } from './answer-json.ts';
import { recordMarkdown } from './record-markdown.ts';
import { writeRecord, type RecordPlan } from './record.ts';
import { answerSweep } from './sweep-answer.ts';
import { at, catalogOf, check } from './test/build.ts';
import { bundledPlaybooks } from './test/files/bundled.ts';
import { leakByRollout, twoCauses } from './test/scenarios.ts';
import { CHECKOUT, healthyShop, withResults } from './test/shop.ts';

function answer(results = leakByRollout(), endedAt = at('03:12:09')) {
  return answerSweep({
    environment: 'prod-eu',
    startedAt: at('03:12:08'),
    endedAt,
    results,
    playbooks: bundledPlaybooks(),
    catalog: catalogOf(),
  });
}

const incident: Incident = {
  id: 'INC-7',
  environment: 'prod-eu',
  openedBy: { kind: 'alert', name: 'HighErrorRate', firedAt: '2026-11-24T03:11:50Z' },
  title: 'checkout revision 2 leaks connections of orders.',
  status: 'resolved',
  openedAt: at('03:12:00'),
  resolvedAt: at('03:20:00'),
};

const rollback: RecordPlan = {
  id: 'INC-7.2',
  role: 'cure',
  says: 'Roll a Deployment back',
  remedy: 'k8s.rollback',
  target: 'prod',
  state: 'established',
  hash: 'sha256:0',
  approval: { actor: 'anna', reason: 'users | suffer', at: at('03:14:00') },
  operations: [
    {
      says: 'back to revision 1',
      begunAt: at('03:14:10'),
      outcome: 'applied',
      endedAt: at('03:14:20'),
    },
  ],
  effect: { wanted: 'errorsPerMinute below 1', says: 'errorsPerMinute below 1 for 60 s' },
  endedAt: at('03:16:00'),
};

const MARKDOWN = `# INC-7: checkout revision 2 leaks connections of orders.

prod-eu · resolved · critical

## Situation

checkout revision 2 leaks connections of orders.

- Detected 2026-11-24 03:12:00 by alert HighErrorRate
- Began 2026-11-24 03:05:02
- Users: checkout: errors 0.2→14 %
- Path: application checkout → 3 clients → 3 addresses → 3 pods → revision shop/checkout\\#2 (3 of 3 addresses)

## Task

| Hypothesis | Standing | Explains | Against | Doubts |
| --- | --- | --- | --- | --- |
| Leak since rollout 1→2 of shop/checkout | grounded | 5 | 0 |  |

## Action

| When (UTC) | Who | What |
| --- | --- | --- |
| 2026-11-24 03:05:02 | patient | rollout 1→2 of shop/checkout, image 1.8.1→1.8.2, by deploy-bot |
| 2026-11-24 03:05:40 | patient | checkout leaks connections: 77 sessions, each used once and idle since |
| 2026-11-24 03:10:50 | patient | pool checkout/orders: 30/30 in use on 3/3 |
| 2026-11-24 03:11:00 | patient | checkout: errors 0.2→14 % |
| 2026-11-24 03:11:20 | patient | shop/checkout logs "timeout acquiring client" ×1167 |
| 2026-11-24 03:12:00 | HighErrorRate | INC-7 opened by alert |
| 2026-11-24 03:12:09 | starr | checkout revision 2 leaks connections of orders. |
| 2026-11-24 03:14:00 | anna | approved INC-7.2: users \\| suffer |
| 2026-11-24 03:14:10 | starr | INC-7.2: back to revision 1 |
| 2026-11-24 03:14:20 | starr | INC-7.2: applied |
| 2026-11-24 03:16:00 | starr | INC-7.2: established, errorsPerMinute below 1 for 60 s |
| 2026-11-24 03:20:00 | starr | INC-7 resolved |

## Result

| Plan | What | State | Wanted | Seen |
| --- | --- | --- | --- | --- |
| INC-7.2 | Roll a Deployment back | established | errorsPerMinute below 1 | errorsPerMinute below 1 for 60 s |

## Reflection

Trigger: rollout 1→2 of shop/checkout, image 1.8.1→1.8.2, by deploy-bot

Ruled out:

- slow queries (300 ms)
- OOM, restarts (0)

Unproven:

- revision 1 under this traffic

To do:

- [ ] Release the client in finally, whatever path the request takes.
- [ ] Set idle\\_session\\_timeout for the role of the service, so that a leak ends by itself.
- [ ] Alert on the fingerprint of a leak (sessions used once and idle since), not on the count of sessions.

Traces: \`4bf92f3577b34da6a3ce929d0e0e4736\`
`;

describe('a STARR record', () => {
  const record = writeRecord({
    incident,
    first: answer(),
    last: answer(healthyShop(), at('03:17:00')),
    plans: [rollback],
    traceIds: ['4bf92f3577b34da6a3ce929d0e0e4736'],
  });

  it('reads as Markdown', () => {
    expect(recordMarkdown(record)).toBe(MARKDOWN);
  });

  it('is plain data that JSON keeps', () => {
    expect(JSON.parse(JSON.stringify(record))).toMatchObject({
      version: 1,
      situation: { beganAt: '2026-11-24T03:05:02.000Z' },
      result: { plans: [{ id: 'INC-7.2', state: 'established' }], remaining: [] },
    });
  });

  it('names what is left and what contributed', () => {
    const first = answer(twoCauses());
    const { result, reflection } = writeRecord({
      incident,
      first,
      last: answer(leakByRollout(), at('03:16:00')),
      plans: [rollback],
    });
    expect(result.remaining).toHaveLength(5);
    expect(reflection.contributing).toEqual(['Cache sessions is full and cannot evict']);
  });

  it('does not call what was found before the cure remaining after it', () => {
    const { result } = writeRecord({
      incident,
      first: answer(),
      last: answer(leakByRollout(), new Date(at('03:16:00').getTime() - 1)),
      plans: [rollback],
    });
    expect(result.remaining).toEqual(['not known: no sweep since INC-7.2 ended']);
  });

  it('says so when no cause was recognised and nothing was done', () => {
    const [use] = leakByRollout();
    const first = answer(withResults(healthyShop(), { ...use!, relations: [] }));
    const text = recordMarkdown(writeRecord({ incident, first }));
    expect(text).toContain('No cause was recognised.');
    expect(text).toContain('No remedy was planned.');
    expect(text).toContain('No trigger was found.');
  });

  it('lets no text of a patient become markup', () => {
    const hostile = { ...incident, title: '<img src=x> | [a](b) `c`\n# d' };
    const [head] = recordMarkdown(writeRecord({ incident: hostile, first: answer() })).split(
      '\n\n',
    );
    expect(head).toBe('# INC-7: \\<img src=x\\> \\| \\[a\\](b) \\`c\\`\ufffd\\# d');
  });
});

describe('an incident', () => {
  it('keeps its fingerprint while a sweep sees more of the same trouble', () => {
    const general = answer(
      leakByRollout().filter(({ diagnostic }) => diagnostic.startsWith('db.')),
    );
    expect(general.causes[0]?.playbook).not.toBe(answer().causes[0]?.playbook);
    expect(fingerprintOf(general)).toBe(fingerprintOf(answer()));
    expect(fingerprintOf(answer())).toBe('db.connection-leak@orders application|orders|checkout');
  });

  it('falls back to the worst finding, then to any', () => {
    const [use] = leakByRollout();
    const unexplained = answer(withResults(healthyShop(), { ...use!, relations: [] }));
    expect(fingerprintOf(unexplained)).toBe('db.connection-use@orders postgres||orders');
  });

  it.each([
    ['found', leakByRollout(), true],
    ['healthy', healthyShop(), false],
    ['blind', [check('db.connection-use', 'orders')], false],
  ])('is opened by a sweep that is %s: %s', (_, results, opens) => {
    expect(opensIncident(answer(results))).toBe(opens);
  });
});

describe('guardsOf', () => {
  it('wants every measurement of users’ trouble back within its threshold', () => {
    const one = answer();
    expect(guardsOf(one, one.causes[0]!)).toEqual([
      {
        diagnostic: 'traces.error-rate',
        about: CHECKOUT,
        measurement: 'errorRatio',
        below: 0.05,
        says: 'users of checkout: errorRatio',
      },
    ]);
  });
});

describe('an answer as JSON', () => {
  it.each([
    ['a leak', leakByRollout()],
    ['two causes', twoCauses()],
    ['a shared address', leakByRollout({ shared: true })],
    ['nothing', healthyShop()],
  ])('comes back as it was: %s', (_, results) => {
    const one = answer(results);
    expect(answerFromJson(answerToJson(one))).toEqual(one);
  });

  it('keeps an int64 as its digits', () => {
    const one = answer();
    const [cause] = one.causes;
    const step = { ...cause!.steps[0]!, params: { queryid: 9007199254740993n } };
    const text = answerToJson({ ...one, causes: [{ ...cause!, steps: [step] }] });
    expect(answerFromJson(text)?.causes[0]?.steps[0]?.params).toEqual({
      queryid: '9007199254740993',
    });
  });

  it.each(['', '{}', 'null', '{"environment":1}', answerToJson(answer()).slice(1)])(
    'takes no other text for an answer',
    (text) => {
      expect(answerFromJson(text)).toBeUndefined();
    },
  );
});
