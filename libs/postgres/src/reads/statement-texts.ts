import { maskSql, type Read, type Relation } from '@starr/kernel';
import { z } from 'zod';
import { databaseEntity, statementEntity } from '../entities.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { extensionRead } from './extension-read.ts';
import { hiddenStatements } from './statements.ts';

const MOST_TEXTS = 500;
const TEXT_CHARACTERS = 300;
/** Relations of more than so many would weigh more than they tell. */
const MOST_RELATED = 50;

/** Who ran a statement, where, and what it says without its literals. */
export interface StatementText {
  readonly queryId: string;
  readonly database: string;
  readonly role: string;
  /** Masked once more: pg_stat_statements leaves the literals of utility statements in. */
  readonly text: string;
}

/** database/queryid → text, of the statements that have cost most. */
export type StatementTexts = ReadonlyMap<string, StatementText>;

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.boolean(),
  key: z.string().nullable(),
  query_id: z.string().nullable(),
  database: z.string().nullable(),
  role: z.string().nullable(),
  query: z.string().nullable(),
});

export const statementTextsRead: Read<StatementTexts, PostgresRequest> = extensionRead({
  id: 'postgres.statement-texts',
  extension: 'pg_stat_statements',
  timeoutMs: 1000,
  maxRows: MOST_TEXTS,
  variants: [
    {
      from: '1.8',
      sql: `
  SELECT quote_ident(current_user) AS our_role, s.queryid IS NULL AS hidden, s.dbid || '/' || s.queryid AS key, s.queryid::text AS query_id,
         d.datname AS database, r.rolname AS role, left(s.query, ${TEXT_CHARACTERS * 4}) AS query
    FROM {schema}.pg_stat_statements(true) s LEFT JOIN pg_database d ON d.oid = s.dbid LEFT JOIN pg_roles r ON r.oid = s.userid
   ORDER BY s.queryid IS NULL DESC, s.total_exec_time DESC`,
    },
  ],
  row: rowSchema,
  valueOf: (rows) => {
    const hidden = rows.filter((row) => row.hidden);
    if (hidden[0] !== undefined) return hiddenStatements(hidden.length, hidden[0].our_role);
    const texts = new Map<string, StatementText>();
    for (const { key, query_id, database, role, query } of rows) {
      if (key === null || query_id === null || texts.has(key)) continue;
      texts.set(key, {
        queryId: query_id,
        database: database ?? '',
        role: role ?? '',
        text: maskSql(query ?? '').slice(0, TEXT_CHARACTERS),
      });
    }
    return texts;
  },
  relate: (texts, { target }) =>
    [...texts.values()]
      .slice(0, MOST_RELATED)
      .flatMap(({ queryId, database, role }): Relation[] => {
        const statement = statementEntity(target, queryId);
        return [
          { from: statement, is: 'in', to: databaseEntity(target, database) },
          { from: { kind: 'role', name: role, scope: target }, is: 'runs', to: statement },
        ];
      }),
});
