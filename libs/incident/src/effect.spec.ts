import { describe, expect, it } from '@jest/globals';
import { blindSpot, type Effect } from '@starr/kernel';
import fc from 'fast-check';
import {
  judgeEffect,
  type EffectSample,
  type EffectWatch,
  type Guard,
  type Reading,
} from './effect.ts';
import { readSample } from './read-sample.ts';
import { at, check, entity, measurement } from './test/build.ts';

const orders = entity('postgres', 'orders');
const checkout = entity('service', 'checkout');
const ACT = at('03:00:00');
const effect: Effect = {
  diagnostic: 'db.connection-use',
  about: orders,
  measurement: 'usedSlots',
  below: 50,
  settleMs: 10_000,
  holdMs: 30_000,
  withinMs: 120_000,
  onMiss: 'ask',
};
const users: Guard = {
  diagnostic: 'traces.error-rate',
  about: checkout,
  measurement: 'errorRatio',
  below: 0.05,
  says: 'users of checkout',
};

const after = (seconds: number) => new Date(ACT.getTime() + seconds * 1000);
const seen = (value: number): Reading => ({ state: 'seen', value });
const blind: Reading = { state: 'blind', says: 'denied' };

type Look = readonly [seconds: number, effect: number | 'blind', users?: number | 'blind'];

function judge(now: number, looks: readonly Look[], more: Partial<EffectWatch> = {}) {
  const reading = (value: number | 'blind') => (value === 'blind' ? blind : seen(value));
  const samples: EffectSample[] = looks.map(([seconds, value, guard]) => ({
    at: after(seconds),
    effect: reading(value),
    guards: guard === undefined ? [] : [reading(guard)],
  }));
  const guards = looks.some(([, , guard]) => guard !== undefined) ? [users] : [];
  return judgeEffect({ effect, guards, samples, now: after(now), lastActAt: ACT, ...more });
}

