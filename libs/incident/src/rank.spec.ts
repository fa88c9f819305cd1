import { describe, expect, it } from '@jest/globals';
import { blindSpot, type CheckResult, type Finding, type Severity } from '@starr/kernel';
import { catalogIndex } from './check-playbook.ts';
import { parsePlaybook } from './parse-playbook.ts';
import { playbookProblemText, type Playbook } from './playbook.ts';
import { answerSweep } from './sweep-answer.ts';
import { at, check, entity, relation } from './test/build.ts';

const hub = entity('thing', 'hub');

function playbook(text: string): Playbook {
  const parsed = parsePlaybook(text, 'x.yaml');
  if (!parsed.ok) throw new TypeError(parsed.problems.map(playbookProblemText).join('\n'));
  return parsed.playbook;
}

function finding(name: string, severity: Severity, since?: Date): Finding {
  return {
    severity,
    about: entity('thing', name),
    says: name,
    measured: [],
    ...(since !== undefined && { since }),
  };
}

/** One check a name, x.NAME, all about things that are near each other. */
function night(...findings: readonly Finding[]): readonly CheckResult[] {
  return ['a', 'b', 'c', 'd'].map((name) =>
    check(`x.${name}`, 't', {
      findings: findings.filter(({ says }) => says === name),
      measured: [{ name: 'looked', about: hub, value: 1 }],
      relations: [relation(entity('thing', name), `is-${name}-of`, hub)],
    }),
  );
}

function answer(results: readonly CheckResult[], ...playbooks: readonly Playbook[]) {
  return answerSweep({
    environment: 'test',
    startedAt: at('03:20:00'),
    endedAt: at('03:20:01'),
    results,
    playbooks,
    catalog: catalogIndex([], ['x']),
  });
}

const names = (results: readonly CheckResult[], ...playbooks: readonly Playbook[]) =>
  answer(results, ...playbooks).causes.map(({ playbook: id }) => id);

const A = playbook('id: a\ntitle: a\nmatch:\n  a: { finding: x.a }\nexplains: [x.c]\n');
const B = playbook('id: b\ntitle: b\nmatch:\n  b: { finding: x.b }\nexplains: [x.d]\n');
const AB = playbook(
  'id: ab\ntitle: ab\nmatch:\n  a: { finding: x.a }\n  b: { finding: x.b, reachedFrom: a }\nagainst: [{ finding: x.d }]\n',
);

describe('ranking', () => {
  it.each<[string, readonly Finding[], readonly string[]]>([
    ['by severity', [finding('a', 'warning'), finding('b', 'critical')], ['b', 'a']],
    [
      'by severity explained',
      [finding('a', 'critical'), finding('b', 'critical'), finding('d', 'warning')],
      ['b', 'a'],
    ],
    [
      'by name, where all else is equal',
      [finding('a', 'critical'), finding('b', 'critical')],
      ['a', 'b'],
    ],
    [
      'the older onset first, where all else is equal',
      [finding('a', 'critical', at('03:02:00')), finding('b', 'critical', at('03:01:00'))],
      ['b', 'a'],
    ],
  ])('%s', (_, findings, expected) => {
    expect(names(night(...findings), A, B)).toEqual(expected);
  });

  it('prints the specific instead of the general, also when more speaks against it', () => {
    const results = night(
      finding('a', 'critical'),
      finding('b', 'warning'),
      finding('d', 'warning'),
    );
    const { causes } = answer(results, A, AB);
    expect(causes.map(({ playbook: id, generalises }) => [id, generalises])).toEqual([
      ['ab', ['a']],
    ]);
  });

  it('keeps two causes that have nothing in common', () => {
    expect(names(night(finding('a', 'critical'), finding('b', 'critical')), A, B)).toHaveLength(2);
  });

  it('makes no second cause of a consequence', () => {
    const consequence = playbook('id: c\ntitle: c\nmatch:\n  c: { finding: x.c }\n');
    expect(names(night(finding('a', 'warning'), finding('c', 'critical')), A, consequence)).toEqual(
      ['a'],
    );
  });

  it('lists what no grounded cause explains', () => {
    const { unexplained } = answer(night(finding('a', 'critical'), finding('d', 'warning')), A);
    expect(unexplained).toEqual(['x.d@t thing||d']);
  });
});

describe('consequences', () => {
  it.each([
    ['03:08:00', 1],
    ['03:07:59', 0],
    ['03:10:00', 1],
    [undefined, 1],
  ])('a finding since %s is one of a cause since 03:10:00: %i', (since, count) => {
    const results = night(
      finding('a', 'critical', at('03:10:00')),
      finding('c', 'warning', since === undefined ? undefined : at(since)),
    );
    expect(answer(results, A).causes[0]?.explains.length).toBe(1 + count);
  });
});

describe('what speaks against a cause', () => {
  const doubted = playbook(
    'id: doubted\ntitle: x\nmatch:\n  a: { finding: x.a }\nagainst: [{ finding: x.b, says: b things }]\n',
  );

  it('is printed as ruled out when it was looked for and not found', () => {
    expect(answer(night(finding('a', 'critical')), doubted).causes[0]).toMatchObject({
      ruledOut: ['b things'],
      against: [],
    });
  });

  it('is unproven when nobody could look', () => {
    const blind = check('x.b', 't', { blind: [blindSpot('denied', 'no right')] });
    const results = [
      ...night(finding('a', 'critical')).filter((c) => c.diagnostic !== 'x.b'),
      blind,
    ];
    expect(answer(results, doubted).causes[0]).toMatchObject({
      ruledOut: [],
      unproven: ['b things on t: could not look (denied)'],
    });
  });

  it('lowers a cause', () => {
    const [cause] = answer(
      night(finding('a', 'critical'), finding('b', 'warning')),
      doubted,
    ).causes;
    expect(cause).toMatchObject({ standing: 'grounded', against: ['x.b@t thing||b'] });
  });

  it.each([
    ['warning', 'warning', 'possible'],
    ['critical', 'warning', 'grounded'],
  ] as const)('a cause of severity %s with %s against it is %s', (own, other, standing) => {
    const { causes, possible } = answer(night(finding('a', own), finding('b', other)), doubted);
    expect([...causes, ...possible][0]?.standing).toBe(standing);
  });

  it('neither counts nor is ruled out where no path leads to it', () => {
    const results = night(finding('a', 'warning'), finding('b', 'critical')).map((result) =>
      result.diagnostic === 'x.b' ? { ...result, relations: [] } : result,
    );
    expect(answer(results, doubted).causes[0]).toMatchObject({ against: [], ruledOut: [] });
  });
});
