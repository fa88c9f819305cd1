import { maskSql, type Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { redacted, rowsRead } from './rows-read.ts';
import { utcText } from './utc-text.ts';

const QUERY_CHARACTERS = 200;

/** Why vacuum cannot clean what is newer: something still may want to see it. */
export interface HorizonHolder {
  readonly kind: 'session' | 'standby' | 'slot' | 'prepared';
  /** Transactions since then. */
  readonly ageXids: number;
  /** A logical slot: user tables are cleaned all the same. */
  readonly catalogsOnly: boolean;
  /** Since it began to hold; absent: the server does not know (slots before 17). */
  readonly heldMs?: number;
  /** application_name, slot name or gid. */
  readonly name: string;
  /** 0 where there is no process. */
  readonly pid: number;
  /** RFC 3339 with microseconds. '' where there is no process. */
  readonly backendStart: string;
  readonly address?: string;
  readonly role: string;
  readonly database: string;
  /** Session: its state. Slot: active or inactive. */
  readonly state: string;
  /** Without its literals. */
  readonly statement: string;
}

export interface Horizon {
  /** Oldest first. */
  readonly holders: readonly HorizonHolder[];
  /** autovacuum_freeze_max_age. */
  readonly freezeMaxAge: number;
}

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.int(),
  freeze_max_age: z.number(),
  kind: z.enum(['session', 'standby', 'slot', 'prepared']).nullable(),
  age_xids: z.number().nullable(),
  catalogs_only: z.boolean().nullable(),
  held_ms: z.number().nullable(),
  name: z.string().nullable(),
  pid: z.int().nullable(),
  backend_start: z.string().nullable(),
  address: z.string().nullable(),
  role: z.string().nullable(),
  database: z.string().nullable(),
  state: z.string().nullable(),
  query: z.string().nullable(),
});

/**
 * An idle writer under READ COMMITTED has no xmin, but an xid, which holds as well; hence the older of both.
 * A VACUUM shows an xmin that no other vacuum heeds.
 */
const SESSIONS = `
  SELECT CASE backend_type WHEN 'walsender' THEN 'standby' ELSE 'session' END AS kind,
         greatest(age(backend_xid), age(backend_xmin))::float8 AS age_xids, false AS catalogs_only,
         extract(epoch FROM clock_timestamp() - coalesce(xact_start, backend_start))::float8 * 1000 AS held_ms,
         application_name AS name, pid, ${utcText('backend_start')} AS backend_start, host(client_addr) AS address,
         usename::text AS role, datname::text AS database, state, left(query, ${QUERY_CHARACTERS * 4}) AS query
    FROM pg_stat_activity
   WHERE backend_type IN ('client backend', 'walsender', 'background worker') AND pid <> pg_backend_pid()
     AND coalesce(backend_xid, backend_xmin) IS NOT NULL AND coalesce(query, '') !~* '^\\s*vacuum'`;

const SLOTS = `
  SELECT 'slot', greatest(age(s.xmin), age(s.catalog_xmin))::float8, s.xmin IS NULL,
         extract(epoch FROM clock_timestamp() - (to_jsonb(s) ->> 'inactive_since')::timestamptz)::float8 * 1000,
         s.slot_name::text, 0, NULL, NULL, NULL, s.database::text, CASE WHEN s.active THEN 'active' ELSE 'inactive' END, NULL
    FROM pg_replication_slots s
   WHERE coalesce(s.xmin, s.catalog_xmin) IS NOT NULL`;

const PREPARED = `
  SELECT 'prepared', age(p.transaction)::float8, false, extract(epoch FROM clock_timestamp() - p.prepared)::float8 * 1000,
         p.gid, 0, NULL, NULL, p.owner::text, p.database::text, 'prepared', NULL
    FROM pg_prepared_xacts p`;

export const horizonRead: Read<Horizon, PostgresRequest> = rowsRead({
  id: 'postgres.horizon',
  timeoutMs: 1000,
  maxRows: 50,
  row: rowSchema,
  sql: () => `
    SELECT quote_ident(current_user) AS our_role, current_setting('autovacuum_freeze_max_age')::float8 AS freeze_max_age,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type IS NULL AND usesysid IS NOT NULL)::int AS hidden, h.*
      FROM (SELECT) here LEFT JOIN (${SESSIONS} UNION ALL ${SLOTS} UNION ALL ${PREPARED}) h ON true
     ORDER BY age_xids DESC NULLS LAST, held_ms DESC NULLS LAST`,
  valueOf: (rows) => {
    const [first] = rows;
    if (first !== undefined && first.hidden > 0) return redacted(first.hidden, first.our_role);
    return {
      holders: rows.flatMap((row) => (row.kind === null ? [] : [holderFromRow(row, row.kind)])),
      freezeMaxAge: first?.freeze_max_age ?? 0,
    };
  },
});

function holderFromRow(row: z.infer<typeof rowSchema>, kind: HorizonHolder['kind']): HorizonHolder {
  return {
    kind,
    ageXids: row.age_xids ?? 0,
    catalogsOnly: row.catalogs_only ?? false,
    ...(row.held_ms !== null && { heldMs: Math.max(0, row.held_ms) }),
    name: row.name ?? '',
    pid: row.pid ?? 0,
    backendStart: row.backend_start ?? '',
    ...(row.address !== null && { address: row.address }),
    role: row.role ?? '',
    database: row.database ?? '',
    state: row.state ?? '',
    statement: maskSql(row.query ?? '').slice(0, QUERY_CHARACTERS),
  };
}

/** Whether vacuum of the user tables of a database has to leave rows for it: sessions hold only where they are. */
export function holdsTables({ kind, catalogsOnly, database }: HorizonHolder, of: string): boolean {
  if (catalogsOnly) return false;
  return kind === 'standby' || kind === 'slot' || database === of;
}
