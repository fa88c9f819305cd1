import { defineRemedy, durationText, type Plan, type PlanRefused } from '@starr/kernel';
import { z } from 'zod';
import type { TableUpkeepAct } from '../acts/maintenance.ts';
import { bytesText } from '../diagnostics/bytes-text.ts';
import { serverEntity, tableEntity } from '../entities.ts';
import { maintenanceByHand } from '../maintenance-sql.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { horizonRead, type Horizon } from '../reads/horizon.ts';
import { maintainableRead } from '../reads/maintainable.ts';
import { tablesRead } from '../reads/tables.ts';
import {
  findTable,
  lackToMaintain,
  lockTimeoutParam,
  nameParam,
  schemaParam,
  underWay,
} from './maintenance-target.ts';

/** What has pinned the horizon for so long leaves nothing worth a vacuum; younger ones end meanwhile. */
const PINNED_MS = 60_000;

const paramsSchema = z.strictObject({
  /** Default public. */
  schema: schemaParam,
  table: nameParam,
  lockTimeoutMs: lockTimeoutParam,
});

/** Irreversible, and harmless: only what nobody can see any more goes. */
export const vacuum = defineRemedy({
  id: 'db.vacuum',
  title: 'Vacuum a table',
  explains:
    'Runs VACUUM (ANALYZE) on one table, never FULL: dead rows become room for new ones, readers and writers go on. It takes its time and has a session of its own. ' +
    'Refused while something keeps it from cleaning (it is named: end that first), and while another vacuum of the table is under way. Needs the ownership of the table, from 17 on MAINTAIN.',
  params: paramsSchema,
  reads: { maintainable: maintainableRead, horizon: horizonRead, tables: tablesRead },
  plan: (
    { schema, table: name, lockTimeoutMs },
    { maintainable, horizon, tables },
    look,
  ): Plan<PostgresAct> | PlanRefused => {
    const table = findTable(maintainable, schema, name);
    if ('refused' in table) return table;
    const refused =
      underWay(table) ??
      (table.isPartitioned
        ? `${schema}.${name} is partitioned and holds no rows itself: vacuum its partitions`
        : undefined) ??
      lackToMaintain(table, look) ??
      pinned(horizon, maintainable.database);
    if (refused !== undefined) return { refused };
    const act: TableUpkeepAct = {
      kind: 'vacuum-table',
      schema,
      table: name,
      oid: table.oid,
      since: maintainable.now,
      lockTimeoutMs,
    };
    const deadOfAll = tables.tables.reduce((sum, { dead }) => sum + dead, 0);
    return {
      operations: [
        {
          act,
          says: `vacuum ${schema}.${name} in database ${maintainable.database} (${bytesText(table.sizeBytes)}, ${Math.round(table.dead)} dead rows)`,
          byHand: maintenanceByHand(act),
          reversible: false,
          onRefused: 'stop',
          onFailed: 'stop',
          isLong: true,
        },
      ],
      // A table that is clean again is not measured by itself any more: the sum of all is.
      effect: {
        diagnostic: 'db.autovacuum',
        about: serverEntity(look.target),
        measurement: 'deadRows',
        below: Math.max(1, deadOfAll - table.dead / 2),
        settleMs: 2000,
        holdMs: 10_000,
        withinMs: 120_000,
        onMiss: 'ask',
      },
      touches: [
        { name: 'deadRows', about: tableEntity(look.target, schema, name), value: table.dead },
      ],
      warnings: [
        'it reads the table and its indexes once: more I/O while it lasts',
        'the file does not get smaller, it gets room inside',
      ],
    };
  },
});

/** Those of other databases do not keep the tables of this one; a logical slot keeps the catalogs alone. */
function pinned({ holders }: Horizon, database: string): string | undefined {
  const found = holders.find(
    (holder) =>
      !holder.catalogsOnly &&
      (holder.kind !== 'session' || holder.database === database) &&
      (holder.heldMs ?? Infinity) >= PINNED_MS,
  );
  if (found === undefined) return undefined;
  const who = found.pid > 0 ? `pid ${found.pid} (${found.name})` : `${found.kind} ${found.name}`;
  const since = found.heldMs === undefined ? '' : ` for ${durationText(found.heldMs)}`;
  return `it would clean nothing that is newer than what ${who} may still want to see${since}: end that first`;
}
