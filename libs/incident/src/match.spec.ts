import { describe, expect, it } from '@jest/globals';
import { blindSpot, type CheckResult, type Relation } from '@starr/kernel';
import { answerSweep } from './sweep-answer.ts';
import { catalogIndex } from './check-playbook.ts';
import { parsePlaybook } from './parse-playbook.ts';
import { playbookProblemText, type Playbook } from './playbook.ts';
import { at, check, entity, measurement, relation } from './test/build.ts';

/** Things of a doctor that Starr does not have: the matcher knows no diagnostic. */
const A = entity('thing', 'a');
const B = entity('thing', 'b');
const C = entity('thing', 'c');

function playbook(text: string): Playbook {
  const parsed = parsePlaybook(text, 'x.yaml');
  if (!parsed.ok) throw new TypeError(parsed.problems.map(playbookProblemText).join('\n'));
  return parsed.playbook;
}

const ILL_AFTER_CHANGE = playbook(`
id: ill-after-change
title: 'ill {ill.about.name} after {change.about.name}'
match:
  ill: { finding: x.ill }
  change: { change: x.changes, reachedFrom: ill, before: ill, within: 30m }
explains: [x.other]
`);

interface Night {
  readonly illSince?: Date;
  readonly changedAt?: Date;
  readonly relations?: readonly Relation[];
}

function night({ illSince, changedAt = at('03:00:00'), relations }: Night): readonly CheckResult[] {
  return [
    check('x.ill', 't', {
      findings: [
        {
          severity: 'warning',
          about: A,
          says: 'a is ill',
          measured: [measurement('fever', A, 40)],
          ...(illSince !== undefined && { since: illSince }),
        },
      ],
      relations: relations ?? [relation(A, 'near', B)],
    }),
    check('x.changes', 't', { changes: [{ about: B, at: changedAt, says: 'b changed' }] }),
    check('x.other', 't', { measured: [measurement('fever', C, 36)] }),
  ];
}

function answer(
  results: readonly CheckResult[],
  playbooks: readonly Playbook[] = [ILL_AFTER_CHANGE],
) {
  const catalog = catalogIndex([], ['x']);
  return answerSweep({
    environment: 'test',
    startedAt: at('03:20:00'),
    endedAt: at('03:20:01'),
    results,
    playbooks,
    catalog,
  });
}

const outcome = (results: readonly CheckResult[], playbooks?: readonly Playbook[]) => {
  const { causes, possible } = answer(results, playbooks);
  return [...causes, ...possible].map(({ playbook: id, standing }) => `${id} ${standing}`);
};

const GROUNDED = ['ill-after-change grounded'];

describe('a change and a finding', () => {
  it.each<[string, Night, readonly string[]]>([
    ['just before', { illSince: at('03:00:01') }, GROUNDED],
    ['at the same moment', { illSince: at('03:00:00') }, GROUNDED],
    ['after it, within what clocks differ by', { illSince: at('02:59:55') }, GROUNDED],
    ['after it', { illSince: at('02:59:54') }, []],
    ['as long before as allowed', { illSince: at('03:30:00') }, GROUNDED],
    ['longer before than allowed', { illSince: at('03:30:01') }, []],
    [
      'with an onset that nobody knows, not too long ago',
      { changedAt: at('02:50:01') },
      ['ill-after-change ungrounded'],
    ],
    ['with an onset that nobody knows, too long ago', { changedAt: at('02:50:00') }, []],
    ['not connected', { illSince: at('03:00:01'), relations: [relation(A, 'near', C)] }, []],
  ])('the change came %s', (_, given, expected) => {
    expect(outcome(night(given))).toEqual(expected);
  });

  it('compares moments in one clock', () => {
    const [ill, ...rest] = night({ illSince: at('02:59:00') });
    expect(outcome([{ ...ill!, clockSkewMs: -60_000 }, ...rest])).toEqual(GROUNDED);
    expect(outcome([{ ...ill!, clockSkewMs: 60_000 }, ...rest])).toEqual([]);
  });

  it('takes the nearest of several changes', () => {
    const results = [
      ...night({ illSince: at('03:10:00') }),
      check('x.changes', 'u', {
        changes: [
          { about: C, at: at('03:09:00'), says: 'c changed' },
          { about: B, at: at('03:05:00'), says: 'b changed again' },
        ],
      }),
    ];
    const [cause, second] = answer(results).causes;
    expect(cause?.timeline.map(({ says }) => says)).toEqual(['b changed again', 'a is ill']);
    expect(second).toBeUndefined();
  });

  it('makes one cause of each ill thing', () => {
    const results = [
      ...night({
        illSince: at('03:10:00'),
        relations: [relation(A, 'near', B), relation(C, 'near', B)],
      }),
      check('x.ill', 'u', {
        findings: [
          { severity: 'critical', about: C, says: 'c is ill', since: at('03:10:00'), measured: [] },
        ],
      }),
    ];
    expect(answer(results).causes.map(({ title }) => title)).toEqual([
      'ill c after b',
      'ill a after b',
    ]);
  });
});

