import {
  defineDiagnostic,
  durationText,
  type Entity,
  type Finding,
  type Limits,
  type Look,
  type Row,
  type Severity,
} from '@starr/kernel';
import {
  addressEntity,
  applicationEntity,
  backendEntity,
  clientEntity,
  serverEntity,
  tableEntity,
} from '../entities.ts';
import { holdsTables, horizonRead, type Horizon, type HorizonHolder } from '../reads/horizon.ts';
import { tablesRead, type TableStats } from '../reads/tables.ts';
import { boundsOf } from './looked-at.ts';

const MOST_FINDINGS = 5;
const MOST_TABLES = 5;

const thresholds = {
  warnRatio: {
    value: 0.1,
    unit: 'ratio',
    says: 'age of what holds the horizon, of autovacuum_freeze_max_age, that is a warning',
    source: 'postgres-ai/postgresai cli/lib/checkup.ts (xmin horizon 10/50/80 %)',
  },
  criticalRatio: {
    value: 0.5,
    unit: 'ratio',
    says: 'age of what holds the horizon, of autovacuum_freeze_max_age, that is critical',
    source: 'postgres-ai/postgresai cli/lib/checkup.ts (xmin horizon 10/50/80 %)',
  },
  heldWarnMs: {
    value: 3_600_000,
    unit: 'ms',
    says: 'the horizon held for so long is a warning',
    source: 'postgres-ai/postgresai cli/lib/checkup.ts (notice at 1 h)',
  },
  heldCriticalMs: {
    value: 86_400_000,
    unit: 'ms',
    says: 'the horizon held for so long is critical',
    source: 'pganalyze/pganalyze-docs util/checks/index.ts (xmin behind 24 h)',
  },
  harmWarnMs: {
    value: 60_000,
    unit: 'ms',
    says: 'held for so long is a warning while dead rows pile up that autovacuum would have cleaned',
    source:
      'PerformanceMonitor: 99 % of idle transactions end within 50 ms, the longest of a week was 27.7 s',
  },
  harmCriticalMs: {
    value: 600_000,
    unit: 'ms',
    says: 'held for so long is critical while dead rows pile up that autovacuum would have cleaned',
    source: 'PerformanceMonitor: 10 min, a band higher when it pins xmin',
  },
  deadFactor: {
    value: 2,
    unit: 'ratio',
    says: 'dead rows of a table against what makes autovacuum come: more of them pile up',
    source: 'coroot/coroot auditor/postgres.go (autovacuum 2x trigger)',
  },
  deadRows: {
    value: 10_000,
    unit: 'count',
    says: 'dead rows of a table, below which nobody is harmed',
    source: 'ankane/pghero: 10,000 rows make a table worth a look',
  },
} as const;

type HorizonLimits = Limits<typeof thresholds>;

export const xminHorizon = defineDiagnostic({
  id: 'db.xmin-horizon',
  title: 'What keeps vacuum from cleaning',
  explains:
    'Names what holds the oldest transaction that is still visible: a session (also an idle writer that has only an xid), a replication slot, a standby, a prepared transaction. ' +
    'Old by transactions or by time it is a finding; much earlier where dead rows pile up behind it. ' +
    'By hand: end the transaction (pg_terminate_backend), drop the slot if nobody will come back for it (pg_drop_replication_slot), ROLLBACK PREPARED, or set hot_standby_feedback off on the standby.',
  replaces: [
    'SELECT pid, application_name, state, age(backend_xid), age(backend_xmin), now() - xact_start FROM pg_stat_activity ORDER BY greatest(age(backend_xid), age(backend_xmin)) DESC NULLS LAST;',
    'SELECT slot_name, active, age(xmin), age(catalog_xmin) FROM pg_replication_slots;',
    'SELECT gid, prepared, owner FROM pg_prepared_xacts;',
  ],
  reads: { horizon: horizonRead, tables: tablesRead },
  thresholds,
  measures: {
    horizonAgeXids: {
      unit: 'count',
      says: 'transactions since the oldest holder; 0 when nothing holds',
    },
    horizonAgeRatio: { unit: 'ratio', says: 'the same of autovacuum_freeze_max_age' },
    heldMs: {
      unit: 'ms',
      says: 'how long the oldest holder has held; 0 when nothing holds, or the server does not know',
    },
    deadRowsWaiting: { unit: 'count', says: 'dead rows of tables at which autovacuum is overdue' },
  },
  judge: ({ horizon, tables }, limits, look) => {
    const piled = tables.tables.filter((table) => pilesUp(table, limits));
    const about = serverEntity(look.target);
    const waiting = piled.reduce((sum, { dead }) => sum + dead, 0);
    const [oldest] = horizon.holders;
    return {
      measured: [
        { name: 'horizonAgeXids', about, value: oldest?.ageXids ?? 0 },
        {
          name: 'horizonAgeRatio',
          about,
          value: ratioOf(oldest, horizon),
          limit: limits.warnRatio,
        },
        { name: 'heldMs', about, value: heldMsOf(horizon), limit: limits.heldWarnMs },
        { name: 'deadRowsWaiting', about, value: waiting },
      ],
      findings: horizon.holders
        .flatMap((holder) => {
          const harmed = holdsTables(holder, tables.database) ? piled : [];
          const severity = severityOf(holder, horizon, harmed.length > 0, limits);
          return severity === undefined
            ? []
            : [findingFrom({ holder, severity, horizon, piled: harmed }, limits, look)];
        })
        .slice(0, MOST_FINDINGS),
      blind: boundsOf(tables, 'dead rows of tables'),
    };
  },
});

