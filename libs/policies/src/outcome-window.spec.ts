import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { OpensOn } from './breaker-options.ts';
import { createOutcomeWindow, type OutcomeWindow, type Verdict } from './outcome-window.ts';

interface Result {
  readonly atMs: number;
  readonly failed: boolean;
  readonly slow: boolean;
}

type Ratios = Exclude<OpensOn, { kind: 'consecutive' }>;

const slowCalls = { afterMs: 100, ratio: 0.5 };
const timed = {
  kind: 'time',
  failureRatio: 0.4,
  minimumCalls: 4,
  windowMs: 500,
  buckets: 5,
} as const;
const counted = { kind: 'count', failureRatio: 0.4, minimumCalls: 4, size: 10 } as const;

/** What a window must be, from the list of all results there ever were. */
function plainly(opensOn: Ratios, results: readonly Result[], nowMs: number) {
  const held =
    opensOn.kind === 'count'
      ? results.slice(-opensOn.size)
      : results.filter(({ atMs }) => {
          const bucketMs = opensOn.windowMs / opensOn.buckets;
          return Math.floor(atMs / bucketMs) > Math.floor(nowMs / bucketMs) - opensOn.buckets;
        });
  const calls = held.length;
  const failures = held.filter(({ failed }) => failed).length;
  const slow = held.filter((result) => result.slow).length;
  // a time window without a rule about slow calls does not count them
  const counts = opensOn.kind === 'count' || opensOn.slowCalls !== undefined;
  return { held, calls, failures, slow: counts ? slow : 0 };
}

function verdictOf(opensOn: Ratios, { calls, failures, slow }: OutcomeWindow): Verdict {
  const least =
    opensOn.kind === 'count' ? Math.min(opensOn.minimumCalls, opensOn.size) : opensOn.minimumCalls;
  if (calls < least || failures + slow === 0) return undefined;
  if (failures >= calls * opensOn.failureRatio) return 'threshold';
  return opensOn.slowCalls && slow >= calls * opensOn.slowCalls.ratio ? 'slow-calls' : undefined;
}

const histories = fc.array(
  fc.record({
    // within a bucket, over one, over the window, over many of them
    afterMs: fc.constantFrom(0, 1, 30, 99, 100, 101, 399, 400, 500, 501, 5000),
    failed: fc.boolean(),
    slow: fc.boolean(),
  }),
  { maxLength: 60, size: 'max' },
);

const shapes: Ratios[] = [
  timed,
  { ...timed, slowCalls },
  { ...timed, windowMs: 100, buckets: 1, minimumCalls: 1 },
  counted,
  { ...counted, slowCalls },
  // a word holds eight results
  { ...counted, size: 8, minimumCalls: 20 },
  { ...counted, size: 17, slowCalls },
  { ...counted, size: 1, minimumCalls: 1 },
];

/** Plays a history into the window, and holds it against the plain one after each step. */
function play(
  opensOn: Ratios,
  history: readonly { afterMs: number; failed: boolean; slow: boolean }[],
  check: (window: OutcomeWindow, results: readonly Result[], nowMs: number) => void,
): void {
  const window = createOutcomeWindow(opensOn);
  const results: Result[] = [];
  let nowMs = 1000;
  for (const { afterMs, failed, slow } of history) {
    nowMs += afterMs;
    window.advance(nowMs);
    check(window, results, nowMs);
    results.push({ atMs: nowMs, failed, slow });
    const verdict = window.record(failed, slow, nowMs);
    check(window, results, nowMs);
    if (verdict !== verdictOf(opensOn, window)) throw new Error(`${verdict ?? 'no'} verdict`);
  }
}

const sums = ({ calls, failures, slow }: Pick<OutcomeWindow, 'calls' | 'failures' | 'slow'>) =>
  `${calls} calls, ${failures} failed, ${slow} slow`;

