import type { Limit, Probed } from '@starr/kernel';
import type { Client } from 'pg';
import type { MaintenanceAct, ReindexAct, TableUpkeepAct } from '../acts/maintenance.ts';
import { indexComment, stampOf } from '../maintenance-sql.ts';
import { quoteQualified } from '../quote-identifier.ts';
import type { HeldSession } from './held-session.ts';
import { lastUpkeep, newNamesOf } from './maintenance-end.ts';
import { indexesNow, indexNow } from './maintenance-guard.ts';
import { progressOf } from './maintenance-progress.ts';

const SHOWN_WITHIN_MS = 1200;
const POLL_MS = 200;

/** A build goes on at the server when we die: while a session still is at it, it is running; after it the catalog tells. */
export async function probeMaintenance(
  act: MaintenanceAct,
  operationId: string,
  session: HeldSession,
  limit: Limit,
): Promise<Probed> {
  limit.spend('queries', 3);
  return session.use(limit, async (client) => {
    const pid = await atIt(client, operationId);
    if (pid === undefined) return endByCatalog(client, act, operationId);
    const progress = await progressOf(client, act, pid);
    return { state: 'running', says: progress?.says ?? `pid ${pid} is at it` };
  });
}

/** The session that carries this operation out; its statement begins with the stamp. */
async function atIt(client: Client, operationId: string): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>(
    `SELECT pid FROM pg_catalog.pg_stat_activity
      WHERE pid <> pg_catalog.pg_backend_pid() AND state = 'active' AND pg_catalog.starts_with(query, $1) LIMIT 1`,
    [stampOf(operationId)],
  );
  return rows[0]?.pid;
}

async function endByCatalog(
  client: Client,
  act: MaintenanceAct,
  operationId: string,
): Promise<Probed> {
  switch (act.kind) {
    case 'analyze-table':
    case 'vacuum-table': {
      const at = await shownUpkeep(client, act);
      return at !== undefined && at > act.since
        ? { state: 'applied', before: { at: null }, after: { at } }
        : { state: 'not-applied', says: `${act.schema}.${act.table}: not since the plan was made` };
    }
    case 'create-index': {
      const now = await indexNow(client, act.schema, act.name);
      if (now === undefined) return { state: 'not-applied', says: `there is no index ${act.name}` };
      if (!now.isValid) return invalid(act.schema, [act.name]);
      const isOurs = now.comment === indexComment(operationId);
      return {
        state: 'applied',
        before: { index: null },
        after: {
          index: act.name,
          oid: now.oid,
          ...(isOurs
            ? { comment: indexComment(operationId) }
            : { note: 'it is there and valid; who built it cannot be told' }),
        },
      };
    }
    case 'drop-index': {
      const now = await indexNow(client, act.schema, act.name);
      return now?.oid === act.oid
        ? { state: 'not-applied', says: `index ${act.name} is still there` }
        : { state: 'applied', before: { index: act.name, oid: act.oid }, after: { index: null } };
    }
    case 'reindex':
      return endOfReindex(client, act);
  }
}

/** On 14 and older the statistics of what has just ended come half a second later: "not applied" is for good, so it waits for them. */
async function shownUpkeep(client: Client, act: TableUpkeepAct): Promise<string | undefined> {
  const giveUpAtMs = performance.now() + SHOWN_WITHIN_MS;
  for (;;) {
    const at = await lastUpkeep(client, act);
    if ((at !== undefined && at > act.since) || performance.now() > giveUpAtMs) return at;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Rebuilt concurrently, an index has another oid under the old name. */
async function endOfReindex(client: Client, act: ReindexAct): Promise<Probed> {
  const [now, left] = [
    await indexNow(client, act.schema, act.name),
    await indexesNow(client, act.schema, newNamesOf(act.name)),
  ];
  const invalidOnes = left.filter(({ isValid }) => !isValid).map(({ name }) => name);
  if (invalidOnes.length > 0) return invalid(act.schema, invalidOnes);
  if (now?.oid === act.oid)
    return { state: 'not-applied', says: `index ${act.name} is the old one` };
  if (now?.isValid === true)
    return { state: 'applied', before: { oid: act.oid }, after: { oid: now.oid, valid: true } };
  return {
    state: 'indeterminate',
    says: `index ${act.name} is ${now === undefined ? 'gone' : 'invalid'}`,
  };
}

/** Nobody builds it any more, and it is not to be used: a part of the act took place, which only a drop takes back. */
function invalid(schema: string, names: readonly string[]): Probed {
  const quoted = names.map((name) => quoteQualified(schema, name));
  return {
    state: 'indeterminate',
    says: `the build ended in the middle and left ${quoted.join(', ')} INVALID, which every write pays for: DROP INDEX CONCURRENTLY ${quoted.join(', ')} (db.drop-invalid-index)`,
  };
}
