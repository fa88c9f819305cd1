import { maskText, type Json, type Outcome } from '@starr/kernel';
import type { Client } from 'pg';
import type {
  CreateIndexAct,
  MaintenanceAct,
  ReindexAct,
  TableUpkeepAct,
} from '../acts/maintenance.ts';
import { commentSql, dropIndexSql, indexComment } from '../maintenance-sql.ts';
import { quoteQualified } from '../quote-identifier.ts';
import { failed } from './failed.ts';
import { textOf } from './pg-error.ts';
import { indexesNow, indexNow, type NamedIndexNow } from './maintenance-guard.ts';

/** Statistics of what was just done reach the views a moment later on 14 and older. */
const SHOWN_WITHIN_MS = 3000;
const POLL_MS = 50;

/** What the server shows after the statement said that it succeeded. */
export async function endOfSuccess(
  client: Client,
  act: MaintenanceAct,
  operationId: string,
  warnings: readonly string[],
): Promise<Outcome> {
  switch (act.kind) {
    case 'analyze-table':
    case 'vacuum-table':
      return endOfUpkeep(client, act, warnings);
    case 'create-index': {
      const now = await indexNow(client, act.schema, act.name);
      if (now?.isValid !== true)
        return failedWith(`the server reported success, and index ${act.name} is not valid`);
      const comment = await client.query(commentSql(act, operationId)).then(
        () => indexComment(operationId),
        () => null, // the index is what was wanted; without its mark it is not undone by us
      );
      return applied({ index: null }, { index: act.name, oid: now.oid, comment });
    }
    case 'drop-index':
      return applied({ index: act.name, oid: act.oid }, { index: null });
    case 'reindex': {
      const now = await indexNow(client, act.schema, act.name);
      return now?.isValid === true
        ? applied({ oid: act.oid }, { oid: now.oid, valid: true })
        : failedWith(`the server reported success, and index ${act.name} is not valid`);
    }
  }
}

/** ANALYZE and VACUUM of a table that the role may not touch "succeed" with a warning and do nothing. */
async function endOfUpkeep(
  client: Client,
  act: TableUpkeepAct,
  warnings: readonly string[],
): Promise<Outcome> {
  const giveUpAtMs = performance.now() + (warnings.length > 0 ? 0 : SHOWN_WITHIN_MS);
  for (;;) {
    const at = await lastUpkeep(client, act);
    if (at !== undefined && at > act.since) return applied({ at: null }, { at });
    if (performance.now() > giveUpAtMs) break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return failedWith(
    warnings.length > 0
      ? `the server skipped the table: ${warnings.join('; ')}`
      : `the server reported success, and does not show it for ${act.schema}.${act.table}`,
  );
}

/** When this was last done by hand, RFC 3339 with microseconds. Absent: never since the statistics began. */
export async function lastUpkeep(client: Client, act: TableUpkeepAct): Promise<string | undefined> {
  const last = act.kind === 'analyze-table' ? 'last_analyze' : 'last_vacuum';
  const { rows } = await client.query<{ at: string | null }>(
    `SELECT to_char(s.${last} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
       FROM pg_catalog.pg_stat_all_tables s WHERE s.relid = $1::oid`,
    [act.oid],
  );
  return rows[0]?.at ?? undefined;
}

/** What a failed build leaves behind: invalid, and paid for by every write. */
export interface Leftover {
  readonly name: string;
  readonly oid: string;
  /** Why it could not be dropped. */
  readonly why?: string;
}

/** Ours alone: by the oid that the server showed while we built, or by a name that was not there before us. */
export async function leftoversOf(
  client: Client,
  act: CreateIndexAct | ReindexAct,
  before: readonly string[],
): Promise<readonly Leftover[]> {
  const names = act.kind === 'create-index' ? [act.name] : newNamesOf(act.name);
  const now = await indexesNow(client, act.schema, names);
  return now.filter((index) => isOurs(index, before)).map(({ name, oid }) => ({ name, oid }));
}

function isOurs(index: NamedIndexNow, before: readonly string[]): boolean {
  return !index.isValid && !index.isBuilding && !before.includes(index.oid);
}

/** How REINDEX CONCURRENTLY calls what it builds, and the old one between the swap and its end; a name is cut to fit. */
export function newNamesOf(name: string): string[] {
  const kept = cutTo(name, 63 - '_ccnew'.length);
  return ['_ccnew', '_ccold'].flatMap((suffix) =>
    ['', '1', '2', '3'].map(
      (more) => `${cutTo(kept, 63 - suffix.length - more.length)}${suffix}${more}`,
    ),
  );
}

function cutTo(text: string, bytes: number): string {
  let cut = text;
  while (Buffer.byteLength(cut) > bytes) cut = cut.slice(0, -1);
  return cut;
}

/** Drops them, each on its own. Those that could not be dropped within the time come back. */
export async function dropLeftovers(
  client: Client,
  act: CreateIndexAct | ReindexAct,
  leftovers: readonly Leftover[],
  waitMs: number,
): Promise<readonly Leftover[]> {
  const left: Leftover[] = [];
  // It waits for those who use the table, and nobody waits for it: it may take longer than the build was to wait.
  await client.query(`SELECT pg_catalog.set_config('lock_timeout', $1, false)`, [String(waitMs)]);
  for (const leftover of leftovers) {
    try {
      const now = await indexNow(client, act.schema, leftover.name);
      if (now?.oid !== leftover.oid || now.isValid) continue;
      await client.query(dropIndexSql(act.schema, leftover.name));
    } catch (thrown) {
      left.push({ ...leftover, why: maskText(textOf(thrown)) });
    }
  }
  return left;
}

/** How a failed build ended: clean, or with something left that must be dropped. */
export function endOfFailure(
  act: MaintenanceAct,
  why: string,
  left: readonly Leftover[],
  dropped: readonly Leftover[],
): Outcome {
  if (left.length > 0) {
    const names = left.map(({ name }) => quoteQualified(act.schema, name)).join(', ');
    return {
      kind: 'outcome',
      outcome: 'partial',
      says: `${why}; it left ${names} INVALID, which every write pays for and which could not be dropped (${left[0]?.why ?? ''}): DROP INDEX CONCURRENTLY ${names}`,
      before: { index: null },
      after: { invalid: left.map(({ name, oid }) => ({ name, oid })) },
    };
  }
  const cleaned =
    dropped.length > 0
      ? `; the invalid index that it left, ${dropped.map(({ name }) => name).join(', ')}, is dropped again`
      : '';
  return failed(`${why}${cleaned}`);
}

function applied(before: Json, after: Json): Outcome {
  return { kind: 'outcome', outcome: 'applied', before, after };
}

function failedWith(says: string): Outcome {
  return failed(`nothing was done: ${says}`);
}
