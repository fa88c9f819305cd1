import { describe, expect, it } from '@jest/globals';
import { statusOf } from '@starr/kernel';
import type { IndexInfo } from '../reads/indexes.ts';
import { indexesOf, indexInfo } from '../test/index-info.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { invalidIndexes } from './invalid-indexes.ts';

const judge = (indexes: readonly IndexInfo[], more = {}) =>
  invalidIndexes.judge({ indexes: indexesOf(indexes, more) }, limitsOf(invalidIndexes), lookOf());
const invalid = (more: Partial<IndexInfo> = {}) => indexInfo({ isValid: false, ...more });

describe('db.invalid-indexes', () => {
  it.each<[string, readonly IndexInfo[], number]>([
    ['no index at all', [], 0],
    ['a valid one', [indexInfo()], 0],
    ['one that is being built', [invalid({ isBuilding: true })], 0],
    ['one that failed', [invalid()], 1],
    ['two of one table', [invalid(), invalid({ name: 'second' })], 1],
    ['two of two tables', [invalid(), invalid({ table: 'customers' })], 2],
  ])('%s: %#', (_, given, findings) => {
    const verdict = judge(given);
    expect(verdict.findings).toHaveLength(findings);
    expect(statusOf(verdict)).toBe(findings === 0 ? 'healthy' : 'found');
  });

  it('says whether writes pay for it', () => {
    expect(judge([invalid()]).findings?.[0]).toMatchObject({
      severity: 'warning',
      about: { kind: 'table', name: 'public.orders', scope: 'orders' },
      says: 'orders_customer_id on public.orders in shop is invalid: a build of it failed (20 MB); every write of the table pays for it, no query uses it',
      rows: [
        { schema: 'public', table: 'orders', index: 'orders_customer_id', paidAtWrites: true },
      ],
    });
    const [cheap] = judge([invalid({ isReady: false })]).findings!;
    expect(cheap?.says).toMatch(/\(20 MB\); no query uses it$/);
  });

  it('measures also when healthy, builds apart', () => {
    const { measured } = judge([indexInfo(), invalid({ isBuilding: true, sizeBytes: 7 })]);
    expect(measured.map(({ name, value }) => [name, value])).toEqual([
      ['invalidIndexes', 0],
      ['buildingIndexes', 1],
      ['invalidBytes', 0],
    ]);
  });

  it('is blind, not mistaken, where a build is hidden', () => {
    const verdict = judge([invalid()], { hidesBuilds: true });
    expect(verdict.findings).toEqual([]);
    expect(verdict.blind).toMatchObject([{ why: 'redacted', cure: 'GRANT pg_monitor TO starr;' }]);
    expect(judge([indexInfo()], { hidesBuilds: true }).blind).toEqual([]);
  });

  it('says which database it looked at, and what it left out', () => {
    const { blind } = judge([], { elsewhere: ['ledger', 'audit'], truncated: true });
    expect(blind?.map(({ why }) => why)).toEqual(['unsupported', 'truncated']);
    expect(blind?.[0]?.detail).toBe(
      'indexes were looked at in the database shop only, and sessions work in ledger, audit too',
    );
  });
});
