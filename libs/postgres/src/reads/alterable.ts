import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { actingRoleSql } from './acting-role.ts';
import { rowsRead } from './rows-read.ts';

/** A role that can log in, or a database: what has a limit and settings of its own. */
export interface Alterable {
  readonly of: 'role' | 'database';
  readonly name: string;
  /** CONNECTION LIMIT; -1: none. */
  readonly limit: number;
  /** Sessions that count against it now. */
  readonly sessions: number;
  /** Of a role. Only another superuser may alter one, and no limit binds it. */
  readonly isSuperuser: boolean;
  /** The acting role may alter it. False without one. */
  readonly mayAlter: boolean;
  /** Who owns the database. '' for a role. */
  readonly owner: string;
  /** Of a database: its owner's rights are not to be given away. */
  readonly isSuperusers: boolean;
  /** Of a role: the acting role has its rights already. */
  readonly isActedAs: boolean;
  /** Settings of its own: `name=value`. */
  readonly settings: readonly string[];
}

/** Settings of a role that hold in one database only. */
export interface InDatabase {
  readonly role: string;
  readonly database: string;
  readonly settings: readonly string[];
}

export interface Alterables {
  readonly all: readonly Alterable[];
  readonly inDatabase: readonly InDatabase[];
  readonly truncated: boolean;
}

const rowSchema = z.object({
  of: z.enum(['role', 'database', 'both']),
  name: z.string(),
  database: z.string(),
  conn_limit: z.int(),
  sessions: z.int(),
  superuser: z.boolean(),
  may_alter: z.boolean(),
  owner: z.string(),
  superusers: z.boolean(),
  acted_as: z.boolean(),
  settings: z.array(z.string()),
});

/** Roles, databases and their settings are visible to everybody; those with sessions come first. */
export const alterableRead: Read<Alterables, PostgresRequest> = rowsRead({
  id: 'postgres.alterable',
  timeoutMs: 1000,
  maxRows: 2000,
  row: rowSchema,
  sql: (major, look) => `
    SELECT x.* FROM (
      SELECT 'role' AS of, r.rolname::text AS name, '' AS database, r.rolconnlimit AS conn_limit,
             (SELECT count(*)::int FROM pg_stat_activity a WHERE a.usesysid = r.oid AND ${counted('a')}) AS sessions,
             r.rolsuper AS superuser, ${mayAlterRole(major)} AS may_alter, '' AS owner, false AS superusers,
             coalesce(pg_has_role(acting.oid, r.oid, 'USAGE'), false) AS acted_as, ${settingsOf('r.oid', '0')} AS settings
        FROM pg_roles r LEFT JOIN (${actingRoleSql(look)}) acting ON true
       WHERE r.rolcanlogin
      UNION ALL
      SELECT 'database', d.datname::text, '', d.datconnlimit,
             (SELECT count(*)::int FROM pg_stat_activity a WHERE a.datid = d.oid AND ${counted('a')}),
             false, coalesce(pg_has_role(acting.oid, d.datdba, 'USAGE'), false), o.rolname::text, o.rolsuper, false, ${settingsOf('0', 'd.oid')}
        FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba LEFT JOIN (${actingRoleSql(look)}) acting ON true
       WHERE d.datallowconn
      UNION ALL
      SELECT 'both', r.rolname::text, d.datname::text, -1, 0, false, false, '', false, false, s.setconfig
        FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole JOIN pg_database d ON d.oid = s.setdatabase) x
     ORDER BY x.sessions DESC, x.of, x.name`,
  valueOf: (rows, truncated) => ({
    all: rows.flatMap((row) => (row.of === 'both' ? [] : [alterableFrom(row, row.of)])),
    inDatabase: rows
      .filter((row) => row.of === 'both')
      .map(({ name, database, settings }) => ({ role: name, database, settings })),
    truncated,
  }),
});

/** Without its kind (a redacted row) a session is taken for a client's. */
function counted(row: string): string {
  return `coalesce(${row}.backend_type, 'client backend') = 'client backend'`;
}

/** 16 and newer ask for the admin option on the role beside CREATEROLE. */
function mayAlterRole(major: number): string {
  const admin =
    major >= 16 ? ` AND pg_has_role(acting.oid, r.oid, 'MEMBER WITH ADMIN OPTION')` : '';
  return `coalesce(acting.rolsuper OR acting.rolcreaterole AND NOT r.rolsuper${admin}, false)`;
}

function settingsOf(role: string, database: string): string {
  return `coalesce((SELECT s.setconfig FROM pg_db_role_setting s WHERE s.setrole = ${role} AND s.setdatabase = ${database}), '{}')`;
}

function alterableFrom(row: z.infer<typeof rowSchema>, of: 'role' | 'database'): Alterable {
  return {
    of,
    name: row.name,
    limit: row.conn_limit,
    sessions: row.sessions,
    isSuperuser: row.superuser,
    mayAlter: row.may_alter,
    owner: row.owner,
    isSuperusers: row.superusers,
    isActedAs: row.acted_as,
    settings: row.settings,
  };
}
