import {
  defineRemedy,
  isBlindSpot,
  optional,
  windowed,
  type Pair,
  type Plan,
  type PlanRefused,
} from '@starr/kernel';
import { z } from 'zod';
import type { CreateIndexAct } from '../acts/maintenance.ts';
import { bytesText } from '../diagnostics/bytes-text.ts';
import { tableEntity } from '../entities.ts';
import { keySql, maintenanceByHand } from '../maintenance-sql.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { indexesRead } from '../reads/indexes.ts';
import { maintainableRead, type MaintainableTable } from '../reads/maintainable.ts';
import { openTransactionsRead } from '../reads/open-transactions.ts';
import { statementsRead } from '../reads/statements.ts';
import { tablesRead, type Tables } from '../reads/tables.ts';
import { whoHoldsUp } from '../who-holds-up.ts';
import { dropAgain } from './drop-again.ts';
import { indexEffect, spentOn, timeBefore } from './index-effect.ts';
import { indexName, parseKeys, standsInTheWay } from './index-plan.ts';
import {
  findTable,
  lackToOwn,
  lockTimeoutParam,
  nameParam,
  schemaParam,
  underWay,
} from './maintenance-target.ts';

/** An index entry: its head, its place in the page, and 8 bytes a column, nine tenths of a page full. */
const ENTRY_BYTES = 16;
const COLUMN_BYTES = 8;
const FILL = 0.9;

const paramsSchema = z.strictObject({
  /** Default public. */
  schema: schemaParam,
  table: nameParam,
  /** Names separated by commas, in this order; each may be followed by `desc`. */
  columns: z.string().min(1).max(1024),
  /** Absent: made of table and columns. */
  name: nameParam.optional(),
  /** The statement that it is for, by queryid: its mean time is then the effect. */
  queryId: z.string().max(20).optional(),
  lockTimeoutMs: lockTimeoutParam,
});

export const createIndex = defineRemedy({
  id: 'db.create-index',
  title: 'Create an index',
  explains:
    'Builds a B-tree index concurrently, so that readers and writers go on, on a session of its own: it may take hours, and goes on at the server when the doctor dies. ' +
    'It has to wait for every transaction that wrote the table or holds a snapshot; it is refused, with their pids, while one has been open for 5 s, and gives up a wait after lockTimeoutMs. ' +
    'A failed build leaves an invalid index, which is dropped again; ours alone. The index carries the operation in its comment, and undo drops it by that. Needs the ownership of the table and CREATE on its schema.',
  params: paramsSchema,
  reads: {
    maintainable: maintainableRead,
    indexes: indexesRead,
    open: openTransactionsRead,
    tables: windowed(tablesRead),
    statements: optional(windowed(statementsRead)),
  },
  plan: (
    params,
    { maintainable, indexes, open, tables, statements },
    look,
  ): Plan<PostgresAct> | PlanRefused => {
    const table = findTable(maintainable, params.schema, params.table);
    if ('refused' in table) return table;
    const keys = parseKeys(params.columns, table);
    if ('refused' in keys) return keys;
    const taken = new Set([
      ...indexes.indexes.filter(({ schema }) => schema === table.schema).map(({ name }) => name),
      ...maintainable.tables
        .filter(({ schema }) => schema === table.schema)
        .map(({ name }) => name),
    ]);
    const refused =
      whyNot(table, params.name, taken) ??
      standsInTheWay(indexes.indexes, table, keys) ??
      lackToOwn(table, look, true) ??
      whoHoldsUp(open, table.oid);
    if (refused !== undefined) return { refused };
    const act: CreateIndexAct = {
      kind: 'create-index',
      schema: table.schema,
      table: table.name,
      oid: table.oid,
      name: params.name ?? indexName(table.name, keys, taken),
      keys,
      lockTimeoutMs: params.lockTimeoutMs,
    };
    const sizeBytes = Math.round((table.rows * (ENTRY_BYTES + COLUMN_BYTES * keys.length)) / FILL);
    const spent = isBlindSpot(statements) ? undefined : spentOn(statements, params.queryId, look);
    return {
      operations: [
        {
          act,
          says: `build index ${act.name} on ${table.schema}.${table.name} (${keys.map(keySql).join(', ')}) in database ${maintainable.database}, concurrently; table of ${bytesText(table.sizeBytes)}, about ${Math.round(table.rows)} rows`,
          byHand: maintenanceByHand(act),
          reversible: true,
          onRefused: 'stop',
          onFailed: 'stop',
          isLong: true,
        },
      ],
      effect: indexEffect(table, tables, spent, look),
      touches: [
        {
          name: 'indexBytes',
          about: tableEntity(look.target, table.schema, table.name),
          value: sizeBytes,
        },
        ...timeBefore(spent, look),
      ],
      warnings: warningsOf(table, tables, sizeBytes),
    };
  },
  undo: ([receipt], { maintainable, indexes }, look) =>
    dropAgain(receipt, maintainable, indexes, look),
});

function whyNot(
  table: MaintainableTable,
  name: string | undefined,
  taken: ReadonlySet<string>,
): string | undefined {
  const full = `${table.schema}.${table.name}`;
  if (table.isPartitioned)
    return `${full} is partitioned, and no index of it can be built concurrently: build one on each partition, then one on the parent with ON ONLY, and attach them`;
  if (name !== undefined && taken.has(name)) return `${table.schema}.${name} is there already`;
  return underWay(table);
}

function warningsOf(
  table: MaintainableTable,
  { after }: Pair<Tables>,
  sizeBytes: number,
): string[] {
  const stats = after.tables.find(({ oid }) => oid === table.oid);
  const writes = stats === undefined ? 0 : stats.inserted + stats.updated + stats.deleted;
  return [
    `it will take about ${bytesText(sizeBytes)} of disk; that there is room is not checked`,
    `every write of ${table.schema}.${table.name} pays for it from then on: ${Math.round(writes)} rows written so far, ${Math.round(stats?.seqRows ?? 0)} read by sequential scans`,
    'the build reads the table twice: more I/O while it lasts',
  ];
}
