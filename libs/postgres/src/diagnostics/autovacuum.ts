import {
  defineDiagnostic,
  isBlindSpot,
  optional,
  windowed,
  type Finding,
  type Limits,
  type Look,
  type Pair,
  type Row,
  type Severity,
} from '@starr/kernel';
import { databaseEntity, serverEntity, tableEntity } from '../entities.ts';
import { horizonRead, type Horizon } from '../reads/horizon.ts';
import { tableWidthsRead, type NeededBytes } from '../reads/table-widths.ts';
import { tablesRead, type Tables, type TableStats } from '../reads/tables.ts';
import { vacuumsRead } from '../reads/vacuums.ts';
import { boundsOf } from './looked-at.ts';
import { obstacleOf, vacuumObstacle, type NotCleaned } from './vacuum-obstacle.ts';

const MOST_FINDINGS = 5;
/** Two samples so far apart show whether it lasts. */
const LASTS_MS = 15_000;

const thresholds = {
  deadFactor: {
    value: 2,
    unit: 'ratio',
    says: 'dead rows against what makes autovacuum come: more of them, and it is behind',
    source: 'coroot/coroot auditor/postgres.go (autovacuum at 2x the trigger)',
  },
  deadRows: {
    value: 10_000,
    unit: 'count',
    says: 'dead rows of a table, below which nobody is harmed',
    source: 'ankane/pghero: 10,000 rows make a table worth a look',
  },
  criticalDeadRows: {
    value: 100_000,
    unit: 'count',
    says: 'dead rows that are critical when they are criticalDeadRatio of the table too',
    source: 'postgres-ai/postgresai cli/lib/checkup.ts (dead tuples from 100,000)',
  },
  criticalDeadRatio: {
    value: 0.5,
    unit: 'ratio',
    says: 'dead rows of all rows that are critical',
    source: 'coroot/coroot auditor/postgres.go (bloat 50 %)',
  },
  graceMs: {
    value: 600_000,
    unit: 'ms',
    says: 'autovacuum may take so long to come',
    source: 'Starr: ten times autovacuum_naptime of a server that was never tuned',
  },
} as const;

type VacuumLimits = Limits<typeof thresholds>;

export const autovacuum = defineDiagnostic({
  id: 'db.autovacuum',
  title: 'Tables that are not vacuumed',
  explains:
    'Finds tables with more dead rows than twice what makes autovacuum come, and says why it does not clean them: it is off, all workers are busy, somebody holds a lock on the table, ' +
    'or something holds the horizon (db.xmin-horizon). Dead rows make scans long and files grow. Where this role may read the table, the bloat is estimated from the width of its rows. ' +
    'By hand: take the obstacle away first, then VACUUM (ANALYZE) the table; VACUUM FULL locks it and is nothing for tonight.',
  replaces: [
    'SELECT relname, n_live_tup, n_dead_tup, last_autovacuum, last_vacuum FROM pg_stat_user_tables ORDER BY n_dead_tup DESC;',
    'SELECT * FROM pg_stat_progress_vacuum;',
  ],
  reads: {
    tables: windowed(tablesRead),
    vacuums: vacuumsRead,
    horizon: horizonRead,
    widths: optional(tableWidthsRead),
  },
  thresholds,
  measures: {
    tablesBehind: { unit: 'count', says: 'tables with more dead rows than autovacuum leaves' },
    deadRows: {
      unit: 'count',
      says: 'dead rows; on the server: of all its tables in this database',
    },
    deadRatio: {
      unit: 'ratio',
      says: 'dead rows of all rows; on the server: of the worst table that is large enough',
    },
    bloatRatio: {
      unit: 'ratio',
      says: 'share of the table’s file that its rows do not need, estimated',
    },
    autovacuumWorkers: { unit: 'count', says: 'autovacuum workers at work' },
  },
  judge: ({ tables, vacuums, horizon, widths }, limits, look) => {
    const behind = tables.after.tables
      .filter((table) => isBehind(table, tables, horizon, limits, look))
      .sort((a, b) => b.dead - a.dead);
    const needed: NeededBytes = isBlindSpot(widths) ? new Map() : widths;
    const about = serverEntity(look.target);
    const large = tables.after.tables.filter(({ dead }) => dead >= limits.deadRows);
    return {
      measured: [
        { name: 'tablesBehind', about, value: behind.length },
        {
          name: 'deadRows',
          about,
          value: tables.after.tables.reduce((sum, { dead }) => sum + dead, 0),
        },
        { name: 'deadRatio', about, value: Math.max(0, ...large.map(deadRatio)) },
        { name: 'autovacuumWorkers', about, value: vacuums.workers, limit: vacuums.maxWorkers },
        ...large.slice(0, MOST_FINDINGS * 2).map((table) => ({
          name: 'deadRows',
          about: tableEntity(look.target, table.schema, table.name),
          value: table.dead,
        })),
      ],
      findings: behind
        .slice(0, MOST_FINDINGS)
        .map((table) =>
          findingFrom({ table, tables: tables.after, vacuums, horizon, needed }, limits, look),
        ),
      blind: [...boundsOf(tables.after, 'tables'), ...(isBlindSpot(widths) ? [widths] : [])],
    };
  },
});

