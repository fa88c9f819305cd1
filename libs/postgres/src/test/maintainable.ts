import type { MaintainableTable, MaintainableTables } from '../reads/maintainable.ts';

/** A table that the acting role may do everything to, with whatever a spec wants otherwise. */
export function maintainableTable(more: Partial<MaintainableTable> = {}): MaintainableTable {
  return {
    oid: '16400',
    schema: 'public',
    name: 'orders',
    isPartitioned: false,
    owner: 'own er',
    isSuperusers: false,
    columns: ['id', 'customer_id', 'created_at', 'desc'],
    rows: 1_000_000,
    sizeBytes: 104_857_600,
    dead: 200_000,
    modified: 300_000,
    mayOwn: true,
    mayUse: true,
    mayCreate: true,
    mayMaintain: true,
    underWay: [],
    ...more,
  };
}

export function maintainableTables(tables: readonly MaintainableTable[]): MaintainableTables {
  return { database: 'shop', now: '2026-11-24T03:12:08.000001Z', tables, truncated: false };
}
