import { describe, expect, it } from '@jest/globals';
import type { TableStats } from '../reads/tables.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { tableStats, tablesOf } from '../test/table-stats.ts';
import { staleStatistics } from './stale-statistics.ts';

const ago = (ms: number) => new Date(lookOf().now.getTime() - ms);
const TEN_MINUTES = 600_000;

function judge(after: readonly TableStats[], before = after, elapsedMs = 60_000) {
  return staleStatistics.judge(
    { tables: { before: tablesOf(before), after: tablesOf(after), elapsedMs } },
    limitsOf(staleStatistics),
    lookOf(),
  );
}
const table = (more: Partial<TableStats> = {}) =>
  tableStats({ analyzeTrigger: 1000, modified: 2000, analyzedAt: ago(TEN_MINUTES), ...more });
function never(more: Partial<TableStats> = {}): TableStats {
  const { analyzedAt: _, ...rest } = table({ tuples: 10_000, modified: 10_000, ...more });
  return rest;
}

describe('db.stale-statistics', () => {
  it.each<[string, TableStats, boolean]>([
    ['nothing changed', table({ modified: 0 }), false],
    ['just below twice the trigger', table({ modified: 1999 }), false],
    ['twice the trigger', table(), true],
    ['autovacuum still has time', table({ analyzedAt: ago(TEN_MINUTES - 1) }), false],
    ['just too small a table', table({ tuples: 9999 }), false],
    ['large enough', table({ tuples: 10_000 }), true],
    ['never analyzed', never(), true],
    ['never analyzed and small', never({ tuples: 9999 }), false],
    ['never analyzed, filled before the statistics were lost', never({ modified: 9999 }), false],
    ['a trigger of nothing', table({ analyzeTrigger: 0 }), false],
  ])('%s', (_, given, isStale) => {
    expect(judge([given]).findings).toHaveLength(isStale ? 1 : 0);
  });

  it('a table that was filled between two samples gets its time', () => {
    const empty = never({ tuples: 0, modified: 0 });
    expect(judge([never()], [empty]).findings).toEqual([]);
    expect(judge([never()], [], 15_000).findings).toEqual([]);
    expect(judge([never()], [empty], 14_999).findings).toHaveLength(1);
  });

  it('says since when, of which database, and that autovacuum is off', () => {
    expect(judge([table({ autovacuums: false })]).findings?.[0]).toMatchObject({
      severity: 'warning',
      about: { kind: 'table', name: 'public.orders', scope: 'orders' },
      says: 'public.orders in shop (1000000 rows) was analyzed 10 min ago, and 2000 rows have changed since: the planner guesses; autovacuum is off for it',
      since: ago(TEN_MINUTES),
      rows: [{ schema: 'public', table: 'orders', autovacuum: false }],
    });
    const [finding] = judge([never()]).findings!;
    expect(finding?.says).toContain('was never analyzed');
    expect(finding).not.toHaveProperty('since');
  });

  it('measures healthy tables too, and zero where there is none', () => {
    expect(judge([]).measured.map(({ value }) => value)).toEqual([0, 0]);
    expect(judge([table({ modified: 500 })]).measured).toContainEqual({
      name: 'modifiedRatio',
      about: { kind: 'table', name: 'public.orders', scope: 'orders' },
      value: 0.5,
      limit: 2,
    });
  });
});
