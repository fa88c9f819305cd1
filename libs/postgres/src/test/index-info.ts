import type { Indexes, IndexInfo } from '../reads/indexes.ts';

/** A B-tree on orders(customer_id) that earns its keep. */
export function indexInfo(more: Partial<IndexInfo> = {}): IndexInfo {
  const columns = more.columns ?? ['customer_id'];
  return {
    oid: '16500',
    schema: 'public',
    table: 'orders',
    name: 'orders_customer_id',
    method: 'btree',
    columns,
    included: [],
    keyDetails: columns.map(() => '3124 0 0'),
    expressions: '',
    predicate: '',
    isUnique: false,
    isNeeded: false,
    isValid: true,
    isReady: true,
    isBuilding: false,
    sizeBytes: 20 * 1024 ** 2,
    scans: 1000,
    tableWrites: 5000,
    ...more,
  };
}

export function indexesOf(indexes: readonly IndexInfo[], more: Partial<Indexes> = {}): Indexes {
  return {
    database: 'shop',
    indexes,
    truncated: false,
    elsewhere: [],
    hidesBuilds: false,
    ourRole: 'starr',
    ...more,
  };
}
