import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parsePlaybook } from './parse-playbook.ts';
import { playbookProblemText } from './playbook.ts';
import { bundledPlaybooks } from './test/files/bundled.ts';

const VALID = `id: example
title: '{leak.about} since {rollout.facts.to}'
match:
  leak: { finding: db.connection-leak, severity: critical, about: application }
  rollout:
    change: k8s.rollouts
    reachedFrom: leak
    before: leak
    within: 1h30m
explains: [db.connection-use]
against: [{ finding: db.long-running-queries }]
cure:
  - remedy: k8s.rollback
    on: rollout
    with: { deployment: rollout.facts.deployment, toRevision: 3, mode: { text: fast } }
`;

function problemsOf(text: string): readonly string[] {
  const parsed = parsePlaybook(text, 'x.yaml');
  return parsed.ok ? [] : parsed.problems.map(playbookProblemText);
}

const withLine = (from: string, to: string) => problemsOf(VALID.replace(from, to));

describe('parsePlaybook', () => {
  it('reads clauses in their order, with defaults', () => {
    const parsed = parsePlaybook(VALID, 'x.yaml');
    expect(parsed).toMatchObject({
      ok: true,
      playbook: {
        id: 'example',
        says: '{leak.about} since {rollout.facts.to}',
        match: [
          {
            name: 'leak',
            binds: 'finding',
            diagnostics: ['db.connection-leak'],
            severity: 'critical',
            about: ['application'],
          },
          {
            name: 'rollout',
            binds: 'change',
            reachedFrom: 'leak',
            before: 'leak',
            withinMs: 5_400_000,
          },
        ],
        against: [{ diagnostic: 'db.long-running-queries', when: 'linked' }],
        relieve: [],
        cure: [
          {
            on: 'rollout',
            with: {
              deployment: { from: 'evidence', reference: 'rollout.facts.deployment' },
              toRevision: { from: 'file', value: 3 },
              mode: { from: 'file', value: 'fast' },
            },
          },
        ],
        origin: { file: 'x.yaml', positions: { 'match.leak.severity': { line: 4, column: 50 } } },
      },
    });
  });

  it.each<[string, readonly string[], readonly string[]]>([
    [
      'an unknown key at the top',
      withLine('explains:', 'explain:'),
      [
        'x.yaml:10:1: explain: received the key explain; allowed: id, title, says, match, path, explains, against, unproven, urgent, relieve, cure, avoid, reflect',
      ],
    ],
    [
      'an unknown key in a clause',
      withLine('    within: 1h30m', '    withn: 1h30m'),
      [
        'x.yaml:9:5: match.rollout.withn: received the key withn; allowed: finding, change, healthy, severity, about, measured, reachedFrom, before, within',
      ],
    ],
    [
      'a severity that does not exist',
      withLine('severity: critical', 'severity: urgent'),
      ['x.yaml:4:50: match.leak.severity: received "urgent"; allowed: warning, critical'],
    ],
    [
      'a duration without a unit',
      withLine('1h30m', '90'),
      ['x.yaml:9:13: match.rollout.within: received 90; allowed: a duration such as 30m'],
    ],
    [
      'an id that is none',
      withLine('[db.connection-use]', '[connection-use]'),
      [
        'x.yaml:10:12: explains.0: received "connection-use"; allowed: an id such as db.connection-leak',
      ],
    ],
    [
      'a missing title',
      withLine("title: '{leak.about} since {rollout.facts.to}'\n", ''),
      ['x.yaml:1:1: title: received nothing; allowed: a text'],
    ],
    [
      'a clause that is two things',
      withLine('{ finding: db.connection-leak,', '{ finding: db.connection-leak, change: k8s.x,'),
      [
        'x.yaml:4:9: match.leak: received {"finding":"db.connection-leak","change":"k8s.x","severit...; allowed: exactly one of finding, change, healthy',
      ],
    ],
    [
      'a tie to a later clause',
      withLine('about: application }', 'about: application, reachedFrom: rollout }'),
      [
        'x.yaml:4:93: match.leak.reachedFrom: received "rollout"; allowed: nothing here (an earlier clause, there is none)',
      ],
    ],
    [
      'a time without an order',
      withLine('    before: leak\n', ''),
      ['x.yaml:8:13: match.rollout.within: received "1h30m"; allowed: only with before'],
    ],
    [
      'a template that names no clause',
      withLine('{rollout.facts.to}', '{roll.facts.to}'),
      [`x.yaml:2:8: title: received "roll"; allowed: a clause of match: leak, rollout`],
    ],
    [
      'a parameter from a field that does not exist',
      withLine('rollout.facts.deployment', 'rollout.deployment'),
      [
        'x.yaml:15:25: cure.0.with.deployment: received "rollout.deployment"; allowed: CLAUSE.about, .about.name, .about.kind, .about.scope, .target, .at, .says, .facts.NAME, .measured.NAME, .involves.KIND, .rows.COLUMN',
      ],
    ],
    [
      'a step on a clause that does not exist',
      withLine('    on: rollout', '    on: rolout'),
      ['x.yaml:14:9: cure.0.on: received "rolout"; allowed: a clause of match: leak, rollout'],
    ],
    [
      'nothing bad at all',
      problemsOf('id: x\ntitle: x\nmatch:\n  a: { change: k8s.rollouts }\n'),
      [
        'x.yaml:4:3: match: received ["a"]; allowed: at least one clause with finding: without anything bad there is no cause',
      ],
    ],
    [
      'a key that stands twice',
      problemsOf('id: x\nid: y\n'),
      ['x.yaml:2:1: received Map keys must be unique; allowed: YAML 1.2'],
    ],
    [
      'a list instead of a playbook',
      problemsOf('- a\n'),
      ['x.yaml:1:1: received ["a"]; allowed: a value of type object'],
    ],
    [
      'an empty file',
      problemsOf(''),
      ['x.yaml:1:1: received null; allowed: a value of type object'],
    ],
  ])('names file, line, column, key, value and what is allowed: %s', (_, problems, expected) => {
    expect(problems).toEqual(expected);
  });

  it('lists all problems of a file, in its order', () => {
    const problems = problemsOf(
      VALID.replace('severity: critical', 'severity: urgent').replace('1h30m', 'soon'),
    );
    expect(problems.map((line) => line.split(':')[1])).toEqual(['4', '9']);
  });

  it('returns and does not throw, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .tuple(fc.nat(VALID.length), fc.string())
            .map(([cut, text]) => VALID.slice(0, cut) + text + VALID.slice(cut + 1)),
        ),
        (text) => {
          expect(typeof parsePlaybook(text, 'x.yaml').ok).toBe('boolean');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('does not follow aliases without an end', () => {
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${'bcdefghij'
      .split('')
      .map((name, index) => `${name}: &${name} [${`*${'abcdefghij'[index]},`.repeat(10)}]`)
      .join('\n')}\n`;
    expect(problemsOf(bomb).length).toBeGreaterThan(0);
  });
});

describe('the bundled playbooks', () => {
  it('are valid and are named as their files', () => {
    const playbooks = bundledPlaybooks();
    expect(playbooks.map(({ id, origin }) => [`playbooks/${id}.yaml`, origin.file])).toEqual(
      playbooks.map(({ origin }) => [origin.file, origin.file]),
    );
    expect(playbooks.map(({ id }) => id)).toEqual([
      'bad-rollout',
      'breaker-stuck-open',
      'cache-cannot-evict',
      'connection-leak',
      'database-limit',
      'ddl-sandwich',
      'dependency-down',
      'forgotten-transaction',
      'leak-behind-pgbouncer',
      'leak-since-rollout',
      'lock-queue',
      'missing-index',
      'pool-too-small',
      'pooler-paused',
      'prepared-transaction-left',
      'role-limit',
      'slot-fills-disk',
    ]);
  });
});
