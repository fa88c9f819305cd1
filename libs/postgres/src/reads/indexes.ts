import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { rowsRead } from './rows-read.ts';

const MOST_INDEXES = 3000;

/** An index of the database that the target is connected to, as the catalog describes it. */
export interface IndexInfo {
  readonly oid: string;
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly method: string;
  /** Key columns in order; an expression is ''. */
  readonly columns: readonly string[];
  /** Columns that are only carried along (INCLUDE). */
  readonly included: readonly string[];
  /** Operator classes, collations, orders, expressions and predicate as the catalog writes them: equal text, equal meaning. */
  readonly keyDetails: readonly string[];
  /** '' when it has none. */
  readonly expressions: string;
  /** '' when it is not partial. */
  readonly predicate: string;
  readonly isUnique: boolean;
  /** A primary key, unique or exclusion constraint, or the replica identity stands on it. */
  readonly isNeeded: boolean;
  readonly isValid: boolean;
  /** Writes keep it up, valid or not. */
  readonly isReady: boolean;
  /** It is being built at this moment. */
  readonly isBuilding: boolean;
  readonly sizeBytes: number;
  readonly scans: number;
  /** Rows inserted, updated or deleted in its table. */
  readonly tableWrites: number;
}

export interface Indexes {
  readonly database: string;
  readonly indexes: readonly IndexInfo[];
  readonly truncated: boolean;
  readonly elsewhere: readonly string[];
  /** Whether it is being built cannot be seen without pg_read_all_stats, when somebody builds. */
  readonly hidesBuilds: boolean;
  readonly ourRole: string;
}

const texts = z.array(z.string());
const rowSchema = z.object({
  our_role: z.string(),
  database: z.string(),
  elsewhere: texts,
  hides_builds: z.boolean(),
  oid: z.string().nullable(),
  schema: z.string().nullable(),
  table: z.string().nullable(),
  name: z.string().nullable(),
  method: z.string().nullable(),
  columns: texts.nullable(),
  key_columns: z.int().nullable(),
  key_details: texts.nullable(),
  expressions: z.string().nullable(),
  predicate: z.string().nullable(),
  is_unique: z.boolean().nullable(),
  is_needed: z.boolean().nullable(),
  is_valid: z.boolean().nullable(),
  is_ready: z.boolean().nullable(),
  is_building: z.boolean().nullable(),
  size_bytes: z.number().nullable(),
  scans: z.number().nullable(),
  table_writes: z.number().nullable(),
});

/**
 * Without pg_get_indexdef, which waits for whoever locks the table: columns come from pg_attribute, expressions and
 * predicates stay node trees, good for nothing but to be compared. Where in the source text a node stood is no difference.
 */
export const indexesRead: Read<Indexes, PostgresRequest> = rowsRead({
  id: 'postgres.indexes',
  timeoutMs: 1000,
  maxRows: MOST_INDEXES,
  row: rowSchema,
  sql: () => `
    SELECT quote_ident(current_user) AS our_role, current_database()::text AS database,
           ARRAY(SELECT DISTINCT datname::text FROM pg_stat_activity
                  WHERE datname <> current_database() AND backend_type = 'client backend'
                    AND backend_start < clock_timestamp() - interval '10 s' ORDER BY 1) AS elsewhere,
           EXISTS (SELECT FROM pg_stat_progress_create_index WHERE phase IS NULL) AS hides_builds, x.*
      FROM (SELECT) here LEFT JOIN (
        SELECT i.indexrelid::text AS oid, n.nspname::text AS schema, t.relname::text AS table, c.relname::text AS name, am.amname::text AS method,
               ARRAY(SELECT coalesce(a.attname, '')::text
                       FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, at)
                       LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0 ORDER BY k.at) AS columns,
               i.indnkeyatts::int AS key_columns,
               ARRAY(SELECT concat(i.indclass[k], ' ', i.indcollation[k], ' ', i.indoption[k]) FROM generate_series(0, i.indnkeyatts - 1) k ORDER BY k)
                 AS key_details,
               regexp_replace(coalesce(i.indexprs::text, ''), ' :location -?[0-9]+', '', 'g') AS expressions,
               regexp_replace(coalesce(i.indpred::text, ''), ' :location -?[0-9]+', '', 'g') AS predicate,
               i.indisunique AS is_unique,
               i.indisprimary OR i.indisexclusion OR i.indisreplident
                 OR EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid) AS is_needed,
               i.indisvalid AS is_valid, i.indisready AS is_ready,
               EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) AS is_building,
               c.relpages::float8 * current_setting('block_size')::float8 AS size_bytes,
               coalesce(pg_stat_get_numscans(i.indexrelid), 0)::float8 AS scans,
               (pg_stat_get_tuples_inserted(t.oid) + pg_stat_get_tuples_updated(t.oid) + pg_stat_get_tuples_deleted(t.oid))::float8
                 AS table_writes
          FROM pg_index i
          JOIN pg_class c ON c.oid = i.indexrelid
          JOIN pg_class t ON t.oid = i.indrelid
          JOIN pg_namespace n ON n.oid = t.relnamespace
          JOIN pg_am am ON am.oid = c.relam
         WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema') AND t.relpersistence <> 't'
           AND c.relkind = 'i') x ON true
     ORDER BY is_valid NULLS LAST, size_bytes DESC NULLS LAST, schema, name`,
  valueOf: (rows, truncated) => {
    const [first] = rows;
    return {
      database: first?.database ?? '',
      elsewhere: first?.elsewhere ?? [],
      hidesBuilds: first?.hides_builds ?? false,
      ourRole: first?.our_role ?? '',
      truncated,
      indexes: rows.flatMap((row) => (row.oid === null ? [] : [indexFromRow(row, row.oid)])),
    };
  },
});

function indexFromRow(row: z.infer<typeof rowSchema>, oid: string): IndexInfo {
  const keys = row.key_columns ?? 0;
  const columns = row.columns ?? [];
  return {
    oid,
    schema: row.schema ?? '',
    table: row.table ?? '',
    name: row.name ?? '',
    method: row.method ?? '',
    columns: columns.slice(0, keys),
    included: columns.slice(keys),
    keyDetails: row.key_details ?? [],
    expressions: row.expressions ?? '',
    predicate: row.predicate ?? '',
    isUnique: row.is_unique ?? false,
    isNeeded: row.is_needed ?? true,
    isValid: row.is_valid ?? true,
    isReady: row.is_ready ?? true,
    isBuilding: row.is_building ?? false,
    sizeBytes: row.size_bytes ?? 0,
    scans: row.scans ?? 0,
    tableWrites: row.table_writes ?? 0,
  };
}
