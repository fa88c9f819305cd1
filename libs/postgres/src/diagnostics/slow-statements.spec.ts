import { describe, expect, it } from '@jest/globals';
import { blindSpot, isPartial, type Severity } from '@starr/kernel';
import type { StatementText } from '../reads/statement-texts.ts';
import { statementsRead, type StatementCounters, type Statements } from '../reads/statements.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { slowStatements } from './slow-statements.ts';

const limits = limitsOf(slowStatements);
const ago = (ms: number) => new Date(lookOf().now.getTime() - ms);

const counters = (more: Partial<StatementCounters> = {}): StatementCounters => ({
  key: '16384/-5147189031224443210',
  calls: 0,
  totalMs: 0,
  maxMs: 0,
  rows: 0,
  ...more,
});
const statements = (...all: readonly StatementCounters[]): Statements => ({
  byKey: new Map(all.map((each) => [each.key, each])),
  totalMs: 0,
  truncated: false,
});
/** What everything else takes. */
const other = (totalMs: number) => counters({ key: '16384/1', calls: 1_000_000, totalMs });

const text: StatementText = {
  queryId: '-5147189031224443210',
  database: 'orders',
  role: 'checkout',
  text: 'SELECT * FROM orders WHERE customer_id = $1',
};

interface Case {
  readonly calls: number;
  readonly totalMs: number;
  /** Of everything else within the window; default as much again. */
  readonly restMs?: number;
  readonly before?: Partial<StatementCounters>;
  readonly since?: Date;
}

function judge({ calls, totalMs, restMs = totalMs, before = {}, since }: Case, elapsedMs = 60_000) {
  const then = counters({ calls: 1000, totalMs: 50_000, ...before });
  const now = counters({
    calls: then.calls + calls,
    totalMs: then.totalMs + totalMs,
    ...(since && { since }),
  });
  return slowStatements.judge(
    {
      statements: {
        before: statements(...(before.calls === -1 ? [] : [then]), other(0)),
        after: statements(now, { ...other(restMs), calls: 1_000_001 }),
        elapsedMs,
      },
      texts: new Map([[then.key, text]]),
      runs: [],
    },
    limits,
    lookOf(),
  );
}

