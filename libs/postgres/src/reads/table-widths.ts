import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { rowsRead } from './rows-read.ts';

/** Table oid → bytes that its rows need at their average width, headers and alignment roughly included. */
export type NeededBytes = ReadonlyMap<string, number>;

/** Tuple header and line pointer. */
const ROW_OVERHEAD_BYTES = 28;
/** Alignment of the columns of an average row. */
const ALIGNMENT_BYTES = 4;
const PAGE_SHARE = 0.99;

/** pg_stats shows a column to whom it may read it: tables that this role may not read are not in the answer. */
export const tableWidthsRead: Read<NeededBytes, PostgresRequest> = rowsRead({
  id: 'postgres.table-widths',
  timeoutMs: 1000,
  maxRows: 1000,
  row: z.object({ oid: z.string(), needed_bytes: z.number() }),
  sql: () => `
    SELECT c.oid::text AS oid,
           c.reltuples::float8 * (${ROW_OVERHEAD_BYTES + ALIGNMENT_BYTES} + sum(s.avg_width * (1 - s.null_frac))) / ${PAGE_SHARE} AS needed_bytes
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited
     WHERE c.relkind IN ('r', 'm') AND c.reltuples > 0 AND c.relpages >= 1280
       AND n.nspname NOT IN ('pg_catalog', 'information_schema')
     GROUP BY c.oid, c.reltuples, c.relpages
    HAVING count(*) = (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
     ORDER BY c.relpages DESC`,
  valueOf: (rows) => new Map(rows.map(({ oid, needed_bytes }) => [oid, needed_bytes])),
});
