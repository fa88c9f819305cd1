import { defineRemedy, type Plan, type PlanRefused } from '@starr/kernel';
import { z } from 'zod';
import type { DropIndexAct } from '../acts/maintenance.ts';
import { bytesText } from '../diagnostics/bytes-text.ts';
import { serverEntity, tableEntity } from '../entities.ts';
import { maintenanceByHand } from '../maintenance-sql.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { indexesRead, type IndexInfo } from '../reads/indexes.ts';
import { maintainableRead } from '../reads/maintainable.ts';
import { findIndex } from './find-index.ts';
import {
  findTable,
  lackToOwn,
  lockTimeoutParam,
  nameParam,
  schemaParam,
} from './maintenance-target.ts';

const paramsSchema = z.strictObject({
  /** Of the index, which is that of its table. Default public. */
  schema: schemaParam,
  index: nameParam,
  lockTimeoutMs: lockTimeoutParam,
});

/** Irreversible, and nothing is lost: no query can use an invalid index. */
export const dropInvalidIndex = defineRemedy({
  id: 'db.drop-invalid-index',
  title: 'Drop an invalid index',
  explains:
    'Drops an index that a failed concurrent build left behind: no query can use it, and every write pays for it. Concurrently, so that nobody waits. ' +
    'Refused for one that is valid by now or still being built, and for one that a constraint, a replica identity or a partitioned index stands on: that one is repaired by db.reindex.',
  params: paramsSchema,
  reads: { indexes: indexesRead, maintainable: maintainableRead },
  plan: (
    { schema, index: name, lockTimeoutMs },
    { indexes, maintainable },
    look,
  ): Plan<PostgresAct> | PlanRefused => {
    const index = findIndex(indexes, schema, name);
    if ('refused' in index) return index;
    const table = findTable(maintainable, schema, index.table);
    if ('refused' in table) return table;
    const refused = whyNot(index) ?? lackToOwn(table, look, false);
    if (refused !== undefined) return { refused };
    const act: DropIndexAct = {
      kind: 'drop-index',
      schema,
      name,
      oid: index.oid,
      onlyIf: 'invalid',
      lockTimeoutMs,
    };
    const invalid = indexes.indexes.filter(({ isValid, isBuilding }) => !isValid && !isBuilding);
    return {
      operations: [
        {
          act,
          says: `drop the invalid index ${schema}.${name} on ${index.table}(${index.columns.join(', ')}) in database ${indexes.database}${index.isReady ? ', which every write pays for' : ''}`,
          byHand: maintenanceByHand(act),
          reversible: false,
          onRefused: 'stop',
          onFailed: 'stop',
          isLong: true,
        },
      ],
      effect: {
        diagnostic: 'db.invalid-indexes',
        about: serverEntity(look.target),
        measurement: 'invalidIndexes',
        below: Math.max(1, invalid.length),
        settleMs: 1000,
        holdMs: 5000,
        withinMs: 60_000,
        onMiss: 'ask',
      },
      touches: [
        {
          name: 'indexBytes',
          about: tableEntity(look.target, schema, index.table),
          value: index.sizeBytes,
        },
      ],
      warnings: [
        `it frees ${bytesText(index.sizeBytes)}; what the index was wanted for is still missing`,
        'it waits for those who use the table at the moment; nobody waits for it',
      ],
    };
  },
});

function whyNot(index: IndexInfo): string | undefined {
  const name = `${index.schema}.${index.name}`;
  if (index.isBuilding)
    return `${name} is being built at this moment: it is not valid yet, and will be`;
  if (index.isValid) return `${name} is valid: it is not dropped`;
  if (index.isNeeded)
    return `a constraint or replica identity stands on ${name}: db.reindex repairs it`;
  return undefined;
}
