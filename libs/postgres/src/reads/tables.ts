import type { Read, Relation } from '@starr/kernel';
import { z } from 'zod';
import { databaseEntity, serverEntity, tableEntity } from '../entities.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { rowsRead } from './rows-read.ts';

const MOST_TABLES = 1000;
/** Relations of more than so many would weigh more than they tell. */
const MOST_RELATED = 50;
/** A session in another database that stays for so long works there. */
const STAYS_SECONDS = 10;

/** A table of the database that the target is connected to. Sizes are the planner's: as of the last vacuum or analyze. */
export interface TableStats {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  /** 0 also when it was never analyzed. */
  readonly sizeBytes: number;
  /** The planner's count, else that of the statistics; 0 when neither knows. */
  readonly tuples: number;
  readonly live: number;
  readonly dead: number;
  /** Rows changed since the last ANALYZE. */
  readonly modified: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly seqScans: number;
  /** Rows read by sequential scans. */
  readonly seqRows: number;
  readonly indexScans: number;
  /** Dead rows at which autovacuum would come, by the settings of server and table. */
  readonly vacuumTrigger: number;
  /** Changed rows at which autovacuum would analyze. */
  readonly analyzeTrigger: number;
  readonly autovacuums: boolean;
  /** By hand or by autovacuum; absent: never since the statistics began. */
  readonly vacuumedAt?: Date;
  readonly analyzedAt?: Date;
  readonly xidAge: number;
  readonly multixactAge: number;
}

export interface Tables {
  readonly database: string;
  /** Largest first. */
  readonly tables: readonly TableStats[];
  readonly truncated: boolean;
  /** autovacuum and track_counts, server-wide. */
  readonly autovacuums: boolean;
  /** Databases of the server in which others work: their tables cannot be seen from here. */
  readonly elsewhere: readonly string[];
}

const number = z.number();
const rowSchema = z.object({
  database: z.string(),
  autovacuums: z.boolean(),
  elsewhere: z.array(z.string()),
  oid: z.string().nullable(),
  schema: z.string().nullable(),
  name: z.string().nullable(),
  size_bytes: number.nullable(),
  tuples: number.nullable(),
  live: number.nullable(),
  dead: number.nullable(),
  modified: number.nullable(),
  inserted: number.nullable(),
  updated: number.nullable(),
  deleted: number.nullable(),
  seq_scans: number.nullable(),
  seq_rows: number.nullable(),
  index_scans: number.nullable(),
  vacuum_trigger: number.nullable(),
  analyze_trigger: number.nullable(),
  table_autovacuums: z.boolean().nullable(),
  vacuumed_ms: number.nullable(),
  analyzed_ms: number.nullable(),
  xid_age: number.nullable(),
  multixact_age: number.nullable(),
});

