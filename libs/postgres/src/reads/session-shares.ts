import type { Entity, Read, Relation } from '@starr/kernel';
import { z } from 'zod';
import { applicationEntity, databaseEntity, roleEntity, serverEntity } from '../entities.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { redacted, rowsRead } from './rows-read.ts';
import { LONG_IDLE_MS } from './session-groups.ts';

/** The sessions of one role in one database under one application_name, our own included: they count against limits. */
export interface SessionShare {
  readonly role: string;
  readonly database: string;
  readonly application: string;
  readonly sessions: number;
  readonly active: number;
  readonly idle: number;
  readonly idleInTransaction: number;
  /** Idle for LONG_IDLE_MS and more. */
  readonly idleLong: number;
}

export interface SessionShares {
  /** Most sessions first. */
  readonly shares: readonly SessionShare[];
  /** There are more; the smallest are left out. */
  readonly truncated: boolean;
}

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.int(),
  role: z.string().nullable(),
  database: z.string().nullable(),
  application: z.string(),
  sessions: z.int(),
  active: z.int(),
  idle: z.int(),
  idle_in_transaction: z.int(),
  idle_long: z.int(),
});

/** What counts against a CONNECTION LIMIT: client backends, and before 18 walsenders too. */
export const sessionSharesRead: Read<SessionShares, PostgresRequest> = rowsRead({
  id: 'postgres.session-shares',
  timeoutMs: 1000,
  maxRows: 500,
  row: rowSchema,
  sql: (major) => `
    SELECT quote_ident(current_user) AS our_role, sum((count(*) FILTER (WHERE backend_type IS NULL))::int) OVER ()::int AS hidden,
           usename AS role, datname AS database, application_name AS application, count(*)::int AS sessions,
           (count(*) FILTER (WHERE state = 'active'))::int AS active,
           (count(*) FILTER (WHERE state = 'idle'))::int AS idle,
           (count(*) FILTER (WHERE state LIKE 'idle in transaction%'))::int AS idle_in_transaction,
           (count(*) FILTER (WHERE state = 'idle' AND clock_timestamp() - state_change >= interval '${LONG_IDLE_MS} ms'))::int AS idle_long
      FROM pg_stat_activity
     WHERE backend_type IN ('client backend'${major < 18 ? ", 'walsender'" : ''}) OR backend_type IS NULL AND usesysid IS NOT NULL
     GROUP BY usename, datname, application_name
     ORDER BY sessions DESC, role, database, application`,
  valueOf: (rows, truncated) => {
    const [first] = rows;
    if (first !== undefined && first.hidden > 0) return redacted(first.hidden, first.our_role);
    return { shares: rows.map(shareFromRow), truncated };
  },
  relate: ({ shares }, look) => shares.flatMap((share) => relationsOf(share, look.target)),
});

function shareFromRow(row: z.infer<typeof rowSchema>): SessionShare {
  return {
    role: row.role ?? '',
    database: row.database ?? '',
    application: row.application,
    sessions: row.sessions,
    active: row.active,
    idle: row.idle,
    idleInTransaction: row.idle_in_transaction,
    idleLong: row.idle_long,
  };
}

function relationsOf({ role, database, application }: SessionShare, target: string): Relation[] {
  const from = applicationEntity(target, application);
  return [
    ...(role === '' ? [] : ofServer(from, 'logs-in-as', roleEntity(target, role), target)),
    ...(database === ''
      ? []
      : ofServer(from, 'works-in', databaseEntity(target, database), target)),
  ];
}

function ofServer(from: Entity, is: string, to: Entity, target: string): Relation[] {
  return [
    { from, is, to },
    { from: to, is: 'of', to: serverEntity(target) },
  ];
}
