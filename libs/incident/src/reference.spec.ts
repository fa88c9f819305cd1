import { describe, expect, it } from '@jest/globals';
import { collectEvidence } from './evidence.ts';
import { fillTemplate, parseReference, referencesIn, resolveReference } from './reference.ts';
import { at, check, entity, measurement } from './test/build.ts';

const about = entity('client', 'checkout@10.0.0.9', 'orders');
const evidence = collectEvidence([
  check('db.connection-leak', 'orders', {
    findings: [
      {
        severity: 'critical',
        about,
        says: 'it leaks',
        since: at('03:05:40'),
        measured: [measurement('leakedSessions', about, 77)],
        rows: [{ application: 'checkout' }, { application: 'checkout' }, { pid: 7 }],
        involves: [entity('address', '10.0.0.9'), entity('address', '10.0.0.8')],
      },
    ],
  }),
  check('k8s.rollouts', 'prod', {
    changes: [
      {
        about: entity('revision', 'shop/checkout#2', 'prod'),
        at: at('03:05:02'),
        says: 'rolled out',
        facts: { to: 2, since: { moment: '2026-11-24T03:05:02.123456Z' } },
      },
    ],
  }),
]);
const [leak] = evidence.findings;
const [rollout] = evidence.changes;

describe('resolveReference', () => {
  it.each([
    ['leak.about', 'client checkout@10.0.0.9'],
    ['leak.about.name', 'checkout@10.0.0.9'],
    ['leak.about.kind', 'client'],
    ['leak.about.scope', 'orders'],
    ['leak.target', 'orders'],
    ['leak.at', '2026-11-24T03:05:40.000Z'],
    ['leak.says', 'it leaks'],
    ['leak.measured.leakedSessions', 77],
    ['leak.measured.other', undefined],
    ['leak.involves.address', '10.0.0.8,10.0.0.9'],
    ['leak.involves.client', 'checkout@10.0.0.9'],
    ['leak.involves.pod', undefined],
    ['leak.rows.application', 'checkout'],
    ['leak.rows.pid', 7],
    ['leak.rows.other', undefined],
    ['leak.facts.to', undefined],
    ['rollout.facts.to', 2],
    ['rollout.facts.since', { moment: '2026-11-24T03:05:02.123456Z' }],
    ['rollout.rows.application', undefined],
    ['rollout.about.scope', 'prod'],
  ])('%s', (text, value) => {
    const reference = parseReference(text)!;
    const item = reference.clause === 'leak' ? leak : rollout;
    expect(resolveReference(reference, item!)).toEqual(value);
  });

  it.each(['leak', 'leak.', 'leak.facts', 'leak.about.x', 'leak.target.x', 'leak.x', ''])(
    'knows no form %j',
    (text) => {
      expect(parseReference(text)).toBeUndefined();
    },
  );
});

describe('fillTemplate', () => {
  const fill = (template: string) => fillTemplate(template, (name) => ({ leak, rollout })[name]);

  it('fills what was bound and marks what was not seen', () => {
    expect(
      fill('revision {rollout.facts.to} of {rollout.facts.deployment} on {blind.target}'),
    ).toBe('revision 2 of ? on ?');
  });

  it('does not fill what a value brings along', () => {
    const hostile = { ...leak!, says: '{leak.target}' };
    expect(fillTemplate('{leak.says}', () => hostile)).toBe('{leak.target}');
  });

  it('lists its references', () => {
    expect(referencesIn('a {x.about} b {y.at}')).toEqual(['x.about', 'y.at']);
  });
});