describe.each(shapes.map((opensOn) => [JSON.stringify(opensOn), opensOn] as const))(
  'a window %s',
  (_says, opensOn) => {
    it('holds what a list of all results would hold, and judges it alike', () => {
      fc.assert(
        fc.property(histories, (history) => {
          play(opensOn, history, (window, results, nowMs) => {
            const plain = sums(plainly(opensOn, results, nowMs));
            if (sums(window) !== plain) throw new Error(`${sums(window)} instead of ${plain}`);
          });
        }),
        { numRuns: 150 },
      );
    });

    it('shows the same in parts, oldest first, none of them empty', () => {
      fc.assert(
        fc.property(histories, (history) => {
          play(opensOn, history, (window, results, nowMs) => {
            const parts = window.parts(nowMs);
            const plain = plainly(opensOn, results, nowMs);
            const sum = (of: 'calls' | 'failures' | 'slow') =>
              parts.reduce((total, part) => total + part[of], 0);
            const shown = { calls: sum('calls'), failures: sum('failures'), slow: sum('slow') };
            if (sums(shown) !== sums(plain)) throw new Error(`${sums(shown)}, not ${sums(plain)}`);
            const ages = parts.map(({ ageMs }) => ageMs);
            if (ages.some((age, index) => age < 0 || age > (ages[index - 1] ?? Infinity)))
              throw new Error(`ages ${ages.join()}`);
            if (parts.some(({ calls }) => calls === 0)) throw new Error('an empty part');
          });
        }),
        { numRuns: 50 },
      );
    });

    it('is the same after it was poured into another one of its shape, also while it goes on', () => {
      fc.assert(
        fc.property(histories, histories, (before, after) => {
          const window = createOutcomeWindow(opensOn);
          let nowMs = 1000;
          for (const { afterMs, failed, slow } of before) {
            nowMs += afterMs;
            window.record(failed, slow, nowMs);
          }
          const copy = createOutcomeWindow(opensOn);
          expect(copy.seed(window.parts(nowMs), nowMs)).toBeUndefined();
          for (const { afterMs, failed, slow } of after) {
            if (sums(copy) !== sums(window)) throw new Error(`${sums(copy)}, not ${sums(window)}`);
            nowMs += afterMs;
            const verdicts = [window, copy].map((each) => each.record(failed, slow, nowMs));
            if (verdicts[0] !== verdicts[1]) throw new Error(verdicts.join());
          }
        }),
        { numRuns: 100 },
      );
    });

    it('is empty when it was cleared, and begins anew', () => {
      const window = createOutcomeWindow(opensOn);
      for (let result = 0; result < 25; result++) window.record(true, true, 1000);
      window.clear();
      expect(sums(window)).toBe('0 calls, 0 failed, 0 slow');
      expect(window.parts(1000)).toEqual([]);
      window.record(true, false, 1000);
      expect(sums(window)).toBe('1 calls, 1 failed, 0 slow');
      expect(window.parts(1000).map(sums)).toEqual(['1 calls, 1 failed, 0 slow']);
    });
  },
);

describe('another rule for a window', () => {
  it.each<[string, OpensOn, OpensOn, boolean]>([
    ['time: other thresholds', timed, { ...timed, failureRatio: 0.9, minimumCalls: 1 }, true],
    ['time: longer', timed, { ...timed, windowMs: 501 }, false],
    ['time: more buckets', timed, { ...timed, buckets: 6 }, false],
    ['time: now about slow calls', timed, { ...timed, slowCalls }, false],
    ['time: no more about slow calls', { ...timed, slowCalls }, timed, false],
    [
      'time: others are slow',
      { ...timed, slowCalls },
      { ...timed, slowCalls: { afterMs: 1, ratio: 1 } },
      true,
    ],
    ['time: count', timed, counted, false],
    ['count: other thresholds', counted, { ...counted, failureRatio: 0.9 }, true],
    ['count: larger', counted, { ...counted, size: 11 }, false],
    ['count: time', counted, timed, false],
    [
      'consecutive: more',
      { kind: 'consecutive', failures: 2 },
      { kind: 'consecutive', failures: 3 },
      true,
    ],
    ['consecutive: count', { kind: 'consecutive', failures: 2 }, counted, false],
  ])('%s', (_says, from, to, fits) => {
    const window = createOutcomeWindow(from);
    expect(window.tune(to)).toBe(fits);
  });

  it.each<[OpensOn, OpensOn, Verdict[]]>([
    [
      { ...timed, failureRatio: 1, minimumCalls: 100 },
      { ...timed, failureRatio: 0.5, minimumCalls: 4 },
      [undefined, undefined, undefined, 'threshold'],
    ],
    [
      { ...counted, failureRatio: 1, minimumCalls: 10 },
      { ...counted, failureRatio: 0.5, minimumCalls: 4 },
      [undefined, undefined, undefined, 'threshold'],
    ],
    [
      { kind: 'consecutive', failures: 100 },
      { kind: 'consecutive', failures: 4 },
      [undefined, undefined, undefined, 'threshold'],
    ],
  ])('%j, then %j: judges the results so far with the next one', (from, to, verdicts) => {
    const window = createOutcomeWindow(from);
    const seen = [1, 2, 3].map(() => window.record(true, false, 1000));
    window.tune(to);
    expect([...seen, window.record(true, false, 1000)]).toEqual(verdicts);
  });
});