describe('judgeEffect', () => {
  it.each<[string, number, readonly Look[], string]>([
    ['before it has settled, whatever is seen', 9.999, [[5, 10]], 'settling'],
    ['settled, and nobody looked yet', 10, [], 'waiting'],
    ['settled, and not there yet', 12, [[11, 50]], 'waiting'],
    ['just below the bound', 12, [[11, 49.999]], 'holding'],
    ['seen before it had settled: that does not count', 12, [[9.999, 10]], 'waiting'],
    ['seen before the act: that does not count', 12, [[-1, 10]], 'waiting'],
    [
      'held a moment too short',
      45,
      [
        [11, 10],
        [26, 10],
        [40.999, 10],
      ],
      'holding',
    ],
    [
      'held for long enough',
      45,
      [
        [11, 10],
        [26, 10],
        [41, 10],
      ],
      'established',
    ],
    [
      'held by two looks alone',
      45,
      [
        [11, 10],
        [41, 10],
      ],
      'holding',
    ],
    [
      'held, with a pause that nobody saw',
      50,
      [
        [11, 10],
        [12, 10],
        [13, 10],
        [43, 10],
      ],
      'holding',
    ],
    [
      'missed in between',
      45,
      [
        [11, 10],
        [26, 60],
        [41, 10],
      ],
      'holding',
    ],
    [
      'blind in between',
      45,
      [
        [11, 10],
        [26, 'blind'],
        [41, 10],
      ],
      'holding',
    ],
    [
      'lost again',
      45,
      [
        [11, 10],
        [26, 10],
        [40, 60],
      ],
      'waiting',
    ],
    [
      'not there at the deadline',
      120,
      [
        [11, 60],
        [60, 60],
        [119, 60],
      ],
      'missed',
    ],
    [
      'a moment before the deadline',
      119.999,
      [
        [11, 60],
        [60, 60],
      ],
      'waiting',
    ],
    [
      'reached too late to hold',
      130,
      [
        [11, 60],
        [100, 10],
        [110, 10],
        [120, 10],
      ],
      'missed',
    ],
    [
      'held only after the deadline',
      200,
      [
        [11, 60],
        [115, 10],
        [130, 10],
        [145, 10],
      ],
      'missed',
    ],
    ['never seen', 120, [], 'not-established'],
    [
      'blind all the time',
      120,
      [
        [11, 'blind'],
        [60, 'blind'],
      ],
      'not-established',
    ],
    [
      'blind at last, and never bad',
      120,
      [
        [11, 10],
        [26, 'blind'],
      ],
      'not-established',
    ],
  ])('%s', (_, now, looks, state) => {
    expect(judge(now, looks).state).toBe(state);
  });

  it.each<[string, readonly Look[], string]>([
    [
      'well',
      [
        [11, 10, 0],
        [26, 10, 0],
        [41, 10, 0],
      ],
      'established',
    ],
    [
      'just within',
      [
        [11, 10, 0.049],
        [26, 10, 0.049],
        [41, 10, 0.049],
      ],
      'established',
    ],
    [
      'ill at the end',
      [
        [11, 10, 0],
        [26, 10, 0],
        [41, 10, 0.05],
      ],
      'waiting',
    ],
    [
      'ill all the time',
      [
        [11, 10, 0.2],
        [26, 10, 0.2],
        [41, 10, 0.2],
      ],
      'waiting',
    ],
    [
      'not to be seen',
      [
        [11, 10, 'blind'],
        [26, 10, 'blind'],
        [41, 10, 'blind'],
      ],
      'waiting',
    ],
  ])('the number is reached and users are %s', (_, looks, state) => {
    expect(judge(45, looks).state).toBe(state);
  });

  it('names the guard that is missed', () => {
    expect(judge(120, [[41, 10, 0.2 + 1e-9]])).toMatchObject({
      state: 'missed',
      isFinal: true,
      says: 'users of checkout: 0.2, wanted errorRatio below 0.05',
    });
  });

  it.each<[string, readonly Look[], string]>([
    [
      'it was reached and came back',
      [
        [11, 10],
        [60, 60],
      ],
      'it was reached, and came back: usedSlots: 60, wanted usedSlots below 50 (checkout holds 50 of them)',
    ],
    [
      'it was never reached',
      [
        [11, 60],
        [60, 60],
      ],
      'usedSlots: 60, wanted usedSlots below 50 (checkout holds 50 of them)',
    ],
  ])('says by whom it is missed when %s', (_, looks, says) => {
    const samples = looks.map(([seconds, value]): EffectSample => ({
      at: after(seconds),
      effect: value === 'blind' ? blind : seen(value),
      guards: [],
      found: ['checkout holds 50 of them'],
    }));
    expect(judgeEffect({ effect, samples, now: after(120), lastActAt: ACT })).toMatchObject({
      state: 'missed',
      says,
    });
  });

  it.each([
    [90, 98, 'missed'],
    [90, 99.1, 'worse'],
    [undefined, 1000, 'missed'],
    [0, 60, 'worse'],
  ])('with %p before the act, %p at the deadline is %s', (baseline, value, state) => {
    const more = baseline === undefined ? {} : { baseline };
    expect(judge(120, [[60, value]], more).state).toBe(state);
  });

  it('judges an effect that must rise by the other side', () => {
    const { below: _, ...rest } = effect;
    const rising = { effect: { ...rest, above: 50 } };
    expect(
      judge(
        45,
        [
          [11, 60],
          [26, 60],
          [41, 60],
        ],
        rising,
      ).state,
    ).toBe('established');
    expect(judge(120, [[60, 20]], { ...rising, baseline: 30 }).state).toBe('worse');
    expect(judge(120, [[60, 28]], { ...rising, baseline: 30 }).state).toBe('missed');
  });

  it('needs one look when nothing has to hold', () => {
    const instant = { effect: { ...effect, holdMs: 0 } };
    expect(judge(12, [[11, 10]], instant).state).toBe('established');
  });

  it('says when it may change, what it saw last, and since when it holds', () => {
    expect(judge(5, [])).toMatchObject({ until: after(10), isFinal: false });
    expect(
      judge(30, [
        [11, 60],
        [12, 10],
        [20, 12],
      ]),
    ).toMatchObject({
      state: 'holding',
      value: 12,
      since: after(12),
      until: after(120),
      says: 'usedSlots below 50, to hold for 30 s',
    });
  });

  it('says so when the cure is undone under the same load', () => {
    const undone: readonly Look[] = [
      [11, 10, 0],
      [20, 10, 0],
      [30, 70, 0.2],
      [60, 80, 0.3],
    ];
    expect(judge(45, undone.slice(0, 3)).state).toBe('waiting');
    expect(judge(120, undone, { baseline: 97 }).state).toBe('missed');
  });

  it('does not depend on the order of the samples, and stays as it is once established', () => {
    const looks = fc.array(
      fc.tuple(fc.integer({ min: -10, max: 130 }), fc.constantFrom(10, 60, 'blind' as const)),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(looks, fc.integer({ min: 0, max: 200 }), (all, now) => {
        const one = judge(now, all);
        const shuffled = [...all].reverse();
        const unique = new Set(all.map(([seconds]) => seconds)).size === all.length;
        if (unique) expect(judge(now, shuffled)).toEqual(one);
        if (one.state === 'established') {
          const later = judge(now + 50, [...all, [now + 1, 60]]);
          expect(later.state).toBe('established');
        }
      }),
    );
  });
});

describe('readSample', () => {
  const used = check('db.connection-use', 'orders', {
    measured: [measurement('usedSlots', orders, 40)],
  });

  it('reads the effect and its guards out of an examination', () => {
    const errors = check('traces.error-rate', 'jaeger', {
      measured: [measurement('errorRatio', checkout, 0.01)],
    });
    expect(
      readSample(effect, [users], [used, { ...errors, observedFrom: at('03:12:00') }]),
    ).toEqual({
      at: at('03:12:00'),
      effect: { state: 'seen', value: 40 },
      guards: [{ state: 'seen', value: 0.01 }],
    });
  });

  it.each([
    ['gave no result', [used], 'traces.error-rate gave no result'],
    [
      'was blind',
      [used, check('traces.error-rate', 'jaeger', { blind: [blindSpot('timeout', 'slow')] })],
      'slow (timeout)',
    ],
    [
      'measured others only: what is not there is no zero',
      [
        used,
        check('traces.error-rate', 'jaeger', {
          measured: [measurement('errorRatio', entity('service', 'other'), 0)],
        }),
      ],
      'traces.error-rate is healthy and did not measure errorRatio',
    ],
  ])('is blind where a check %s', (_, results, says) => {
    expect(readSample(effect, [users], results)?.guards).toEqual([{ state: 'blind', says }]);
  });

  it('is none where nothing was examined that it needs', () => {
    expect(readSample(effect, [users], [check('cache.memory', 'sessions')])).toBeUndefined();
  });
});
