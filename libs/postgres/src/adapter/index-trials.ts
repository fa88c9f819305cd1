import type { Limit } from '@starr/kernel';
import type { Client } from 'pg';
import type { IndexTrial, StatementPlan } from '../postgres-request.ts';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../quote-identifier.ts';
import { indexColumns, scansInPlan } from '../reads/plan-scans.ts';
import { discard } from './connect.ts';
import {
  explainMessage,
  LOCKED_OR_LATE,
  PLAN_WITHIN_MS,
  PREPARED,
  prepareMessage,
} from './generic-plan.ts';
import { stateOf } from './pg-error.ts';
import { opening, rowsFrom } from './rows-from.ts';

/** Statements whose indexes are tried: those that took most time come first. */
const MOST_STATEMENTS = 8;
/** Of one statement: it may scan many tables. */
const MOST_OF_A_STATEMENT = 2;

type Wanted = Pick<IndexTrial, 'schema' | 'table' | 'columns'>;

interface Hypopg {
  /** Quoted. */
  readonly schema: string;
  /** Absent: this role may use it. */
  readonly lack?: { readonly whyNot: string; readonly cure: string };
}

/**
 * Plans once more, as if the index that a scan wants were there. HypoPG keeps it in the memory of our session, where
 * nobody else sees it, and it is gone before the transaction ends. Without the extension the plans stay as they are; what
 * fails is said beside its plan and costs nothing else.
 */
export async function withIndexTrials(
  client: Client,
  plans: readonly StatementPlan[],
  isOver: () => boolean,
  limit: Limit,
): Promise<readonly StatementPlan[]> {
  const wanting = plans
    .filter((plan) => 'plan' in plan)
    .map((plan) => ({ ...plan, wanted: wantedBy(plan.plan) }))
    .filter(({ wanted }) => wanted.length > 0)
    .slice(0, MOST_STATEMENTS);
  if (wanting.length === 0) return plans;
  const hypopg = await hypopgOf(client, limit).catch(() => undefined);
  if (hypopg === undefined) return plans;
  const trials = new Map<string, readonly IndexTrial[]>();
  for (const { id, query, wanted } of wanting) {
    const tried: IndexTrial[] = [];
    for (const each of wanted)
      tried.push(await trialOf(client, { hypopg, query, isOver, limit }, each));
    trials.set(id, tried);
  }
  return plans.map((plan) => {
    const tried = trials.get(plan.id);
    return 'plan' in plan && tried !== undefined ? { ...plan, trials: tried } : plan;
  });
}

function wantedBy(plan: unknown): Wanted[] {
  const wanted = scansInPlan(plan).flatMap((scan): Wanted[] => {
    const columns = indexColumns(scan);
    if (scan.schema === undefined || columns.length === 0) return [];
    return [{ schema: scan.schema, table: scan.table, columns }];
  });
  return [...new Map(wanted.map((each) => [JSON.stringify(each), each])).values()].slice(
    0,
    MOST_OF_A_STATEMENT,
  );
}

/** Absent: this database has none. */
async function hypopgOf(client: Client, limit: Limit): Promise<Hypopg | undefined> {
  const { rows } = await rowsFrom(
    client,
    `SELECT quote_ident(n.nspname) AS schema, quote_ident(current_user) AS role,
            has_schema_privilege(n.oid, 'USAGE') AS may_use,
            (SELECT count(*) = 2 FROM pg_proc p
              WHERE p.pronamespace = n.oid AND p.proname IN ('hypopg_create_index', 'hypopg_reset')
                AND has_function_privilege(p.oid, 'EXECUTE')) AS may_call
       FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'hypopg'`,
    limit,
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const [schema, role] = [String(row['schema']), String(row['role'])];
  if (row['may_use'] !== true) {
    const whyNot = `HypoPG lives in the schema ${schema}, which ${role} may not use`;
    return { schema, lack: { whyNot, cure: `GRANT USAGE ON SCHEMA ${schema} TO ${role};` } };
  }
  if (row['may_call'] === true) return { schema };
  const functions = `${schema}.hypopg_create_index(text), ${schema}.hypopg_reset()`;
  const cure = `GRANT EXECUTE ON FUNCTION ${functions} TO ${role};`;
  return { schema, lack: { whyNot: `${role} may not call the functions of HypoPG`, cure } };
}

interface Trial {
  readonly hypopg: Hypopg;
  readonly query: string;
  readonly isOver: () => boolean;
  readonly limit: Limit;
}

async function trialOf(
  client: Client,
  { hypopg, query, isOver, limit }: Trial,
  wanted: Wanted,
): Promise<IndexTrial> {
  if (hypopg.lack !== undefined) return { ...wanted, ...hypopg.lack, state: '42501' };
  if (isOver()) return { ...wanted, whyNot: 'no time was left to ask HypoPG', state: '' };
  limit.spend('queries', 1);
  try {
    await client.query([...opening(PLAN_WITHIN_MS), `SAVEPOINT ${PREPARED}`].join(';\n'));
    return { ...wanted, ...(await planWith(client, hypopg, query, createText(wanted))) };
  } catch (thrown) {
    const state = stateOf(thrown) ?? '';
    const why = LOCKED_OR_LATE.has(state)
      ? 'the table is locked, or it took too long to plan with its index'
      : `HypoPG failed (SQLSTATE ${state === '' ? 'unknown' : state})`;
    return { ...wanted, whyNot: why, state };
  }
}

function createText({ schema, table, columns }: Wanted): string {
  const list = columns.map(quoteIdentifier).join(', ');
  return `CREATE INDEX ON ${quoteQualified(schema, table)} (${list})`;
}

/** Prepared anew: a plan that is kept from before would not know of the index. Committed in any case, as other plans are. */
async function planWith(
  client: Client,
  { schema }: Hypopg,
  query: string,
  create: string,
): Promise<{ readonly index: string; readonly plan: unknown }> {
  const back = `ROLLBACK TO SAVEPOINT ${PREPARED}`;
  let drop: readonly string[] = [];
  try {
    const made = await client.query<{ indexname: string }>(
      `SELECT indexname FROM ${schema}.hypopg_create_index(${quoteLiteral(create)})`,
    );
    await client.query(prepareMessage(query));
    drop = [`DEALLOCATE ${PREPARED}`];
    const { rows } = await client.query<Record<string, unknown>>(explainMessage(query));
    await end(client, schema, drop);
    return { index: made.rows[0]?.indexname ?? '', plan: rows[0]?.['QUERY PLAN'] };
  } catch (thrown) {
    await end(client, schema, [back, ...drop]);
    throw thrown;
  }
}

/** An index that stayed would make our next plans wrong: then rather the session goes. */
async function end(client: Client, schema: string, before: readonly string[]): Promise<void> {
  const message = [...before, `SELECT ${schema}.hypopg_reset()`, 'COMMIT'].join(';\n');
  await client.query(message).catch(() => {
    discard(client);
  });
}
