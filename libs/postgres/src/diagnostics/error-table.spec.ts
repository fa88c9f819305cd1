import { describe, expect, it } from '@jest/globals';
import { statusOf, type Severity } from '@starr/kernel';
import type { ErrorTableSeen, SeenError } from '../reads/error-tables.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { errorTable } from './error-table.ts';

const now = lookOf().now.getTime();
const RECENT_MS = 300_000;

/** So many errors of a kind, spread over the last five minutes, and over the 25 before. */
function errors(recent: number, before: number, fingerprint = 'timeout after ? ms'): SeenError[] {
  const spread = (count: number, fromMs: number, toMs: number) =>
    Array.from({ length: count }, (_, at) => ({
      atMs: now - fromMs - ((toMs - fromMs) * at) / Math.max(1, count),
      fingerprint,
    }));
  return [...spread(recent, 0, RECENT_MS), ...spread(before, RECENT_MS + 1, 1_800_000)];
}
const seen = (all: readonly SeenError[], truncated = false): ErrorTableSeen => ({
  schema: 'public',
  table: 'error_logs',
  state: 'seen',
  errors: all,
  truncated,
});
const judge = (...tables: readonly ErrorTableSeen[]) =>
  errorTable.judge({ tables }, limitsOf(errorTable), lookOf());

describe('db.error-table', () => {
  it.each<[string, SeenError[], Severity | undefined]>([
    ['no error', [], undefined],
    ['just too few', errors(9, 0), undefined],
    ['ten in five minutes, none before', errors(10, 0), 'warning'],
    ['just below three times as many', errors(29, 50), undefined],
    ['three times as many', errors(30, 50), 'warning'],
    ['just below one a second, risen', errors(299, 0), 'warning'],
    ['one a second, risen', errors(300, 0), 'critical'],
    ['one a second, as always', errors(300, 1500), 'warning'],
    ['many, but all of old', errors(0, 1500), undefined],
  ])('%s', (_, given, severity) => {
    expect(judge(seen(given)).findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('says what, how many, how it was before, and since when', () => {
    const [finding] = judge(seen(errors(40, 50))).findings!;
    expect(finding).toMatchObject({
      severity: 'warning',
      about: { kind: 'table', name: 'public.error_logs', scope: 'orders' },
      says: 'public.error_logs got 8.0 errors a minute of one kind, 2.0 before: timeout after ? ms',
      rows: [{ error: 'timeout after ? ms', count: 40 }],
    });
    expect(finding!.since!.getTime()).toBeGreaterThan(now - RECENT_MS);
    expect(judge(seen(errors(40, 0))).findings?.[0]?.says).toContain(', none before');
  });

  it('tells kinds apart, the most frequent first, and names the traces', () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const other = errors(20, 0, 'deadlock').map((each) => ({ ...each, trace }));
    const { findings } = judge(seen([...other, ...errors(40, 0)]));
    expect(findings?.map(({ rows }) => rows?.[0]?.['error'])).toEqual([
      'timeout after ? ms',
      'deadlock',
    ]);
    expect(findings?.[1]?.involves).toContainEqual({ kind: 'trace', name: trace });
  });

  it('without a before there is no rise: only a flood is a finding', () => {
    const newest = (count: number) =>
      seen(
        errors(count, 0).map((each) => each),
        true,
      );
    expect(judge(newest(200)).findings).toEqual([]);
    expect(judge(newest(2000)).findings).toMatchObject([{ severity: 'warning' }]);
    expect(judge(newest(200)).blind).toMatchObject([{ why: 'truncated' }]);
  });

  it('none configured is healthy; one that may not be read is blind, beside another partly', () => {
    const denied: ErrorTableSeen = {
      schema: 'public',
      table: 'audit',
      state: 'blind',
      why: 'denied',
      detail: 'starr may not read public.audit',
      cure: 'GRANT …',
    };
    expect(judge().measured).toMatchObject([{ name: 'errorTables', value: 0 }]);
    expect(statusOf(judge())).toBe('healthy');
    expect(statusOf(judge(denied))).toBe('blind');
    expect(judge(denied, seen([]))).toMatchObject({
      measured: [{ name: 'errorTables', value: 1 }, { value: 0 }, { value: 0 }],
      blind: [{ why: 'denied', cure: 'GRANT …' }],
    });
  });
});
