import { describe, expect, it } from '@jest/globals';
import type { Measurement } from '@starr/kernel';
import { guardsOf } from './guards.ts';
import { answerSweep } from './sweep-answer.ts';
import { at, catalogOf, check, entity, measurement } from './test/build.ts';
import { bundledPlaybooks } from './test/files/bundled.ts';
import { leakByRollout } from './test/scenarios.ts';
import { CHECKOUT, withResults } from './test/shop.ts';

const PAY = entity('operation', 'checkout/pay');

function guards(...measured: readonly Measurement[]) {
  const felt = check('traces.error-rate', 'jaeger', {
    findings: [
      { severity: 'critical', about: CHECKOUT, says: 'it fails', since: at('03:11:00'), measured },
    ],
  });
  const answer = answerSweep({
    environment: 'prod-eu',
    startedAt: at('03:12:08'),
    endedAt: at('03:12:09'),
    results: withResults(leakByRollout(), felt),
    playbooks: bundledPlaybooks(),
    catalog: catalogOf(),
  });
  return guardsOf(answer, answer.causes[0]!).map(({ about, measurement: name, below }) => [
    about.name,
    name,
    below,
  ]);
}

describe('guardsOf', () => {
  const ratio = measurement('errorRatio', CHECKOUT, 0.14, 0.05);

  it('wants what users felt back within its threshold', () => {
    expect(guards(ratio)).toEqual([['checkout', 'errorRatio', 0.05]]);
  });

  it('does not want fewer requests, though there are more than the least that is judged', () => {
    expect(guards(ratio, measurement('requests', CHECKOUT, 300, 20))).toHaveLength(1);
  });

  it('guards an operation where the service as a whole is within', () => {
    const within = measurement('errorRatio', CHECKOUT, 0.05, 0.05);
    const pay = measurement('errorRatio', PAY, 0.4, 0.05);
    const requests = measurement('requests', CHECKOUT, 300, 20);
    expect(guards(within, requests, pay)).toEqual([['checkout/pay', 'errorRatio', 0.05]]);
  });

  it('guards nothing where no threshold was crossed', () => {
    expect(guards(measurement('errorRatio', CHECKOUT, 0.14))).toEqual([]);
    expect(guards()).toEqual([]);
  });
});
