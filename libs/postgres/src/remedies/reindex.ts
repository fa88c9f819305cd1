import { defineRemedy, type Effect, type Entity, type Plan, type PlanRefused } from '@starr/kernel';
import { z } from 'zod';
import type { ReindexAct } from '../acts/maintenance.ts';
import { bytesText } from '../diagnostics/bytes-text.ts';
import { serverEntity, tableEntity } from '../entities.ts';
import { maintenanceByHand } from '../maintenance-sql.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { indexesRead, type IndexInfo, type Indexes } from '../reads/indexes.ts';
import { maintainableRead, type MaintainableTable } from '../reads/maintainable.ts';
import { openTransactionsRead } from '../reads/open-transactions.ts';
import { whoHoldsUp } from '../who-holds-up.ts';
import { findIndex } from './find-index.ts';
import {
  findTable,
  lackToOwn,
  lockTimeoutParam,
  nameParam,
  schemaParam,
  underWay,
} from './maintenance-target.ts';

const paramsSchema = z.strictObject({
  /** Of the index, which is that of its table. Default public. */
  schema: schemaParam,
  index: nameParam,
  lockTimeoutMs: lockTimeoutParam,
});

/** Irreversible, and nothing is lost: the same index, built anew. */
export const reindex = defineRemedy({
  id: 'db.reindex',
  title: 'Build an index anew',
  explains:
    'Builds an index anew under its name, concurrently: an invalid one becomes valid, a bloated one small. Readers and writers go on; it takes the room of a second index while it lasts. ' +
    'It waits for transactions that are open before it, so it is refused while one that would hold it up has been open for 5 s, with its pid. What a failed build leaves is dropped again. ' +
    'Needs the ownership of the table: MAINTAIN would do for the build, and not to drop what a failed one leaves.',
  params: paramsSchema,
  reads: { indexes: indexesRead, maintainable: maintainableRead, open: openTransactionsRead },
  plan: (
    { schema, index: name, lockTimeoutMs },
    { indexes, maintainable, open },
    look,
  ): Plan<PostgresAct> | PlanRefused => {
    const index = findIndex(indexes, schema, name);
    if ('refused' in index) return index;
    const table = findTable(maintainable, schema, index.table);
    if ('refused' in table) return table;
    // MAINTAIN would do for the build, and not to drop what a failed one leaves.
    const refused =
      whyNot(index, table) ?? lackToOwn(table, look, false) ?? whoHoldsUp(open, table.oid);
    if (refused !== undefined) return { refused };
    const act: ReindexAct = { kind: 'reindex', schema, name, oid: index.oid, lockTimeoutMs };
    return {
      operations: [
        {
          act,
          says: `build ${index.isValid ? '' : 'the invalid '}index ${schema}.${name} on ${index.table}(${index.columns.join(', ')}) anew in database ${indexes.database}`,
          byHand: maintenanceByHand(act),
          reversible: false,
          onRefused: 'stop',
          onFailed: 'stop',
          isLong: true,
        },
      ],
      effect: effectOf(index, indexes, serverEntity(look.target)),
      touches: [
        {
          name: 'indexBytes',
          about: tableEntity(look.target, schema, index.table),
          value: index.sizeBytes,
        },
      ],
      warnings: [
        `it takes about ${bytesText(index.sizeBytes)} more disk until it is done, and reads the table twice`,
      ],
    };
  },
});

function whyNot(index: IndexInfo, table: MaintainableTable): string | undefined {
  const name = `${index.schema}.${index.name}`;
  if (index.isBuilding) return `${name} is being built at this moment`;
  if (/_cc(new|old)\d*$/.test(index.name) && !index.isValid)
    return `${name} is what a failed rebuild left: db.drop-invalid-index takes it away`;
  return underWay(table);
}

/** No invalid index beyond those that there are beside it. */
function effectOf(index: IndexInfo, { indexes }: Indexes, about: Entity): Effect {
  const others = indexes.filter(
    ({ oid, isValid, isBuilding }) => oid !== index.oid && !isValid && !isBuilding,
  );
  return {
    diagnostic: 'db.invalid-indexes',
    about,
    measurement: 'invalidIndexes',
    below: others.length + 1,
    settleMs: 1000,
    holdMs: 5000,
    withinMs: 60_000,
    onMiss: 'ask',
  };
}
