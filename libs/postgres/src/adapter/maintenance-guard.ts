import type { Client } from 'pg';
import type { CreateIndexAct, DropIndexAct, MaintenanceAct } from '../acts/maintenance.ts';
import { OPEN_TRANSACTIONS } from '../reads/open-transactions.ts';
import { OLD_TRANSACTION_MS, whoHoldsUp } from '../who-holds-up.ts';

/** An index of this name as it stands now. */
export interface IndexNow {
  readonly oid: string;
  readonly isValid: boolean;
  readonly comment: string | undefined;
  /** A constraint or replica identity stands on it, or it belongs to a partitioned one. */
  readonly isNeeded: boolean;
  readonly isBuilding: boolean;
}

/** Why the act may not begin now, by what the server shows at this moment; undefined: nothing speaks against it. */
export async function whyNotNow(client: Client, act: MaintenanceAct): Promise<string | undefined> {
  switch (act.kind) {
    case 'analyze-table':
    case 'vacuum-table':
      return tableChanged(client, act.schema, act.table, act.oid);
    case 'create-index':
      return whyNotCreate(client, act);
    case 'drop-index':
      return whyNotDrop(client, act);
    case 'reindex': {
      const now = await indexNow(client, act.schema, act.name);
      if (now?.oid !== act.oid) return `index ${act.name} is not the one of the plan any more`;
      return now.isBuilding ? `index ${act.name} is being built at this moment` : undefined;
    }
  }
}

async function whyNotCreate(client: Client, act: CreateIndexAct): Promise<string | undefined> {
  const changed = await tableChanged(client, act.schema, act.table, act.oid);
  if (changed !== undefined) return changed;
  const { rows: taken } = await client.query(
    `SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
    [act.schema, act.name],
  );
  if (taken.length > 0) return `${act.schema}.${act.name} is there already`;
  const { rows } = await client.query<{
    pid: number;
    application: string;
    open_ms: number;
    snapshot: boolean;
    writes: string[];
  }>(
    `SELECT pid, application, open_ms, snapshot, writes FROM (${OPEN_TRANSACTIONS}) o WHERE NOT hidden AND open_ms >= ${OLD_TRANSACTION_MS}`,
  );
  return whoHoldsUp(
    rows.map((row) => ({
      pid: row.pid,
      application: row.application,
      openMs: row.open_ms,
      hasSnapshot: row.snapshot,
      writes: row.writes,
    })),
    act.oid,
  );
}

async function whyNotDrop(client: Client, act: DropIndexAct): Promise<string | undefined> {
  const now = await indexNow(client, act.schema, act.name);
  if (now?.oid !== act.oid) return `index ${act.name} is not the one of the plan any more`;
  if (now.isBuilding) return `index ${act.name} is being built at this moment`;
  if (now.isNeeded) return `a constraint or replica identity stands on index ${act.name}`;
  if (act.onlyIf === 'invalid')
    return now.isValid ? `index ${act.name} is valid by now` : undefined;
  return now.comment === act.onlyIf.comment
    ? undefined
    : `index ${act.name} does not carry the comment "${act.onlyIf.comment}" any more`;
}

async function tableChanged(
  client: Client,
  schema: string,
  table: string,
  oid: string,
): Promise<string | undefined> {
  const { rows } = await client.query<{ oid: string }>(
    `SELECT c.oid::text AS oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'm')`,
    [schema, table],
  );
  return rows[0]?.oid === oid
    ? undefined
    : `table ${schema}.${table} is not the one of the plan any more`;
}

export async function indexNow(
  client: Client,
  schema: string,
  name: string,
): Promise<IndexNow | undefined> {
  const [found] = await indexesNow(client, schema, [name]);
  return found;
}

export interface NamedIndexNow extends IndexNow {
  readonly name: string;
}

/** Those that are there, by name. Waits for no lock: comments are read by oid. */
export async function indexesNow(
  client: Client,
  schema: string,
  names: readonly string[],
): Promise<readonly NamedIndexNow[]> {
  const { rows } = await client.query<{
    name: string;
    oid: string;
    valid: boolean;
    comment: string | null;
    needed: boolean;
    building: boolean;
  }>(
    `SELECT c.relname::text AS name, c.oid::text AS oid, i.indisvalid AS valid, pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
            c.relkind <> 'i' OR c.relispartition OR i.indisprimary OR i.indisexclusion OR i.indisreplident
              OR EXISTS (SELECT FROM pg_catalog.pg_constraint o WHERE o.conindid = c.oid) AS needed,
            EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = c.oid) AS building
       FROM pg_catalog.pg_class c
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
      WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])`,
    [schema, names],
  );
  return rows.map((row) => ({
    name: row.name,
    oid: row.oid,
    isValid: row.valid,
    comment: row.comment ?? undefined,
    isNeeded: row.needed,
    isBuilding: row.building,
  }));
}
