import { describe, expect, it } from '@jest/globals';
import { catalogIndex, checkPlaybook } from './check-playbook.ts';
import { parsePlaybook } from './parse-playbook.ts';
import { playbookProblemText, type Playbook } from './playbook.ts';
import { catalogOf } from './test/build.ts';
import { bundledPlaybooks } from './test/files/bundled.ts';

function playbook(text: string): Playbook {
  const parsed = parsePlaybook(text, 'x.yaml');
  if (!parsed.ok) throw new TypeError(parsed.problems.map(playbookProblemText).join('\n'));
  return parsed.playbook;
}

const one = (diagnostic: string, remedy = 'db.terminate-idle-sessions') =>
  playbook(
    `id: x\ntitle: x\nmatch:\n  a: { finding: ${diagnostic} }\nrelieve: [{ remedy: ${remedy}, on: a }]\n`,
  );

describe('checkPlaybook', () => {
  it('finds every id of the bundled playbooks in the catalogs', () => {
    const states = bundledPlaybooks().map((each) => checkPlaybook(each, catalogOf()).state);
    expect(new Set(states)).toEqual(new Set(['active']));
  });

  it('lets a playbook sleep whose doctor is absent, and says which', () => {
    expect(checkPlaybook(one('kafka.lag'), catalogOf())).toEqual({
      state: 'dormant',
      says: 'needs kafka.lag, and no doctor for kafka.* is configured',
    });
  });

  it('keeps a playbook awake when any of several diagnostics of a clause is there', () => {
    expect(checkPlaybook(one('[kafka.lag, db.connection-leak]'), catalogOf()).state).toBe('active');
  });

  it('keeps a playbook awake when only what it explains or would do is of an absent doctor', () => {
    expect(checkPlaybook(one('db.connection-leak', 'kafka.pause'), catalogOf()).state).toBe(
      'active',
    );
  });

  it.each([
    [
      one('db.conection-leak'),
      /^x\.yaml:4:17: match\.a\.finding: received "db\.conection-leak"; allowed: (db\.[a-z-]+, )+/,
    ],
    [
      one('db.connection-leak', 'db.drop-all'),
      /^x\.yaml:5:21: relieve\.0\.remedy: received "db\.drop-all"; allowed: db\.[a-z-]+, /,
    ],
  ])('names an id that a present doctor does not have', (each, says) => {
    const state = checkPlaybook(each, catalogOf());
    const texts = state.state === 'invalid' ? state.problems.map(playbookProblemText) : [];
    expect(texts).toEqual([expect.stringMatching(says)]);
  });

  it('does not judge the ids of a configured doctor that has not described itself yet', () => {
    const catalog = catalogIndex([], ['db.']);
    expect(checkPlaybook(one('db.anything'), catalog).state).toBe('active');
  });
});
