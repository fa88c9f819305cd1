import type { IndexInfo, Indexes } from '../reads/indexes.ts';

/** A valid index on orders(customer_id), with whatever a spec wants otherwise. */
export function indexInfo(more: Partial<IndexInfo> = {}): IndexInfo {
  return {
    oid: '16500',
    schema: 'public',
    table: 'orders',
    name: 'orders_idx',
    method: 'btree',
    columns: ['customer_id'],
    included: [],
    keyDetails: ['1978 0 0'],
    expressions: '',
    predicate: '',
    isUnique: false,
    isNeeded: false,
    isValid: true,
    isReady: true,
    isBuilding: false,
    sizeBytes: 8192,
    scans: 0,
    tableWrites: 0,
    ...more,
  };
}

export function indexInfos(indexes: readonly IndexInfo[]): Indexes {
  return {
    database: 'shop',
    indexes,
    truncated: false,
    elsewhere: [],
    hidesBuilds: false,
    ourRole: 'starr',
  };
}