/** Autovacuum has come, or would have: what is left it could not clean. */
function pilesUp(
  { dead, vacuumTrigger }: TableStats,
  limits: Pick<HorizonLimits, 'deadFactor' | 'deadRows'>,
): boolean {
  return dead >= limits.deadRows && dead >= vacuumTrigger * limits.deadFactor;
}

function ratioOf(holder: HorizonHolder | undefined, { freezeMaxAge }: Horizon): number {
  return holder === undefined || freezeMaxAge === 0 ? 0 : holder.ageXids / freezeMaxAge;
}

function heldMsOf({ holders }: Horizon): number {
  return Math.max(0, ...holders.map(({ heldMs }) => heldMs ?? 0));
}

function severityOf(
  holder: HorizonHolder,
  horizon: Horizon,
  harms: boolean,
  limits: HorizonLimits,
): Severity | undefined {
  const ratio = ratioOf(holder, horizon);
  const heldMs = holder.heldMs ?? 0;
  if (ratio >= limits.criticalRatio || heldMs >= limits.heldCriticalMs) return 'critical';
  if (harms && heldMs >= limits.harmCriticalMs) return 'critical';
  if (ratio >= limits.warnRatio || heldMs >= limits.heldWarnMs) return 'warning';
  return harms && heldMs >= limits.harmWarnMs ? 'warning' : undefined;
}

interface Held {
  readonly holder: HorizonHolder;
  readonly severity: Severity;
  readonly horizon: Horizon;
  readonly piled: readonly TableStats[];
}

function findingFrom(
  { holder, severity, horizon, piled }: Held,
  limits: HorizonLimits,
  look: Look,
): Finding {
  const about = aboutOf(holder, look);
  const dead = piled.reduce((sum, table) => sum + table.dead, 0);
  const behind = piled.length === 0 ? '' : `; ${dead} dead rows wait behind it`;
  return {
    severity,
    about,
    says: `${inWords(holder)} keeps vacuum from cleaning what is newer than ${holder.ageXids} transactions${holder.catalogsOnly ? ' in the system catalogs' : ''}${behind}`,
    ...(holder.heldMs !== undefined && { since: new Date(look.now.getTime() - holder.heldMs) }),
    measured: [
      {
        name: 'heldMs',
        about,
        value: holder.heldMs ?? 0,
        limit: piled.length > 0 ? limits.harmWarnMs : limits.heldWarnMs,
      },
      {
        name: 'horizonAgeRatio',
        about,
        value: ratioOf(holder, horizon),
        limit: limits.warnRatio,
      },
      { name: 'deadRowsWaiting', about, value: dead },
    ],
    rows: [rowOf(holder)],
    involves: [
      ...involvedBy(holder, look),
      ...piled
        .slice(0, MOST_TABLES)
        .map(({ schema, name }) => tableEntity(look.target, schema, name)),
    ],
  };
}

function inWords({ kind, name, pid, state, heldMs }: HorizonHolder): string {
  const long = heldMs === undefined ? '' : ` for ${durationText(heldMs)}`;
  switch (kind) {
    case 'session':
      return `a session of ${applicationEntity('', name).name} (pid ${pid}, ${state})${long}`;
    case 'standby':
      return `the standby ${name} (pid ${pid}) by its feedback${long}`;
    case 'slot':
      return `the ${state} replication slot ${name}${state === 'inactive' ? long : ''}`;
    case 'prepared':
      return `the prepared transaction ${name}${long}`;
  }
}

/** A session is its application's, as in other findings; slots and prepared transactions are the server's. */
function aboutOf({ kind, name }: HorizonHolder, { target }: Look): Entity {
  return kind === 'session' || kind === 'standby'
    ? applicationEntity(target, name)
    : serverEntity(target);
}

function involvedBy(holder: HorizonHolder, { target }: Look): Entity[] {
  if (holder.kind === 'slot' || holder.kind === 'prepared') return [];
  return [
    backendEntity(target, holder.pid, holder.backendStart),
    clientEntity(target, holder.name, holder.address),
    ...(holder.address === undefined ? [] : [addressEntity(holder.address)]),
  ];
}

function rowOf(holder: HorizonHolder): Row {
  return {
    kind: holder.kind,
    name: holder.name,
    ...(holder.pid !== 0 && {
      pid: holder.pid,
      // Text: a remedy is given it as it stands.
      backendStart: holder.backendStart,
    }),
    state: holder.state,
    ...(holder.address !== undefined && { address: holder.address }),
    role: holder.role,
    database: holder.database,
    ageXids: holder.ageXids,
    ...(holder.heldMs !== undefined && { held: { durationMs: holder.heldMs } }),
    statement: holder.statement,
  };
}
