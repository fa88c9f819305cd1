import type { BlindSpot, Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { extensionRead } from './extension-read.ts';
import { redacted } from './rows-read.ts';

/** pg_stat_statements.max of a server that was never tuned. */
const MOST_STATEMENTS = 5000;

/** What one statement has cost since it was first counted. Counters only grow, until they are reset by somebody. */
export interface StatementCounters {
  /** database/queryid, as text: it does not fit a double. */
  readonly key: string;
  readonly calls: number;
  readonly totalMs: number;
  readonly maxMs: number;
  readonly rows: number;
  /** When it was first counted (1.11 and newer). */
  readonly since?: Date;
}

export interface Statements {
  readonly byKey: ReadonlyMap<string, StatementCounters>;
  /** Of all statements, those left out too. */
  readonly totalMs: number;
  /** The cheapest are left out. */
  readonly truncated: boolean;
}

const rowSchema = z.object({
  role: z.string(),
  hidden: z.int(),
  all_ms: z.number(),
  key: z.string(),
  calls: z.number(),
  total_ms: z.number(),
  max_ms: z.number(),
  rows: z.number(),
  since_ms: z.number().nullable(),
});

/** Without texts: they lie in a file that is read whole. Nested statements count in the one that called them. */
const sql = (since: string, toplevel: string) => `
  SELECT quote_ident(current_user) AS role, hidden, all_ms, dbid || '/' || queryid AS key, calls, total_ms, max_ms, rows, since_ms
    FROM (SELECT dbid, queryid, sum(calls)::float8 AS calls, sum(total_exec_time)::float8 AS total_ms, max(max_exec_time)::float8 AS max_ms,
                 sum(rows)::float8 AS rows, extract(epoch FROM min(${since}))::float8 * 1000 AS since_ms,
                 (sum(count(*) FILTER (WHERE queryid IS NULL)) OVER ())::int AS hidden,
                 (sum(sum(total_exec_time)) OVER ())::float8 AS all_ms
            FROM {schema}.pg_stat_statements(false)${toplevel}
           GROUP BY dbid, queryid) s
   WHERE queryid IS NOT NULL OR hidden > 0
   ORDER BY queryid IS NULL DESC, total_ms DESC`;

export const statementsRead: Read<Statements, PostgresRequest> = extensionRead({
  id: 'postgres.statements',
  extension: 'pg_stat_statements',
  timeoutMs: 1000,
  maxRows: MOST_STATEMENTS,
  variants: [
    { from: '1.11', sql: sql('stats_since', ' WHERE toplevel') },
    { from: '1.9', sql: sql('NULL::timestamptz', ' WHERE toplevel') },
    { from: '1.8', sql: sql('NULL::timestamptz', '') },
  ],
  row: rowSchema.extend({ key: z.string().nullable() }),
  valueOf: (rows, truncated) => {
    const [first] = rows;
    if (first !== undefined && first.hidden > 0) return hiddenStatements(first.hidden, first.role);
    return {
      byKey: new Map(
        rows.map(({ key, calls, total_ms, max_ms, rows: returned, since_ms }) => [
          key ?? '',
          {
            key: key ?? '',
            calls,
            totalMs: total_ms,
            maxMs: max_ms,
            rows: returned,
            ...(since_ms !== null && { since: new Date(since_ms) }),
          },
        ]),
      ),
      totalMs: first?.all_ms ?? 0,
      truncated,
    };
  },
});

export function hiddenStatements(hidden: number, role: string): BlindSpot {
  return {
    ...redacted(hidden, role),
    detail: `the statements of other roles (${hidden} of them) are hidden from ${role}`,
  };
}
