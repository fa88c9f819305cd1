import { describe, expect, it } from '@jest/globals';
import type { SweepJson } from '../demo/sweep-json.ts';
import type { CureEnd } from './apply-cure.ts';
import type { Played, Scenario } from './scenario.ts';
import { score, summarise } from './score.ts';
import { createSeeded } from './seeded.ts';

const scenario = (kind: Scenario['kind']): Scenario => ({
  id: 's',
  title: 's',
  kind,
  needs: [],
  play: () => Promise.reject(new Error('not played')),
});
const sweep = (playbooks: readonly string[], findings = 0): SweepJson => ({
  plans: [],
  answer: {
    severity: 'critical',
    headline: '',
    causes: playbooks.map((playbook) => ({
      playbook,
      title: `${playbook} of checkout`,
      path: ['pod a'],
      explains: [],
    })),
    findings: Array.from({ length: findings }, () => ({ diagnostic: 'd', target: 't', says: 'x' })),
    checks: [],
    blind: [],
  },
});
const played = (truth: Played['truth'], answer: SweepJson, effect?: Played['effect']): Played => ({
  truth,
  sweep: answer,
  ...(effect && { effect }),
});

describe('the score of a game day', () => {
  it('counts the truth at the first place, its path, and its effect', () => {
    const one = score(
      scenario('fault'),
      played({ causes: ['leak'], path: ['checkout', 'pod a'] }, sweep(['leak']), {
        judged: 'established',
        truth: 'established',
      }),
    );
    expect(one).toMatchObject({ top1: true, top3: true, path: true, effect: true, falseAlarms: 0 });
  });

  it('does not count the truth at the second place as first, and the other as a false alarm', () => {
    expect(
      score(scenario('fault'), played({ causes: ['leak'], path: [] }, sweep(['other', 'leak']))),
    ).toMatchObject({ top1: false, top3: true, falseAlarms: 1 });
  });

  it('lets what is true too stand behind the truth, not before it', () => {
    const truth = { causes: ['leak'], alsoTrue: ['other'], path: [] };
    expect(score(scenario('fault'), played(truth, sweep(['leak', 'other'])))).toMatchObject({
      top1: true,
      falseAlarms: 0,
    });
    expect(score(scenario('fault'), played(truth, sweep(['other', 'leak']))).top1).toBe(false);
    expect(score(scenario('fault'), played(truth, sweep(['leak', 'third']))).falseAlarms).toBe(1);
  });

  it('wants both of two causes at the first two places', () => {
    const truth = { causes: ['a', 'b'], path: [] };
    expect(score(scenario('fault'), played(truth, sweep(['b', 'a']))).top1).toBe(true);
    expect(score(scenario('fault'), played(truth, sweep(['b']))).top1).toBe(false);
  });

  it('calls an effect good only when it is judged as it was', () => {
    const effect = (judged: CureEnd, truth: 'established' | 'missed') =>
      score(scenario('fault'), played({ causes: [], path: [] }, sweep([]), { judged, truth }))
        .effect;
    expect(effect('established', 'missed')).toBe(false);
    expect(effect('missed', 'missed')).toBe(true);
    expect(effect('missed', 'established')).toBe(false);
  });

  it('does not take what was never applied for a judgement', () => {
    const never = { judged: 'not-applied', truth: 'missed' } as const;
    expect(
      score(scenario('fault'), played({ causes: [], path: [] }, sweep([]), never)).effect,
    ).toBe(false);
  });

  it('counts every finding and cause of a control as a false alarm', () => {
    expect(
      score(scenario('control'), played({ causes: [], path: [] }, sweep(['leak'], 2))).falseAlarms,
    ).toBe(3);
  });

  it('is perfect only without a miss and without a false alarm', () => {
    const good = score(scenario('fault'), played({ causes: ['leak'], path: [] }, sweep(['leak'])));
    expect(summarise([good])).toEqual({
      text: 'top-1 1/1, top-3 1/1, path 1/1, effect 0/0, false alarms 0',
      isPerfect: true,
    });
    expect(summarise([good, { ...good, falseAlarms: 1 }]).isPerfect).toBe(false);
  });
});

describe('seeded choices', () => {
  it('are the same for the same seed, and within their bounds', () => {
    const draw = (seed: number) => {
      const seeded = createSeeded(seed);
      return Array.from({ length: 50 }, () => seeded.int(3, 9));
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(Math.min(...draw(7))).toBeGreaterThanOrEqual(3);
    expect(Math.max(...draw(7))).toBeLessThanOrEqual(9);
  });
});