describe('failures in a row', () => {
  const window = () => createOutcomeWindow({ kind: 'consecutive', failures: 3 });

  it('open at the limit, are forgotten with a success, and do not age', () => {
    const row = window();
    row.record(true, false, 0);
    row.record(true, false, 0);
    expect(row.record(false, false, 0)).toBeUndefined();
    expect(row.calls).toBe(0);
    expect([1, 2, 3].map((nowMs) => row.record(true, true, nowMs * 1e9))).toEqual([
      undefined,
      undefined,
      'threshold',
    ]);
    row.advance(1e15);
    expect(sums(row)).toBe('3 calls, 3 failed, 0 slow');
    expect(row.parts(0)).toEqual([{ ageMs: 0, calls: 3, failures: 3, slow: 0 }]);
    row.clear();
    expect(row.parts(0)).toEqual([]);
    expect(sums(row)).toBe('0 calls, 0 failed, 0 slow');
  });

  const part = (calls: number, failures: number) => ({ ageMs: 0, calls, failures, slow: 0 });
  it.each([
    [[], 0, undefined],
    [[part(1, 1), part(2, 2)], 3, undefined],
    [[part(1, 1), part(1, 0), part(2, 2)], 2, undefined],
    [[part(3, 3), part(1, 0)], 0, undefined],
    [[part(3, 3), part(3, 1)], 0, 'the old window does not know the order of its newest results'],
    [[part(3, 1), part(2, 0), part(1, 1)], 1, undefined],
  ])('are taken from %j: %d', (parts, failures, says) => {
    const row = window();
    expect(row.seed(parts, 0)).toBe(says);
    expect(row.failures).toBe(failures);
  });
});

describe('the results of a window of time in a window of calls', () => {
  const part = (calls: number, failures: number, slow: number) => ({
    ageMs: 10,
    calls,
    failures,
    slow,
  });
  it.each([
    ['as many as there is room for', [part(6, 3, 2)], 10, '6 calls, 3 failed, 2 slow'],
    ['in proportion', [part(40, 20, 10)], 8, '8 calls, 4 failed, 2 slow'],
    ['the newest', [part(10, 10, 0), part(10, 0, 10)], 10, '10 calls, 0 failed, 10 slow'],
    ['rounded', [part(10, 1, 9)], 4, '4 calls, 0 failed, 4 slow'],
    ['none', [], 4, '0 calls, 0 failed, 0 slow'],
  ])('are %s', (_says, parts, size, expected) => {
    const window = createOutcomeWindow({ ...counted, size });
    expect(window.seed(parts, 0)).toBeUndefined();
    expect(sums(window)).toBe(expected);
  });

  it('are spread evenly over their part', () => {
    const window = createOutcomeWindow({ ...counted, size: 8 });
    window.seed([part(8, 4, 2)], 0);
    expect(window.parts(0).map(({ failures, slow }) => `${failures}${slow}`)).toEqual([
      '00',
      '10',
      '00',
      '11',
      '00',
      '10',
      '00',
      '11',
    ]);
  });
});

describe('the results of a window of calls in a window of time', () => {
  it('are all of now, and what is older than the window is left out', () => {
    const window = createOutcomeWindow({ ...timed, slowCalls });
    window.seed(
      [
        { ageMs: 600, calls: 50, failures: 50, slow: 50 },
        { ageMs: 250, calls: 3, failures: 2, slow: 1 },
        { ageMs: 0, calls: 2, failures: 1, slow: 1 },
      ],
      1000,
    );
    expect(sums(window)).toBe('5 calls, 3 failed, 2 slow');
    expect(window.parts(1000)).toEqual([
      { ageMs: 250, calls: 3, failures: 2, slow: 1 },
      { ageMs: 0, calls: 2, failures: 1, slow: 1 },
    ]);
    window.advance(1300);
    expect(sums(window)).toBe('2 calls, 1 failed, 1 slow');
  });

  it('have the age of the middle of their bucket', () => {
    const window = createOutcomeWindow(timed);
    window.record(true, false, 1010);
    expect(window.parts(1290)).toEqual([{ ageMs: 240, calls: 1, failures: 1, slow: 0 }]);
    expect(window.parts(1020)).toEqual([{ ageMs: 0, calls: 1, failures: 1, slow: 0 }]);
  });
});

describe('a window of time', () => {
  it('begins with the clock', () => {
    const window = createOutcomeWindow(timed);
    window.record(true, false, 0);
    expect(window.parts(0)).toEqual([{ ageMs: 0, calls: 1, failures: 1, slow: 0 }]);
    expect(window.parts(150)).toEqual([{ ageMs: 100, calls: 1, failures: 1, slow: 0 }]);
    window.advance(499);
    expect(window.calls).toBe(1);
    window.advance(500);
    expect(window.calls).toBe(0);
  });

  it('shows no part of what has left it, though nobody else looked', () => {
    const window = createOutcomeWindow(timed);
    window.record(true, false, 1010);
    expect(window.parts(1499)).toHaveLength(1);
    expect(window.parts(1500)).toEqual([]);
  });

  it('takes of another what is younger than itself, and not what is as old', () => {
    const window = createOutcomeWindow(timed);
    window.seed(
      [
        { ageMs: 500, calls: 7, failures: 0, slow: 0 },
        { ageMs: 400, calls: 1, failures: 0, slow: 0 },
      ],
      1000,
    );
    expect(window.calls).toBe(1);
  });
});
