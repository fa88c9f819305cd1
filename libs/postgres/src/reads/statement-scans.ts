import { blindSpot, maskSql, type Read, type Relation } from '@starr/kernel';
import { z } from 'zod';
import { statementEntity, tableEntity } from '../entities.ts';
import type { IndexTrial, PostgresRequest, StatementPlan } from '../postgres-request.ts';
import { costOfPlan, scansInPlan, usesIndex, type TableScan } from './plan-scans.ts';
import { scanConditions } from './scan-conditions.ts';

const TEXT_CHARACTERS = 300;
/** What is faster is not what a sweep is about. */
const LEAST_MEAN_MS = 5;
const MOST_BY_TIME = 12;
const MOST_BY_MEAN = 8;
const LONGEST_TEXT = 20_000;
/** Where a name without a schema is looked up, unless somebody set search_path. */
const USUAL_SCHEMA = 'public';

/** What is known of how a statement reads: out of its plan, else out of its text. */
export interface StatementScans {
  readonly queryId: string;
  /** Without its literals. */
  readonly text: string;
  readonly evidence: 'generic plan' | 'statement text';
  /** What the planner makes of the indexes that its scans want; empty: nobody could ask it. */
  readonly trials: readonly PlannedIndex[];
  /** Sequential scans with a condition. Of a text, the one table that it reads, in whatever way. */
  readonly scans: readonly TableScan[];
  /** Why there is no plan; absent: there is one. */
  readonly whyNoPlan?: string;
}

/** An index that is not there, and what the planner would make of it, or why that is not known. */
export type PlannedIndex = Pick<IndexTrial, 'schema' | 'table' | 'columns'> &
  (
    | {
        readonly kind: 'planned';
        readonly isUsed: boolean;
        /** Of the whole statement, in the units of the planner. */
        readonly costBefore: number;
        readonly costAfter: number;
      }
    | {
        readonly kind: 'unknown';
        readonly why: 'denied' | 'timeout' | 'unsupported';
        readonly detail: string;
        readonly cure?: string;
      }
  );

const answerSchema = z.object({
  version: z.string().optional(),
  plans: z.array(
    z.object({
      id: z.string(),
      query: z.string(),
      plan: z.unknown().optional(),
      trials: z.array(z.unknown()).optional(),
      whyNot: z.string().optional(),
      state: z.string().optional(),
    }),
  ),
});

const ORDINARY = `s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.queryid IS NOT NULL
       AND s.mean_exec_time >= ${LEAST_MEAN_MS} AND s.query ~* '^\\s*(select|with|update|delete)\\M' AND length(s.query) <= ${LONGEST_TEXT}`;

/** The statements of this database that took most time, and those that take longest: planned, never executed. */
export const statementScansRead: Read<readonly StatementScans[], PostgresRequest> = {
  id: 'postgres.statement-scans',
  timeoutMs: 1500,
  maxRows: MOST_BY_TIME + MOST_BY_MEAN,
  request: () => ({
    kind: 'statement-plans',
    sql: `
    WITH s AS MATERIALIZED (SELECT queryid, dbid, query, calls, total_exec_time, mean_exec_time FROM {schema}.pg_stat_statements(true))
    SELECT id, min(query) AS query
      FROM ((SELECT s.queryid::text AS id, s.query, s.total_exec_time FROM s WHERE ${ORDINARY} ORDER BY s.total_exec_time DESC LIMIT ${MOST_BY_TIME})
            UNION ALL
            (SELECT s.queryid::text, s.query, s.total_exec_time FROM s WHERE ${ORDINARY} AND s.calls >= 20 ORDER BY s.mean_exec_time DESC LIMIT ${MOST_BY_MEAN})) u
     GROUP BY id ORDER BY max(total_exec_time) DESC`,
  }),
  parse: (raw) => {
    const answer = answerSchema.safeParse(raw);
    if (!answer.success) {
      return blindSpot(
        'unsupported',
        'postgres.statement-scans: the adapter answered in another form',
      );
    }
    return answer.data.plans.map((each) => scansOf(each as StatementPlan));
  },
  relate: (statements, { target }) =>
    statements.flatMap(({ queryId, scans }) =>
      scans.map(({ schema = USUAL_SCHEMA, table }): Relation => ({
        from: statementEntity(target, queryId),
        is: 'reads',
        to: tableEntity(target, schema, table),
      })),
    ),
};

function scansOf(statement: StatementPlan): StatementScans {
  const common = {
    queryId: statement.id,
    text: maskSql(statement.query).slice(0, TEXT_CHARACTERS),
  };
  if ('plan' in statement && statement.plan !== undefined) {
    const { plan, trials = [] } = statement;
    return {
      ...common,
      evidence: 'generic plan',
      scans: scansInPlan(plan),
      trials: trials.map((trial) => plannedIndex(trial, costOfPlan(plan))),
    };
  }
  const scan = scanInText(statement.query);
  return {
    ...common,
    evidence: 'statement text',
    scans: scan === undefined ? [] : [scan],
    trials: [],
    whyNoPlan: 'whyNot' in statement ? statement.whyNot : 'the server gave none',
  };
}

/** SQLSTATEs of a wait that was given up; empty: there was no time to begin. */
const LATE = new Set(['55P03', '57014', '']);

function plannedIndex(trial: IndexTrial, costBefore: number | undefined): PlannedIndex {
  const { schema, table, columns } = trial;
  const wanted = { schema, table, columns };
  if ('whyNot' in trial) {
    const { whyNot, state, cure } = trial;
    const why = state === '42501' ? 'denied' : LATE.has(state) ? 'timeout' : 'unsupported';
    return { ...wanted, kind: 'unknown', why, detail: whyNot, ...(cure !== undefined && { cure }) };
  }
  const costAfter = costOfPlan(trial.plan);
  if (costBefore === undefined || costAfter === undefined) {
    return { ...wanted, kind: 'unknown', why: 'unsupported', detail: 'its plan has another form' };
  }
  const isUsed = usesIndex(trial.plan, trial.index);
  return { ...wanted, kind: 'planned', isUsed, costBefore, costAfter };
}

const NAME = String.raw`"(?:[^"]|"")+"|[a-z_][\w$]*`;
const ONE_TABLE = new RegExp(
  String.raw`^\s*(?:select\b.*?\bfrom|delete\s+from|update)\s+(?:only\s+)?(?:(${NAME})\.)?(${NAME})(?:\s+(?:as\s+)?(?!where\b|set\b|join\b|left\b|inner\b|cross\b|using\b)(?:${NAME}))?\s+(?:set\b.*?\s)?where\s+(.*)$`,
  'is',
);

/** The one table of a plain statement and what its WHERE compares; anything more tangled needs a plan. */
export function scanInText(query: string): TableScan | undefined {
  const text = query.replace(/\/\*[\s\S]*?\*\/|--[^\n]*/g, ' ');
  const [, schema, table, rest] = ONE_TABLE.exec(text) ?? [];
  if (table === undefined || rest === undefined) return undefined;
  const where = rest.replace(
    /\b(group\s+by|order\s+by|limit|offset|for\s+(update|share|no|key)|returning|having)\b.*$/is,
    '',
  );
  if (/\b(select|union|join)\b/i.test(text.replace(/^\s*select/i, ''))) return undefined;
  const name = plainName(table);
  return {
    ...(schema !== undefined && { schema: plainName(schema) }),
    table: name,
    ...scanConditions(where),
  };
}

function plainName(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}
