import {
  defineDiagnostic,
  type Entity,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Severity,
} from '@starr/kernel';
import { databaseEntity, serverEntity, tableEntity } from '../entities.ts';
import { tablesRead, type Tables } from '../reads/tables.ts';
import { wraparoundRead, type DatabaseAge } from '../reads/wraparound.ts';

/** Transaction and multixact ids wrap here. */
const IDS = 2 ** 31;
/** The server refuses to give out ids when so many are left. */
const STOPS_AT_LEFT = 3_000_000;
const MOST_TABLES = 5;

const thresholds = {
  warnRatio: {
    value: 0.5,
    unit: 'ratio',
    says: 'age of the oldest unfrozen transaction or multixact, of 2^31',
    source: 'coroot/coroot auditor/postgres.go (wraparound 50 %), pganalyze (50 %)',
  },
  criticalRatio: {
    value: 0.8,
    unit: 'ratio',
    says: 'the same, when it is critical: the server stops at about 3 million ids left',
    source: 'pganalyze/pganalyze-docs util/checks/index.ts (80 %)',
  },
} as const;

type WrapLimits = Limits<typeof thresholds>;

export const wraparound = defineDiagnostic({
  id: 'db.wraparound',
  title: 'Transaction ids that run out',
  explains:
    'Looks at the oldest unfrozen transaction and multixact of every database: when they run out the server takes no more writes. ' +
    'That autovacuum freezes at autovacuum_freeze_max_age (200 million) is normal and no finding. ' +
    'By hand: end what holds the horizon (db.xmin-horizon), then VACUUM (FREEZE) the oldest tables of that database, largest age first.',
  replaces: [
    'SELECT datname, age(datfrozenxid), mxid_age(datminmxid) FROM pg_database ORDER BY 2 DESC;',
    "SELECT oid::regclass, age(relfrozenxid) FROM pg_class WHERE relkind = 'r' ORDER BY 2 DESC LIMIT 20;",
  ],
  reads: { ages: wraparoundRead, tables: tablesRead },
  thresholds,
  measures: {
    xidAgeRatio: { unit: 'ratio', says: 'oldest unfrozen transaction, of 2^31' },
    multixactAgeRatio: { unit: 'ratio', says: 'oldest unfrozen multixact, of 2^31' },
    xidsLeft: { unit: 'count', says: 'transactions until the server refuses writes' },
  },
  judge: ({ ages, tables }, limits, look) => {
    const bad = ages.filter((age) => severityOf(age, limits) !== undefined);
    return {
      measured: measurementsOf(serverEntity(look.target), worstOf(ages), limits),
      findings: bad.map((age) => findingFrom(age, tables, limits, look)),
    };
  },
});

function worstOf(ages: readonly DatabaseAge[]): Pick<DatabaseAge, 'xidAge' | 'multixactAge'> {
  return {
    xidAge: Math.max(0, ...ages.map(({ xidAge }) => xidAge)),
    multixactAge: Math.max(0, ...ages.map(({ multixactAge }) => multixactAge)),
  };
}

function severityOf(
  { xidAge, multixactAge }: DatabaseAge,
  limits: WrapLimits,
): Severity | undefined {
  const ratio = Math.max(xidAge, multixactAge) / IDS;
  if (ratio < limits.warnRatio) return undefined;
  return ratio >= limits.criticalRatio ? 'critical' : 'warning';
}

function findingFrom(
  age: DatabaseAge,
  { database, tables }: Tables,
  limits: WrapLimits,
  look: Look,
): Finding {
  const about = databaseEntity(look.target, age.database);
  const isXid = age.xidAge >= age.multixactAge;
  const worst = isXid ? age.xidAge : age.multixactAge;
  const kind = isXid ? 'transaction' : 'multixact';
  const own = database === age.database ? tables : [];
  const oldest = own
    .toSorted((a, b) => (isXid ? b.xidAge - a.xidAge : b.multixactAge - a.multixactAge))
    .slice(0, MOST_TABLES);
  return {
    severity: severityOf(age, limits) ?? 'warning',
    about,
    says:
      `the oldest unfrozen ${kind} of the database ${age.database} is ${millions(worst)} old, ${Math.round((worst / IDS) * 100)} % of what there is; ` +
      `after ${millions(left(worst))} more the server takes no writes`,
    measured: measurementsOf(about, age, limits),
    rows: oldest.map((table) => ({
      table: `${table.schema}.${table.name}`,
      xidAge: table.xidAge,
      multixactAge: table.multixactAge,
      sizeBytes: table.sizeBytes,
    })),
    involves: oldest.map(({ schema, name }) => tableEntity(look.target, schema, name)),
  };
}

function measurementsOf(
  about: Entity,
  { xidAge, multixactAge }: Pick<DatabaseAge, 'xidAge' | 'multixactAge'>,
  limits: WrapLimits,
): Measurement[] {
  return [
    { name: 'xidAgeRatio', about, value: xidAge / IDS, limit: limits.warnRatio },
    { name: 'multixactAgeRatio', about, value: multixactAge / IDS, limit: limits.warnRatio },
    { name: 'xidsLeft', about, value: left(xidAge) },
  ];
}

function left(age: number): number {
  return Math.max(0, IDS - STOPS_AT_LEFT - age);
}

function millions(count: number): string {
  return `${(count / 1e6).toFixed(0)} million`;
}
