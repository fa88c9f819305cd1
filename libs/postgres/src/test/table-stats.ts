import type { Tables, TableStats } from '../reads/tables.ts';

/** A table of a busy shop in good order. */
export function tableStats(more: Partial<TableStats> = {}): TableStats {
  return {
    oid: '16400',
    schema: 'public',
    name: 'orders',
    sizeBytes: 100 * 1024 * 1024,
    tuples: 1_000_000,
    live: 1_000_000,
    dead: 0,
    modified: 0,
    inserted: 0,
    updated: 0,
    deleted: 0,
    seqScans: 0,
    seqRows: 0,
    indexScans: 0,
    vacuumTrigger: 200_050,
    analyzeTrigger: 100_050,
    autovacuums: true,
    vacuumedAt: new Date('2026-11-24T03:00:00Z'),
    analyzedAt: new Date('2026-11-24T03:00:00Z'),
    xidAge: 1000,
    multixactAge: 10,
    ...more,
  };
}

export function tablesOf(tables: readonly TableStats[]): Tables {
  return { database: 'shop', tables, truncated: false, autovacuums: true, elsewhere: [] };
}