describe('db.slow-statements', () => {
  it.each<[string, Case, Severity | undefined]>([
    ['nothing ran', { calls: 0, totalMs: 0 }, undefined],
    ['just too fast', { calls: 100, totalMs: 4999 }, undefined],
    ['just slow', { calls: 100, totalMs: 5000 }, 'warning'],
    ['just too seldom', { calls: 49, totalMs: 49_000 }, undefined],
    ['just often enough', { calls: 50, totalMs: 49_000, restMs: 100_000 }, 'warning'],
    ['just below a tenth of the time', { calls: 100, totalMs: 9990, restMs: 90_010 }, undefined],
    ['a tenth of the time', { calls: 100, totalMs: 10_000, restMs: 90_000 }, 'warning'],
    ['most of the time, as always', { calls: 100, totalMs: 10_000, restMs: 0 }, 'warning'],
    ['just below 3 times slower', { calls: 100, totalMs: 14_999, restMs: 0 }, 'warning'],
    ['3 times slower, most of the time', { calls: 100, totalMs: 15_000, restMs: 0 }, 'critical'],
    [
      '3 times slower, just below half of the time',
      { calls: 100, totalMs: 15_000, restMs: 15_001 },
      'warning',
    ],
    [
      'not there before, half of the time',
      { calls: 100, totalMs: 5000, before: { calls: -1 } },
      'critical',
    ],
    [
      'first counted within the window',
      { calls: 100, totalMs: 5000, since: ago(600_000) },
      'critical',
    ],
    [
      'first counted before the window',
      { calls: 100, totalMs: 5000, since: ago(1_800_001) },
      'warning',
    ],
  ])('%s', (_, given, severity) => {
    const verdict = judge(given);
    expect(verdict.findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
    expect(verdict.blind).toEqual([]);
  });

  it('says what it is, whose, and how it was before', () => {
    const [finding] = judge({ calls: 100, totalMs: 60_000 }).findings!;
    expect(finding).toMatchObject({
      about: { kind: 'statement', name: '-5147189031224443210', scope: 'orders' },
      says: 'a statement of checkout in orders takes 600 ms on average, 50 % of the time of all: 12 times slower than before (50 ms)',
      rows: [{ statement: text.text, calls: 100, meanBefore: { durationMs: 50 } }],
    });
    const always = judge({ calls: 100, totalMs: 6000 }).findings!;
    expect(always[0]?.says).toContain('it was always so');
  });

  it('names the onset of one that is new', () => {
    const [finding] = judge({ calls: 100, totalMs: 60_000, since: ago(300_000) }).findings!;
    expect(finding).toMatchObject({ since: ago(300_000), says: expect.stringContaining('new') });
  });

  it('two samples that are too close: blind for want of history, unless the counters are young', () => {
    const old = judge({ calls: 100, totalMs: 60_000 }, 4999);
    expect(old.findings).toEqual([]);
    expect(old.blind?.map(({ why }) => why)).toEqual(['no-history']);
    expect(isPartial(old)).toBe(true);
    expect(judge({ calls: 100, totalMs: 60_000 }, 5000).findings).toHaveLength(1);
    const young = judge({ calls: 100, totalMs: 60_000, since: ago(60_000) }, 10);
    expect(young.findings).toHaveLength(1);
  });

  it('counters that somebody reset count from there', () => {
    const [finding] = slowStatements.judge(
      {
        statements: {
          before: statements(counters({ calls: 1000, totalMs: 9_000_000 })),
          after: statements(counters({ calls: 60, totalMs: 6000 })),
          elapsedMs: 60_000,
        },
        texts: new Map(),
        runs: [],
      },
      limits,
      lookOf(),
    ).findings!;
    expect(finding?.rows?.[0]).toMatchObject({ calls: 60, mean: { durationMs: 100 } });
  });

  it('measures the statements that cost most also when they are fast, and says what it could not see', () => {
    const verdict = slowStatements.judge(
      {
        statements: {
          before: statements(),
          after: { ...statements(counters({ calls: 600, totalMs: 600 })), truncated: true },
          elapsedMs: 60_000,
        },
        texts: blindSpot('timeout', 'slow'),
        runs: [],
      },
      limits,
      lookOf(),
    );
    expect(verdict.measured).toContainEqual(
      expect.objectContaining({ name: 'callsPerMinute', value: 600 }),
    );
    expect(verdict.measured[0]).toMatchObject({ name: 'slowStatements', value: 0 });
    expect(verdict.blind?.map(({ why }) => why)).toEqual(['truncated', 'timeout']);
  });

  it('judges 5,000 statements without holding up anybody for long', () => {
    const rows = Array.from({ length: 5000 }, (_, at) => ({
      role: 'starr',
      hidden: 0,
      all_ms: 1e6,
      key: `16384/${at}`,
      calls: 1000 + at,
      total_ms: 50_000 - at,
      max_ms: 100,
      rows: 1000,
      since_ms: at,
    }));
    const raw = { rows, truncated: false, version: '1.12', tooOld: false, database: 'shop' };
    // The first look of a process is still being compiled.
    statementsRead.parse({ ...raw, rows: rows.slice(0, 500) }, lookOf());
    const begun = process.cpuUsage();
    const after = statementsRead.parse(raw, lookOf()) as Statements;
    const { user: parsing } = process.cpuUsage(begun);
    const judging = process.cpuUsage();
    const verdict = slowStatements.judge(
      {
        statements: { before: statements(), after, elapsedMs: 60_000 },
        texts: new Map(),
        runs: [],
      },
      limits,
      lookOf(),
    );
    // In processor time, and with slack: cold caches of a busy machine cost some. 50 ms are promised.
    expect(parsing / 1000).toBeLessThan(150);
    expect(process.cpuUsage(judging).user / 1000).toBeLessThan(150);
    expect(verdict.measured.length).toBeLessThan(100);
  });
});
