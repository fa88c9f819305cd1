import type { Limit } from '@starr/kernel';
import type { Client, QueryResult } from 'pg';
import type { RowsAnswer } from '../postgres-request.ts';

/** A look that would wait for a lock longer than this gives up: it must never queue behind the patient's trouble. */
const LOCK_TIMEOUT_MS = 100;
const BEFORE_THE_LOOK = 'starr_look';
/** If our process is stopped in the middle of a look, the server ends its transaction. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 5000;

/**
 * One message, one round trip, one read-only transaction. The simple protocol, so that a pooler in transaction mode
 * can stand in between; timeouts by SET LOCAL, so that they die with the transaction.
 * A failing look leaves the session as it was for the next one, and no trace in the counters of the application.
 */
export async function rowsFrom(client: Client, sql: string, limit: Limit): Promise<RowsAnswer> {
  limit.spend('queries', 1);
  const results = await asOneMessage(client, messageFrom(sql, limit));
  const [cost, look] = [results.at(-2), results.at(-3)];
  limit.spend('serverMs', Number(cost?.rows[0]?.['server_ms'] ?? 0));
  const rows = look?.rows ?? [];
  return { rows: rows.slice(0, limit.maxRows), truncated: rows.length > limit.maxRows };
}

function messageFrom(sql: string, limit: Limit): string {
  return [
    ...opening(limit.timeoutMs),
    // Nothing that the patient's schemas define is ever called by name.
    'SET LOCAL search_path = pg_catalog',
    `SAVEPOINT ${BEFORE_THE_LOOK}`,
    `SELECT * FROM (${sql}) AS look LIMIT ${limit.maxRows + 1}`,
    'SELECT (extract(epoch FROM clock_timestamp()) - extract(epoch FROM transaction_timestamp()))::float8 * 1000 AS server_ms',
    'COMMIT',
  ].join(';\n');
}

/**
 * Several statements as one message. When one fails it is back to the savepoint and committed: a transaction of ours that
 * is rolled back would count among those of the application (db.rollbacks).
 */
async function asOneMessage(
  client: Client,
  message: string,
): Promise<readonly QueryResult<Record<string, unknown>>[]> {
  try {
    // Several statements answer with one result each; the types of pg know only one.
    return (await client.query(message)) as unknown as readonly QueryResult<
      Record<string, unknown>
    >[];
  } catch (thrown) {
    await client
      .query(`ROLLBACK TO SAVEPOINT ${BEFORE_THE_LOOK};\nCOMMIT`)
      // It failed before the savepoint: there is nothing else to go back to.
      .catch(() => client.query('ROLLBACK'))
      .catch(() => undefined);
    throw thrown;
  }
}

/** What every look begins with. */
export function opening(timeoutMs: number): string[] {
  return [
    'BEGIN TRANSACTION READ ONLY',
    // 0 would mean for ever.
    `SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(timeoutMs))}`,
    `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_TIMEOUT_MS}`,
  ];
}