function deadRatio({ dead, live }: TableStats): number {
  return dead === 0 ? 0 : dead / (dead + live);
}

/** More dead rows than autovacuum leaves, and not only since a moment ago. */
function isBehind(
  table: TableStats,
  { before, after, elapsedMs }: Pair<Tables>,
  horizon: Horizon,
  limits: VacuumLimits,
  look: Look,
): boolean {
  if (!piles(table, limits)) return false;
  if (obstacleOf(horizon, after.database) !== undefined) return true;
  const { vacuumedAt } = table;
  if (vacuumedAt !== undefined) return look.now.getTime() - vacuumedAt.getTime() >= limits.graceMs;
  const then = before.tables.find(({ oid }) => oid === table.oid);
  return elapsedMs >= LASTS_MS && then !== undefined && piles(then, limits);
}

function piles({ dead, vacuumTrigger }: TableStats, limits: VacuumLimits): boolean {
  return dead >= limits.deadRows && dead >= vacuumTrigger * limits.deadFactor;
}

interface Behind extends NotCleaned {
  readonly needed: NeededBytes;
}

function findingFrom(behind: Behind, limits: VacuumLimits, look: Look): Finding {
  const { table, tables, needed } = behind;
  const about = tableEntity(look.target, table.schema, table.name);
  const bloat = bloatOf(table, needed);
  const reason = vacuumObstacle(behind, look);
  const since = reason.since ?? table.vacuumedAt;
  return {
    severity: severityOf(table, limits),
    about,
    says: `${about.name} in ${tables.database} has ${table.dead} dead rows, ${Math.round(deadRatio(table) * 100)} % of all: ${reason.says}`,
    ...(since !== undefined && { since }),
    measured: [
      {
        name: 'deadRows',
        about,
        value: table.dead,
        limit: table.vacuumTrigger * limits.deadFactor,
      },
      { name: 'deadRatio', about, value: deadRatio(table) },
      ...(bloat === undefined ? [] : [{ name: 'bloatRatio', about, value: bloat }]),
    ],
    rows: [rowOf(table, bloat)],
    involves: [databaseEntity(look.target, tables.database), ...reason.involves],
  };
}

function severityOf(table: TableStats, limits: VacuumLimits): Severity {
  const isCritical =
    table.dead >= limits.criticalDeadRows && deadRatio(table) >= limits.criticalDeadRatio;
  return isCritical ? 'critical' : 'warning';
}

/** Absent: this role may not read the table, or it was never analyzed. */
function bloatOf({ oid, sizeBytes }: TableStats, needed: NeededBytes): number | undefined {
  const bytes = needed.get(oid);
  if (bytes === undefined || sizeBytes === 0) return undefined;
  return Math.max(0, 1 - bytes / sizeBytes);
}

function rowOf(table: TableStats, bloat: number | undefined): Row {
  return {
    schema: table.schema,
    table: table.name,
    live: table.live,
    dead: table.dead,
    autovacuumAt: table.vacuumTrigger,
    sizeBytes: table.sizeBytes,
    ...(bloat !== undefined && { bloatRatio: bloat }),
  };
}