/** Visible to everybody, and no lock is waited for: sizes come from pg_class, never from pg_relation_size. */
export const tablesRead: Read<Tables, PostgresRequest> = rowsRead({
  id: 'postgres.tables',
  timeoutMs: 1000,
  maxRows: MOST_TABLES,
  row: rowSchema,
  sql: (major) => `
    SELECT current_database()::text AS database,
           current_setting('autovacuum')::bool AND current_setting('track_counts')::bool AS autovacuums,
           ARRAY(SELECT DISTINCT datname::text FROM pg_stat_activity
                  WHERE datname <> current_database() AND backend_type = 'client backend'
                    AND backend_start < clock_timestamp() - interval '${STAYS_SECONDS} s' ORDER BY 1) AS elsewhere,
           t.*
      FROM (SELECT) here LEFT JOIN (
        SELECT c.oid::text AS oid, s.schemaname::text AS schema, s.relname::text AS name,
               c.relpages::float8 * current_setting('block_size')::float8 AS size_bytes,
               greatest(c.reltuples, s.n_live_tup, 0)::float8 AS tuples, s.n_live_tup::float8 AS live, s.n_dead_tup::float8 AS dead,
               s.n_mod_since_analyze::float8 AS modified, s.n_tup_ins::float8 AS inserted, s.n_tup_upd::float8 AS updated,
               s.n_tup_del::float8 AS deleted, s.seq_scan::float8 AS seq_scans, s.seq_tup_read::float8 AS seq_rows,
               coalesce(s.idx_scan, 0)::float8 AS index_scans,
               ${vacuumTrigger(major)} AS vacuum_trigger,
               ${setting('analyze_threshold')} + ${setting('analyze_scale_factor')} * greatest(c.reltuples, 0)::float8 AS analyze_trigger,
               coalesce(${option('autovacuum_enabled')}::bool, true) AS table_autovacuums,
               extract(epoch FROM greatest(s.last_vacuum, s.last_autovacuum))::float8 * 1000 AS vacuumed_ms,
               extract(epoch FROM greatest(s.last_analyze, s.last_autoanalyze))::float8 * 1000 AS analyzed_ms,
               coalesce(age(nullif(c.relfrozenxid, '0')), 0)::float8 AS xid_age,
               coalesce(mxid_age(nullif(c.relminmxid, '0')), 0)::float8 AS multixact_age
          FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
         WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't') t ON true
     ORDER BY size_bytes DESC NULLS LAST, tuples DESC, oid`,
  valueOf: (rows, truncated) => ({
    database: rows[0]?.database ?? '',
    tables: rows.flatMap((row) => (row.oid === null ? [] : [tableFromRow(row, row.oid)])),
    truncated,
    autovacuums: rows[0]?.autovacuums ?? true,
    elsewhere: rows[0]?.elsewhere ?? [],
  }),
  relate: ({ database, tables }, { target }) => [
    { from: databaseEntity(target, database), is: 'of', to: serverEntity(target) },
    ...tables.slice(0, MOST_RELATED).flatMap(({ schema, name }): Relation[] => {
      const table = tableEntity(target, schema, name);
      return [
        { from: table, is: 'in', to: databaseEntity(target, database) },
        { from: table, is: 'of', to: serverEntity(target) },
      ];
    }),
  ],
});

/** 18 caps what a scale factor asks for on a large table. */
function vacuumTrigger(major: number): string {
  const asked = `${setting('vacuum_threshold')} + ${setting('vacuum_scale_factor')} * greatest(c.reltuples, 0)::float8`;
  if (major < 18) return asked;
  const most = setting('vacuum_max_threshold');
  return `CASE WHEN ${most} < 0 THEN ${asked} ELSE least(${asked}, ${most}) END`;
}

/** The table's own storage parameter, else the server's. */
function setting(name: string): string {
  return `coalesce(${option(`autovacuum_${name}`)}::float8, current_setting('autovacuum_${name}')::float8)`;
}

function option(name: string): string {
  return `(SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = '${name}')`;
}

function tableFromRow(row: z.infer<typeof rowSchema>, oid: string): TableStats {
  return {
    oid,
    schema: row.schema ?? '',
    name: row.name ?? '',
    sizeBytes: row.size_bytes ?? 0,
    tuples: row.tuples ?? 0,
    live: row.live ?? 0,
    dead: row.dead ?? 0,
    modified: row.modified ?? 0,
    inserted: row.inserted ?? 0,
    updated: row.updated ?? 0,
    deleted: row.deleted ?? 0,
    seqScans: row.seq_scans ?? 0,
    seqRows: row.seq_rows ?? 0,
    indexScans: row.index_scans ?? 0,
    vacuumTrigger: row.vacuum_trigger ?? 0,
    analyzeTrigger: row.analyze_trigger ?? 0,
    autovacuums: row.table_autovacuums ?? true,
    ...(row.vacuumed_ms !== null && { vacuumedAt: new Date(row.vacuumed_ms) }),
    ...(row.analyzed_ms !== null && { analyzedAt: new Date(row.analyzed_ms) }),
    xidAge: row.xid_age ?? 0,
    multixactAge: row.multixact_age ?? 0,
  };
}
