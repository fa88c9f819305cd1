import { defineRemedy, type Plan, type PlanRefused } from '@starr/kernel';
import { z } from 'zod';
import type { TableUpkeepAct } from '../acts/maintenance.ts';
import { staleStatistics } from '../diagnostics/stale-statistics.ts';
import { tableEntity } from '../entities.ts';
import { maintenanceByHand } from '../maintenance-sql.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { maintainableRead } from '../reads/maintainable.ts';
import {
  findTable,
  lackToMaintain,
  lockTimeoutParam,
  nameParam,
  schemaParam,
  underWay,
} from './maintenance-target.ts';

const paramsSchema = z.strictObject({
  /** Default public. */
  schema: schemaParam,
  table: nameParam,
  lockTimeoutMs: lockTimeoutParam,
});

/** Irreversible, and harmless: plans are made from it, nothing else changes. */
export const analyze = defineRemedy({
  id: 'db.analyze',
  title: 'Take fresh statistics of a table',
  explains:
    'Runs ANALYZE on one table, so that the planner knows what is in it. It reads a sample of the table and blocks neither readers nor writers. Needs the ownership of the table, from 17 on MAINTAIN: ' +
    'without it the server says success, prints a warning and does nothing, which is noticed. Plans change at once, for better as a rule.',
  params: paramsSchema,
  reads: { maintainable: maintainableRead },
  plan: (
    { schema, table: name, lockTimeoutMs },
    { maintainable },
    look,
  ): Plan<PostgresAct> | PlanRefused => {
    const table = findTable(maintainable, schema, name);
    if ('refused' in table) return table;
    const refused = underWay(table) ?? lackToMaintain(table, look);
    if (refused !== undefined) return { refused };
    const act: TableUpkeepAct = {
      kind: 'analyze-table',
      schema,
      table: name,
      oid: table.oid,
      since: maintainable.now,
      lockTimeoutMs,
    };
    const about = tableEntity(look.target, schema, name);
    return {
      operations: [
        {
          act,
          says: `take fresh statistics of ${schema}.${name} in database ${maintainable.database} (about ${Math.round(table.rows)} rows, ${Math.round(table.modified)} changed since the last)`,
          byHand: maintenanceByHand(act),
          reversible: false,
          onRefused: 'stop',
          onFailed: 'stop',
          isLong: true,
        },
      ],
      effect: {
        diagnostic: 'db.stale-statistics',
        about,
        measurement: 'modifiedRatio',
        below: staleStatistics.thresholds.modifiedFactor.value,
        settleMs: 2000,
        holdMs: 10_000,
        withinMs: 60_000,
        onMiss: 'ask',
      },
      touches: [{ name: 'rowsModified', about, value: table.modified }],
      warnings: ['plans of statements on it may change at once'],
    };
  },
});
