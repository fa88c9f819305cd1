import type { Read, Relation } from '@starr/kernel';
import { z } from 'zod';
import { applicationEntity, backendEntity, statementEntity } from '../entities.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { redacted, rowsRead } from './rows-read.ts';
import { utcText } from './utc-text.ts';

const MOST_RUNS = 500;

/** A session and the statement that it runs, or ran last, with the trace that the statement says it belongs to. */
export interface StatementRun {
  readonly application: string;
  readonly pid: number;
  readonly backendStart: string;
  /** Absent: before 14, or compute_query_id is off. */
  readonly queryId?: string;
  /** Out of a comment as `traceparent='00-…'`, which sqlcommenter writes. */
  readonly trace?: string;
}

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.boolean(),
  application: z.string(),
  pid: z.int(),
  backend_start: z.string().nullable(),
  query_id: z.string().nullable(),
  trace: z.string().nullable(),
});

/** pg_stat_statements knows roles, not applications: what ties a statement to its application is who ran it of late. */
export const statementRunsRead: Read<readonly StatementRun[], PostgresRequest> = rowsRead({
  id: 'postgres.statement-runs',
  timeoutMs: 1000,
  maxRows: MOST_RUNS,
  row: rowSchema,
  sql: (major) => `
    SELECT quote_ident(current_user) AS our_role, backend_type IS NULL AS hidden, application_name AS application, pid,
           ${utcText('backend_start')} AS backend_start, ${major >= 14 ? 'query_id::text' : 'NULL'} AS query_id,
           substring(query FROM 'traceparent=''00-([0-9a-f]{32})-') AS trace
      FROM pg_stat_activity
     WHERE pid <> pg_backend_pid() AND (backend_type = 'client backend' OR backend_type IS NULL AND usesysid IS NOT NULL)
     ORDER BY backend_type IS NULL DESC, query_start DESC NULLS LAST`,
  valueOf: (rows) => {
    const hidden = rows.filter((row) => row.hidden);
    if (hidden[0] !== undefined) return redacted(hidden.length, hidden[0].our_role);
    return rows.map(({ application, pid, backend_start, query_id, trace }) => ({
      application,
      pid,
      backendStart: backend_start ?? '',
      ...(query_id !== null && { queryId: query_id }),
      ...(trace !== null && { trace }),
    }));
  },
  relate: (runs, { target }) => {
    const relations = runs.flatMap((run) => relationsOf(run, target));
    // A pool runs the same statement on all of its sessions.
    return [...new Map(relations.map((each) => [JSON.stringify(each), each])).values()];
  },
});

function relationsOf(
  { application, pid, backendStart, queryId, trace }: StatementRun,
  target: string,
): Relation[] {
  const statement = queryId === undefined ? undefined : statementEntity(target, queryId);
  return [
    ...(statement === undefined
      ? []
      : [{ from: applicationEntity(target, application), is: 'runs', to: statement }]),
    ...(trace === undefined
      ? []
      : [
          {
            from: backendEntity(target, pid, backendStart),
            is: 'in',
            to: { kind: 'trace', name: trace },
          },
          ...(statement === undefined
            ? []
            : [{ from: statement, is: 'in', to: { kind: 'trace', name: trace } }]),
        ]),
  ];
}
