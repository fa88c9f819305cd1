import {
  defineDiagnostic,
  durationText,
  windowed,
  type Finding,
  type Limits,
  type Look,
  type Pair,
} from '@starr/kernel';
import { databaseEntity, serverEntity, tableEntity } from '../entities.ts';
import { tablesRead, type Tables, type TableStats } from '../reads/tables.ts';
import { boundsOf } from './looked-at.ts';

const MOST_FINDINGS = 5;

const thresholds = {
  modifiedFactor: {
    value: 2,
    unit: 'ratio',
    says: 'changed rows against what makes autovacuum analyze: more of them, and the statistics are stale',
    source: 'coroot/coroot auditor/postgres.go (stale statistics at 2x the trigger)',
  },
  rows: {
    value: 10_000,
    unit: 'count',
    says: 'rows of a table, below which any plan is a good plan',
    source: 'ankane/pghero lib/pghero/methods/indexes.rb (10,000 rows)',
  },
  graceMs: {
    value: 600_000,
    unit: 'ms',
    says: 'autovacuum may take so long to come',
    source: 'Starr: ten times autovacuum_naptime of a server that was never tuned',
  },
} as const;

type StaleLimits = Limits<typeof thresholds>;

export const staleStatistics = defineDiagnostic({
  id: 'db.stale-statistics',
  title: 'Tables whose statistics are stale',
  explains:
    'Finds tables that were never analyzed, or changed for more than twice what makes autovacuum analyze them, long ago: the planner guesses, and plans go wrong without any change of code. ' +
    'After a restore or pg_upgrade no table has statistics. By hand: ANALYZE the table, as its owner, or with MAINTAIN on 17 and newer; on older servers others get only a WARNING and nothing is done.',
  replaces: [
    'SELECT relname, n_mod_since_analyze, last_analyze, last_autoanalyze FROM pg_stat_user_tables ORDER BY n_mod_since_analyze DESC;',
  ],
  reads: { tables: windowed(tablesRead) },
  thresholds,
  measures: {
    staleTables: { unit: 'count', says: 'tables whose statistics are stale or that have none' },
    modifiedRatio: {
      unit: 'ratio',
      says: 'changed rows of a table / rows at which autovacuum would analyze; of the worst table on the server',
    },
  },
  judge: ({ tables }, limits, look) => {
    const stale = tables.after.tables
      .filter((table) => isStale(table, tables, limits, look))
      .sort((a, b) => b.sizeBytes - a.sizeBytes);
    const large = tables.after.tables.filter(({ tuples }) => tuples >= limits.rows);
    const about = serverEntity(look.target);
    return {
      measured: [
        { name: 'staleTables', about, value: stale.length },
        { name: 'modifiedRatio', about, value: Math.max(0, ...large.map(ratioOf)) },
        ...large.slice(0, MOST_FINDINGS * 2).map((table) => ({
          name: 'modifiedRatio',
          about: tableEntity(look.target, table.schema, table.name),
          value: ratioOf(table),
          limit: limits.modifiedFactor,
        })),
      ],
      findings: stale
        .slice(0, MOST_FINDINGS)
        .map((table) => findingFrom(table, tables.after, limits, look)),
      blind: boundsOf(tables.after, 'tables'),
    };
  },
});

function ratioOf({ modified, analyzeTrigger }: TableStats): number {
  return analyzeTrigger <= 0 ? 0 : modified / analyzeTrigger;
}

/** Autovacuum gets its time. A table without any statistics gets none: whoever queries it now has a blind planner. */
function isStale(
  table: TableStats,
  { before, elapsedMs }: Pair<Tables>,
  limits: StaleLimits,
  look: Look,
): boolean {
  if (table.tuples < limits.rows) return false;
  if (table.analyzedAt === undefined) {
    const then = before.tables.find(({ oid }) => oid === table.oid);
    // Where the samples lie apart, one that was only just filled is seen to be so.
    return (
      table.modified >= limits.rows && (elapsedMs < 15_000 || (then?.tuples ?? 0) >= limits.rows)
    );
  }
  if (ratioOf(table) < limits.modifiedFactor) return false;
  return look.now.getTime() - table.analyzedAt.getTime() >= limits.graceMs;
}

function findingFrom(
  table: TableStats,
  { database, autovacuums }: Tables,
  limits: StaleLimits,
  look: Look,
): Finding {
  const about = tableEntity(look.target, table.schema, table.name);
  const when =
    table.analyzedAt === undefined
      ? 'was never analyzed'
      : `was analyzed ${durationText(look.now.getTime() - table.analyzedAt.getTime())} ago`;
  const off = !autovacuums || !table.autovacuums ? '; autovacuum is off for it' : '';
  return {
    severity: 'warning',
    about,
    says: `${about.name} in ${database} (${Math.round(table.tuples)} rows) ${when}, and ${Math.round(table.modified)} rows have changed since: the planner guesses${off}`,
    ...(table.analyzedAt !== undefined && { since: table.analyzedAt }),
    measured: [
      { name: 'modifiedRatio', about, value: ratioOf(table), limit: limits.modifiedFactor },
    ],
    rows: [
      {
        schema: table.schema,
        table: table.name,
        rows: table.tuples,
        modified: table.modified,
        autovacuum: autovacuums && table.autovacuums,
        sizeBytes: table.sizeBytes,
      },
    ],
    involves: [databaseEntity(look.target, database)],
  };
}
