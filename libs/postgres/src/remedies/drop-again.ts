import type { Effect, Look, Plan, PlanRefused, Receipt } from '@starr/kernel';
import { z } from 'zod';
import type { DropIndexAct } from '../acts/maintenance.ts';
import { serverEntity, tableEntity } from '../entities.ts';
import { indexComment, maintenanceByHand } from '../maintenance-sql.ts';
import type { PostgresAct } from '../postgres-act.ts';
import type { Indexes } from '../reads/indexes.ts';
import type { MaintainableTables } from '../reads/maintainable.ts';
import { findIndex } from './find-index.ts';
import { findTable, lackToOwn } from './maintenance-target.ts';

/** The way back from an index that was built: the very same one, recognised by its oid and by our mark in its comment. */
export function dropAgain(
  receipt: Receipt | undefined,
  maintainable: MaintainableTables,
  indexes: Indexes,
  look: Look,
): Plan<PostgresAct> | PlanRefused {
  const made = receipt && madeBy(receipt);
  if (made === undefined) return { refused: 'the receipt is not of an index that was built' };
  const index = findIndex(indexes, made.act.schema, made.act.name);
  if ('refused' in index) return index;
  const table = findTable(maintainable, made.act.schema, made.act.table);
  if ('refused' in table) return table;
  if (index.oid !== made.oid)
    return { refused: `${index.schema}.${index.name} is another index by now` };
  if (made.comment === undefined)
    return {
      refused: `${index.schema}.${index.name} does not carry our mark: drop it by hand if it is not wanted`,
    };
  const lack = lackToOwn(table, look, false);
  if (lack !== undefined) return { refused: lack };
  const { schema, name, lockTimeoutMs } = made.act;
  const act: DropIndexAct = {
    kind: 'drop-index',
    schema,
    name,
    oid: index.oid,
    onlyIf: { comment: made.comment },
    lockTimeoutMs,
  };
  return {
    operations: [
      {
        act,
        says: `drop index ${schema}.${name} again, concurrently`,
        byHand: maintenanceByHand(act),
        reversible: false,
        onRefused: 'stop',
        onFailed: 'stop',
        isLong: true,
      },
    ],
    effect: buildGone(look),
    touches: [
      {
        name: 'indexBytes',
        about: tableEntity(look.target, schema, made.act.table),
        value: index.sizeBytes,
      },
    ],
    warnings: [`${index.scans} scans have used it so far`],
  };
}

/** Nothing that is being built or invalid stays behind. */
function buildGone(look: Look): Effect {
  return {
    diagnostic: 'db.invalid-indexes',
    about: serverEntity(look.target),
    measurement: 'buildingIndexes',
    below: 1,
    settleMs: 1000,
    holdMs: 5000,
    withinMs: 60_000,
    onMiss: 'ask',
  };
}

const receiptSchema = z.object({
  act: z.object({
    kind: z.literal('create-index'),
    schema: z.string(),
    table: z.string(),
    name: z.string(),
    lockTimeoutMs: z.number(),
  }),
  after: z.object({ oid: z.string(), comment: z.string().nullish() }),
});

function madeBy({ act, after, operationId }: Receipt) {
  const parsed = receiptSchema.safeParse({ act, after });
  if (!parsed.success) return undefined;
  const { comment, oid } = parsed.data.after;
  return {
    act: parsed.data.act,
    oid,
    // Told by the catalog, not by a text that anybody may have changed: it must be that of this very operation.
    comment: comment === indexComment(operationId) ? comment : undefined,
  };
}