describe('a check that cannot see', () => {
  const blindChanges = (partial = false) =>
    check('x.changes', 't', {
      blind: [blindSpot('denied', 'no right to read', 'grant it')],
      measured: partial ? [measurement('fever', C, 36)] : [],
    });
  const [ill, , other] = night({ illSince: at('03:10:00') });

  it('leaves a cause possible, and says what could not be seen', () => {
    const { causes, possible } = answer([ill!, blindChanges(), other!]);
    expect(causes).toEqual([]);
    expect(possible).toMatchObject([
      {
        standing: 'possible',
        title: 'ill a after ?',
        doubts: ['could not look: x.changes on t (denied)'],
        steps: [],
        clauses: [
          { name: 'ill', state: 'found' },
          { name: 'change', state: 'blind' },
        ],
      },
    ]);
  });

  it('does so as well when it saw in part only', () => {
    expect(outcome([ill!, blindChanges(true), other!])).toEqual(['ill-after-change possible']);
  });

  it('contradicts when it looked and saw nothing', () => {
    const looked = check('x.changes', 't', { measured: [measurement('changes', B, 0)] });
    expect(outcome([ill!, looked, other!])).toEqual([]);
  });

  it('is taken for blind when it measured nothing at all, though nobody says why', () => {
    expect(outcome([ill!, check('x.changes', 't'), other!])).toEqual(['ill-after-change possible']);
  });

  it('makes no cause of a change alone', () => {
    const blindIll = check('x.ill', 't', { blind: [blindSpot('timeout', 'too slow')] });
    const [, change] = night({});
    expect(outcome([blindIll, change!, other!])).toEqual([]);
  });

  it('makes a possible one of a change with a consequence', () => {
    const blindIll = check('x.ill', 't', {
      blind: [blindSpot('timeout', 'too slow')],
      relations: [relation(B, 'near', C)],
    });
    const [, change] = night({});
    const consequence = check('x.other', 't', {
      findings: [
        { severity: 'critical', about: C, says: 'c is odd', since: at('03:01:00'), measured: [] },
      ],
    });
    expect(outcome([blindIll, change!, consequence])).toEqual(['ill-after-change possible']);
    expect(answer([blindIll, change!, consequence]).unexplained).toHaveLength(1);
  });

  it('sleeps when a check was not asked for, and says so', () => {
    const { causes, possible, dormant } = answer([ill!, other!]);
    expect([...causes, ...possible]).toEqual([]);
    expect(dormant).toEqual([
      { playbook: 'ill-after-change', says: 'x.changes was not asked for' },
    ]);
  });

  it('counts a doctor that gave nothing at all', () => {
    const { possible, blind } = answerSweep({
      environment: 'test',
      startedAt: at('03:20:00'),
      endedAt: at('03:20:01'),
      results: [ill!, other!],
      playbooks: [
        playbook(`
id: two-doctors
title: x
match:
  ill: { finding: x.ill }
  lag: { finding: y.lag, reachedFrom: ill }
`),
      ],
      catalog: catalogIndex([], ['x', 'y']),
      unseen: [{ doctor: 'y-doctor', prefixes: ['y.'], spot: blindSpot('unreachable', 'gone') }],
    });
    expect(possible.map(({ doubts }) => doubts)).toEqual([
      ['could not look: y.* on y-doctor (unreachable)'],
    ]);
    expect(blind).toMatchObject([{ diagnostic: 'y.*', target: 'y-doctor', isPartial: false }]);
  });
});

describe('clauses', () => {
  const only = (clause: string) =>
    outcome(night({ illSince: at('03:10:00') }), [
      playbook(`id: only\ntitle: x\nmatch:\n  ill: { finding: x.ill, ${clause} }\n`),
    ]).length === 1;

  it.each([
    ['about: thing', true],
    ['about: [other, thing]', true],
    ['about: other', false],
    ['severity: warning', true],
    ['severity: critical', false],
    ['measured: { fever: { above: 39.9 } }', true],
    ['measured: { fever: { above: 40 } }', false],
    ['measured: { fever: { below: 40.1 } }', true],
    ['measured: { fever: { below: 40 } }', false],
    ['measured: { pulse: { above: 0 } }', false],
  ])('%s: %s', (clause, matches) => {
    expect(only(clause)).toBe(matches);
  });

  it('binds any of several diagnostics', () => {
    const any = playbook('id: any\ntitle: x\nmatch:\n  ill: { finding: [x.none, x.ill] }\n');
    expect(outcome(night({ illSince: at('03:10:00') }), [any])).toEqual(['any grounded']);
  });

  it('calls a cause ungrounded when nothing ties its parts', () => {
    const loose = playbook(
      'id: loose\ntitle: x\nmatch:\n  ill: { finding: x.ill }\n  change: { change: x.changes }\n',
    );
    const { possible } = answer(night({ illSince: at('03:10:00') }), [loose]);
    expect(possible).toMatchObject([
      { standing: 'ungrounded', doubts: ['nothing ties change to the rest'] },
    ]);
  });
});

describe('a clause that binds what is healthy', () => {
  const needless = playbook(`
id: needless
title: x
match:
  ill: { finding: x.ill }
  well: { healthy: x.other, reachedFrom: ill }
`);
  const [ill] = night({ illSince: at('03:10:00'), relations: [relation(A, 'near', C)] });

  it('is found where the check measured the thing and found nothing about it', () => {
    const well = check('x.other', 't', { measured: [measurement('fever', C, 36)] });
    expect(outcome([ill!, well], [needless])).toEqual(['needless grounded']);
  });

  it('is contradicted by a finding about the thing', () => {
    const bad = check('x.other', 't', {
      findings: [
        { severity: 'warning', about: C, says: 'c', measured: [measurement('fever', C, 41)] },
      ],
    });
    expect(outcome([ill!, bad], [needless])).toEqual([]);
  });

  it('is blind where the check is', () => {
    const blind = check('x.other', 't', { blind: [blindSpot('denied', 'no')] });
    expect(outcome([ill!, blind], [needless])).toEqual(['needless possible']);
  });

  it('does not take what was not measured for healthy', () => {
    const elsewhere = check('x.other', 't', { measured: [measurement('fever', B, 36)] });
    expect(outcome([ill!, elsewhere], [needless])).toEqual([]);
  });
});
