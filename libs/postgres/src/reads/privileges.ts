import type { Look, Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { rowsRead } from './rows-read.ts';

/** What one role may do, by membership that takes effect without SET ROLE. */
export interface RolePrivileges {
  /** As it stands in a statement. */
  readonly role: string;
  readonly exists: boolean;
  readonly isSuperuser: boolean;
  readonly monitors: boolean;
  readonly readsAllStats: boolean;
  readonly signals: boolean;
  /** Always false before 16. */
  readonly usesReserved: boolean;
}

export interface Privileges {
  readonly diagnosing: RolePrivileges;
  /** Absent: none is configured. */
  readonly acting?: RolePrivileges;
  /** reserved_connections; 0 before 16. */
  readonly reservedConnections: number;
  /** pg_stat_statements is created in the database that we are connected to. */
  readonly keepsStatements: boolean;
  /** shared_preload_libraries; absent: hidden from this role. */
  readonly preloaded?: string;
}

const rowSchema = z.object({
  who: z.enum(['diagnosing', 'acting']),
  role: z.string(),
  exists: z.boolean(),
  superuser: z.boolean(),
  monitors: z.boolean(),
  reads_all_stats: z.boolean(),
  signals: z.boolean(),
  uses_reserved: z.boolean(),
  reserved: z.int(),
  keeps_statements: z.boolean(),
  preloaded: z.string().nullable(),
});

/** Roles and memberships are visible to everybody. The acting role's name: `acting` of the target's options. */
export const privilegesRead: Read<Privileges, PostgresRequest> = rowsRead({
  id: 'postgres.privileges',
  timeoutMs: 1000,
  maxRows: 2,
  row: rowSchema,
  sql: (_, look) => `
    SELECT w.who, quote_ident(w.name) AS role, r.oid IS NOT NULL AS exists, coalesce(r.rolsuper, false) AS superuser,
           ${has('pg_monitor')} AS monitors, ${has('pg_read_all_stats')} AS reads_all_stats,
           ${has('pg_signal_backend')} AS signals, ${has('pg_use_reserved_connections')} AS uses_reserved,
           coalesce(current_setting('reserved_connections', true), '0')::int AS reserved,
           EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements') AS keeps_statements,
           (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries') AS preloaded
      FROM (VALUES ('diagnosing', current_user::text)${actingRow(look)}) AS w (who, name)
      LEFT JOIN pg_roles r ON r.rolname = w.name`,
  valueOf: (rows) => {
    const of = (who: 'diagnosing' | 'acting') => rows.find((row) => row.who === who);
    const [diagnosing, acting] = [of('diagnosing'), of('acting')];
    return {
      diagnosing: privilegesFrom(diagnosing),
      ...(acting !== undefined && { acting: privilegesFrom(acting) }),
      reservedConnections: diagnosing?.reserved ?? 0,
      keepsStatements: diagnosing?.keeps_statements ?? false,
      ...(typeof diagnosing?.preloaded === 'string' && { preloaded: diagnosing.preloaded }),
    };
  },
});

/** USAGE, not MEMBER: what holds without SET ROLE. A role of a newer server is had by nobody. */
function has(role: string): string {
  return `coalesce((SELECT pg_has_role(r.oid, g.oid, 'USAGE') FROM pg_roles g WHERE g.rolname = '${role}'), false)`;
}

function actingRow(look: Look): string {
  const acting = look.options['acting'];
  return typeof acting === 'string' ? `, ('acting', '${acting.replaceAll("'", "''")}')` : '';
}

function privilegesFrom(row: z.infer<typeof rowSchema> | undefined): RolePrivileges {
  return {
    role: row?.role ?? '',
    exists: row?.exists ?? false,
    isSuperuser: row?.superuser ?? false,
    monitors: row?.monitors ?? false,
    readsAllStats: row?.reads_all_stats ?? false,
    signals: row?.signals ?? false,
    usesReserved: row?.uses_reserved ?? false,
  };
}
