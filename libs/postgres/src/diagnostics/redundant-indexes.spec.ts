import { describe, expect, it } from '@jest/globals';
import type { IndexInfo } from '../reads/indexes.ts';
import { indexesOf, indexInfo } from '../test/index-info.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { redundantIndexes } from './redundant-indexes.ts';

const MB = 1024 ** 2;
const judge = (...indexes: readonly IndexInfo[]) =>
  redundantIndexes.judge({ indexes: indexesOf(indexes) }, limitsOf(redundantIndexes), lookOf());
const longer = (more: Partial<IndexInfo> = {}) =>
  indexInfo({ oid: '16501', name: 'longer', columns: ['customer_id', 'created_at'], ...more });

describe('db.redundant-indexes', () => {
  it.each<[string, Partial<IndexInfo>, Partial<IndexInfo>, boolean]>([
    ['the first columns of another', {}, {}, true],
    ['just too small', { sizeBytes: 10 * MB - 1 }, {}, false],
    ['just large enough', { sizeBytes: 10 * MB }, {}, true],
    ['other first columns', { columns: ['created_at'] }, {}, false],
    ['of another table', { table: 'customers' }, {}, false],
    ['another schema', { schema: 'archive' }, {}, false],
    ['unique itself', { isUnique: true }, {}, false],
    ['needed by a constraint', { isNeeded: true }, {}, false],
    ['another operator class or order', { keyDetails: ['3124 0 3'] }, {}, false],
    ['partial', { predicate: '{x}' }, {}, false],
    ['both partial alike', { predicate: '{x}' }, { predicate: '{x}' }, true],
    ['carries a column that the other has', { included: ['created_at'] }, {}, true],
    ['carries a column that the other has not', { included: ['status'] }, {}, false],
    ['the other is invalid', {}, { isValid: false }, false],
    ['itself invalid', { isValid: false }, {}, false],
    ['a hash index', { method: 'hash' }, {}, false],
    ['on an expression that the other has not', { columns: [''], expressions: '{f}' }, {}, false],
    [
      'on the same expression',
      { columns: [''], expressions: '{f}' },
      { columns: ['', 'created_at'], expressions: '{f}' },
      true,
    ],
  ])('%s', (_, more, otherwise, isRedundant) => {
    expect(judge(indexInfo(more), longer(otherwise)).findings).toHaveLength(isRedundant ? 1 : 0);
  });

  it('of two that are the same, names the one that is read less', () => {
    const twin = indexInfo({ oid: '16502', name: 'twin', scans: 3 });
    const { findings } = judge(indexInfo(), twin);
    expect(findings?.map(({ rows }) => rows?.[0]?.['index'])).toEqual(['twin']);
    const equal = judge(indexInfo(), { ...twin, scans: 1000 }).findings!;
    expect(equal).toHaveLength(1);
  });

  it('keeps the one of two that is unique or needed, and says what the other costs', () => {
    const primary = indexInfo({
      oid: '1',
      name: 'orders_pkey',
      isUnique: true,
      isNeeded: true,
      scans: 0,
    });
    expect(judge(indexInfo(), primary).findings).toMatchObject([
      {
        about: { kind: 'table', name: 'public.orders' },
        says: 'orders_customer_id on public.orders in shop (20 MB) does nothing that orders_pkey does not do; every write pays for both',
        rows: [{ index: 'orders_customer_id', tableWrites: 5000 }, { index: 'orders_pkey' }],
      },
    ]);
  });

  it('never names an index for being unused', () => {
    expect(judge(indexInfo({ scans: 0, sizeBytes: 1e12 })).findings).toEqual([]);
  });

  it('measures the small ones too, and zero where there is none', () => {
    const measured = judge(indexInfo({ sizeBytes: 8192 }), longer()).measured;
    expect(measured.map(({ value }) => value)).toEqual([1, 8192]);
    expect(judge().measured.map(({ value }) => value)).toEqual([0, 0]);
  });
});
