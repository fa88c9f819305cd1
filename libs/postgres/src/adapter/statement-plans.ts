import type { Limit } from '@starr/kernel';
import type { Client } from 'pg';
import type {
  StatementPlan,
  StatementPlansAnswer,
  StatementPlansRequest,
} from '../postgres-request.ts';
import { placeOf } from './extension-rows.ts';
import {
  explainMessage,
  LOCKED_OR_LATE,
  PLAN_WITHIN_MS,
  PREPARED,
  prepareMessage,
  reasonOf,
} from './generic-plan.ts';
import { withIndexTrials } from './index-trials.ts';
import { stateOf } from './pg-error.ts';
import { opening, rowsFrom } from './rows-from.ts';

/** After so many of them the others are not tried: nobody else may be held up by what is locked tonight. */
const MOST_LOCKED = 2;

/**
 * Plans without executing, one read-only transaction a statement, so that one that cannot be planned takes nothing with it.
 * The texts come from pg_stat_statements: constants are placeholders there, and a text that could hold two statements is not sent.
 */
export async function statementPlansFrom(
  client: Client,
  { sql }: StatementPlansRequest,
  limit: Limit,
): Promise<StatementPlansAnswer> {
  const startedAt = performance.now();
  const { version, schema } = await placeOf(client, 'pg_stat_statements', limit);
  if (version === undefined) return { plans: [] };
  const { rows } = await rowsFrom(client, sql.replaceAll('{schema}', schema), limit);
  const plans: StatementPlan[] = [];
  const isOver = () =>
    limit.timeoutMs - (performance.now() - startedAt) < PLAN_WITHIN_MS ||
    plans.filter(isHeldUp).length >= MOST_LOCKED;
  for (const row of rows) {
    const [id, query] = [String(row['id']), String(row['query'])];
    plans.push(
      isOver()
        ? { id, query, whyNot: 'no time was left for its plan', state: '' }
        : await planOf(client, id, query, limit),
    );
  }
  return { version, plans: await withIndexTrials(client, plans, isOver, limit) };
}

function isHeldUp(plan: StatementPlan): boolean {
  return 'state' in plan && LOCKED_OR_LATE.has(plan.state);
}

async function planOf(
  client: Client,
  id: string,
  query: string,
  limit: Limit,
): Promise<StatementPlan> {
  if (!isPlannable(query)) {
    return { id, query, whyNot: 'it is not one plain statement', state: '0A000' };
  }
  limit.spend('queries', 1);
  try {
    await client.query([...opening(PLAN_WITHIN_MS), `SAVEPOINT ${PREPARED}`].join(';\n'));
    return { id, query, plan: await preparedPlan(client, query) };
  } catch (thrown) {
    const state = stateOf(thrown) ?? '';
    return { id, query, whyNot: reasonOf(state), state };
  }
}

/**
 * Back to the savepoint and committed when it fails: a transaction of ours that is rolled back would count among those of
 * the application (db.rollbacks).
 */
async function preparedPlan(client: Client, query: string): Promise<unknown> {
  const end = (...before: string[]) => client.query([...before, 'COMMIT'].join(';\n'));
  const back = `ROLLBACK TO SAVEPOINT ${PREPARED}`;
  const drop = `DEALLOCATE ${PREPARED}`;
  try {
    await client.query(prepareMessage(query));
  } catch (thrown) {
    await end(back).catch(() => undefined);
    throw thrown;
  }
  try {
    const { rows } = await client.query<Record<string, unknown>>(explainMessage(query));
    await end(drop);
    return rows[0]?.['QUERY PLAN'];
  } catch (thrown) {
    // What was prepared outlives its transaction.
    await end(back, drop).catch(() => undefined);
    throw thrown;
  }
}

/** A semicolon could part two statements; one that is cut cannot be planned. */
function isPlannable(query: string): boolean {
  return /^\s*(select|with|update|delete)\b/i.test(query) && !query.includes(';');
}
