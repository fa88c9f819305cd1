import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { actingRoleSql } from './acting-role.ts';
import { rowsRead } from './rows-read.ts';
import { utcText } from './utc-text.ts';

/** A table of the database that the target is connected to, with what the acting role may do to it. */
export interface MaintainableTable {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly isPartitioned: boolean;
  readonly owner: string;
  /** Its owner is a superuser, whose rights are never to be given away. */
  readonly isSuperusers: boolean;
  /** Names of its columns. */
  readonly columns: readonly string[];
  /** Planner's counts as of the last vacuum or analyze. */
  readonly rows: number;
  readonly sizeBytes: number;
  readonly dead: number;
  readonly modified: number;
  /** The acting role has what its owner may. */
  readonly mayOwn: boolean;
  /** It may name objects of the schema. */
  readonly mayUse: boolean;
  /** It may create objects in the schema, which an index needs beside the ownership. */
  readonly mayCreate: boolean;
  /** It may VACUUM, ANALYZE, REINDEX. */
  readonly mayMaintain: boolean;
  /** Pid and kind of who maintains it at this moment. */
  readonly underWay: readonly { readonly pid: number; readonly what: string }[];
}

export interface MaintainableTables {
  readonly database: string;
  /** The server's clock: RFC 3339 with microseconds. */
  readonly now: string;
  readonly tables: readonly MaintainableTable[];
  /** There are more; the smallest are left out. */
  readonly truncated: boolean;
}

const rowSchema = z.object({
  database: z.string(),
  now: z.string(),
  oid: z.string(),
  schema: z.string(),
  name: z.string(),
  partitioned: z.boolean(),
  owner: z.string(),
  superusers: z.boolean(),
  columns: z.array(z.string()),
  table_rows: z.number(),
  size_bytes: z.number(),
  dead: z.number(),
  modified: z.number(),
  may_own: z.boolean(),
  may_use: z.boolean(),
  may_create: z.boolean(),
  may_maintain: z.boolean(),
  under_way: z.array(z.string()),
});

export const maintainableRead: Read<MaintainableTables, PostgresRequest> = rowsRead({
  id: 'postgres.maintainable',
  timeoutMs: 1500,
  maxRows: 2000,
  row: rowSchema,
  sql: (major, look) => `
    SELECT current_database()::text AS database, ${utcText('clock_timestamp()')} AS now,
           c.oid::text AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind = 'p' AS partitioned,
           o.rolname::text AS owner, o.rolsuper AS superusers,
           ARRAY(SELECT a.attname::text FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns,
           greatest(c.reltuples, 0)::float8 AS table_rows,
           c.relpages::float8 * current_setting('block_size')::float8 AS size_bytes,
           pg_stat_get_dead_tuples(c.oid)::float8 AS dead, pg_stat_get_mod_since_analyze(c.oid)::float8 AS modified,
           coalesce(pg_has_role(acting.oid, c.relowner, 'USAGE'), false) AS may_own,
           coalesce(has_schema_privilege(acting.oid, n.oid, 'USAGE'), false) AS may_use,
           coalesce(has_schema_privilege(acting.oid, n.oid, 'USAGE') AND has_schema_privilege(acting.oid, n.oid, 'CREATE'), false) AS may_create,
           ${mayMaintain(major)} AS may_maintain,
           ARRAY(SELECT format('%s a vacuum', p.pid) FROM pg_stat_progress_vacuum p WHERE p.relid = c.oid AND p.datname = current_database()
                 UNION ALL
                 SELECT format('%s an index build', p.pid) FROM pg_stat_progress_create_index p
                  WHERE p.relid = c.oid AND p.datname = current_database()) AS under_way
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_roles o ON o.oid = c.relowner
      LEFT JOIN (${actingRoleSql(look)}) acting ON true
     WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
     ORDER BY c.relpages DESC, n.nspname, c.relname`,
  valueOf: (rows, truncated) => ({
    database: rows[0]?.database ?? '',
    now: rows[0]?.now ?? '',
    tables: rows.map(tableFromRow),
    truncated,
  }),
});

/** 17 and newer have a privilege for it; before, the owner of the table may, or that of the database. */
function mayMaintain(major: number): string {
  return major >= 17
    ? `coalesce(has_table_privilege(acting.oid, c.oid, 'MAINTAIN'), false)`
    : `coalesce(pg_has_role(acting.oid, c.relowner, 'USAGE')
         OR pg_has_role(acting.oid, (SELECT d.datdba FROM pg_database d WHERE d.datname = current_database()), 'USAGE'), false)`;
}

function tableFromRow(row: z.infer<typeof rowSchema>): MaintainableTable {
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    isPartitioned: row.partitioned,
    owner: row.owner,
    isSuperusers: row.superusers,
    columns: row.columns,
    rows: row.table_rows,
    sizeBytes: row.size_bytes,
    dead: row.dead,
    modified: row.modified,
    mayOwn: row.may_own,
    mayUse: row.may_use,
    mayCreate: row.may_create,
    mayMaintain: row.may_maintain,
    underWay: row.under_way.map((text) => {
      const at = text.indexOf(' ');
      return { pid: Number(text.slice(0, at)), what: text.slice(at + 1) };
    }),
  };
}
