import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { rowsRead } from './rows-read.ts';

/** A CONNECTION LIMIT that binds: superusers are bound by none, and a role that cannot log in has no sessions. */
export interface ConnectionLimit {
  readonly of: 'role' | 'database';
  readonly name: string;
  /** 0: closed on purpose. */
  readonly limit: number;
}

export interface ConnectionLimits {
  readonly limits: readonly ConnectionLimit[];
  readonly truncated: boolean;
}

/** Limits are visible to everybody. */
export const connectionLimitsRead: Read<ConnectionLimits, PostgresRequest> = rowsRead({
  id: 'postgres.connection-limits',
  timeoutMs: 1000,
  maxRows: 1000,
  row: z.object({ of: z.enum(['role', 'database']), name: z.string(), limit: z.int() }),
  sql: () => `
    SELECT 'role' AS of, rolname::text AS name, rolconnlimit AS "limit" FROM pg_roles
     WHERE rolconnlimit >= 0 AND rolcanlogin AND NOT rolsuper
    UNION ALL
    SELECT 'database', datname::text, datconnlimit FROM pg_database WHERE datconnlimit >= 0 AND datallowconn
     ORDER BY 1, 2`,
  valueOf: (limits, truncated) => ({ limits, truncated }),
});
