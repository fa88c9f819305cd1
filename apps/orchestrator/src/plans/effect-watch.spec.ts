import { describe, expect, it } from '@jest/globals';
import type { CheckResult, Measurement } from '@starr/kernel';
import { baseFromKept, keptFromBase, wellGuards, type WatchBase } from './effect-watch.ts';

const users = { diagnostic: 'traces.error-rate', measurement: 'errorRatio', below: 0.05 };
const service = (name: string) => ({ kind: 'service', name });

function measured(values: readonly Measurement[], diagnostic = users.diagnostic): CheckResult {
  return {
    diagnostic,
    target: 'jaeger',
    verdict: { measured: values },
    relations: [],
    observedFrom: new Date(0),
    observedTo: new Date(0),
    thresholds: {},
    footprint: {},
  };
}

const ratio = (name: string, value: number): Measurement => ({
  name: 'errorRatio',
  about: service(name),
  value,
});

describe('users that felt nothing', () => {
  it('must go on feeling nothing; those who were ill before do not hold an effect up', () => {
    const results = [
      measured([
        ratio('checkout', 0.049),
        ratio('payments', 0.05),
        { name: 'requests', about: service('checkout'), value: 0 },
      ]),
      measured([ratio('worker', 0)], 'traces.latency'),
    ];
    expect(wellGuards(users, results)).toEqual([
      {
        ...users,
        about: service('checkout'),
        says: 'users of checkout: errorRatio',
      },
    ]);
  });

  it('are nobody when nothing measures them', () => {
    expect(wellGuards(users, [])).toEqual([]);
  });
});

describe('what is kept for a restart', () => {
  const base: WatchBase = {
    lastActAt: new Date('2026-11-24T03:12:08.123Z'),
    baseline: 0,
    guards: [
      {
        diagnostic: 'traces.error-rate',
        about: { kind: 'operation', name: 'checkout/pay', scope: 'shop' },
        measurement: 'errorRatio',
        below: 0.05,
        says: 'users',
      },
      {
        diagnostic: 'x.y',
        about: service('checkout'),
        measurement: 'free',
        above: 3,
        says: 'room',
      },
    ],
  };

  it('comes back as it was', () => {
    const stored = JSON.parse(JSON.stringify({ says: 'x', watch: keptFromBase(base) })) as unknown;
    expect(baseFromKept(stored)).toEqual(base);
    const { baseline: _unknown, ...without } = base;
    expect(baseFromKept({ watch: keptFromBase(without) })).toEqual(without);
  });

  it.each([
    undefined,
    null,
    'text',
    {},
    { watch: {} },
    { watch: { lastActAt: 'now', guards: [] } },
  ])('is nothing when it has another form: %j', (kept) => {
    expect(baseFromKept(kept)).toBeUndefined();
  });
});
