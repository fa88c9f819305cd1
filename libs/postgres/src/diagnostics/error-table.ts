import {
  blindSpot,
  defineDiagnostic,
  type BlindSpot,
  type Entity,
  type Finding,
  type Limits,
  type Look,
  type Severity,
} from '@starr/kernel';
import { serverEntity, tableEntity } from '../entities.ts';
import { errorTablesRead, type ErrorTableSeen, type SeenError } from '../reads/error-tables.ts';

const MINUTE_MS = 60_000;
const MOST_FINDINGS = 5;
const MOST_TRACES = 5;
/** Less of a before says nothing of what was usual. */
const LEAST_BEFORE_MS = 60_000;

const thresholds = {
  recentMs: {
    value: 300_000,
    unit: 'ms',
    says: 'the last so long is held against the rest of the window',
    source: 'Starr: the errors of an incident are those of the last minutes',
  },
  errorsPerMinute: {
    value: 2,
    unit: 'per-minute',
    says: 'errors of one fingerprint, recently, below which nothing is concluded',
    source: 'Starr: ten in five minutes are no accident',
  },
  riseRatio: {
    value: 3,
    unit: 'ratio',
    says: 'recent rate against the rate before: has risen',
    source: 'Starr: as for statements that have become slower',
  },
  criticalPerMinute: {
    value: 60,
    unit: 'per-minute',
    says: 'errors of one fingerprint that are critical when they have risen, and a finding when they have not',
    source: 'Starr: one a second',
  },
} as const;

type ErrorLimits = Limits<typeof thresholds>;

export const errorTable = defineDiagnostic({
  id: 'db.error-table',
  title: 'Errors that applications write to a table',
  explains:
    'Reads the newest rows of the tables that `errorTables` of the target names, only the named columns, by an index or the primary key; groups them by what stays the same in their message, and tells which have risen and since when. ' +
    'A large table without such an index is refused. Messages are never shown as they were written. By hand: SELECT the newest rows by the primary key, never by a time without an index.',
  replaces: [
    "SELECT message, count(*) FROM error_logs WHERE created_at > now() - interval '10 min' GROUP BY 1 ORDER BY 2 DESC;",
  ],
  reads: { tables: errorTablesRead },
  thresholds,
  measures: {
    errorTables: { unit: 'count', says: 'tables that were read; 0 when none is configured' },
    errorsPerMinute: {
      unit: 'per-minute',
      says: 'errors recently; of a table, of all its fingerprints',
    },
    fingerprints: { unit: 'count', says: 'different errors within the window' },
  },
  judge: ({ tables }, limits, look) => {
    const seen = tables.flatMap((table) => (table.state === 'seen' ? [table] : []));
    const blind = tables.flatMap(blindOf);
    if (tables.length > 0 && seen.length === 0) return { measured: [], blind };
    const trends = seen.flatMap((table) => trendsOf(table, limits, look));
    return {
      measured: [
        { name: 'errorTables', about: serverEntity(look.target), value: seen.length },
        ...seen.flatMap((table) => {
          const own = trends.filter(({ about }) => about.name === `${table.schema}.${table.table}`);
          const about = tableEntity(look.target, table.schema, table.table);
          const perMinute = own.reduce((sum, trend) => sum + trend.perMinute, 0);
          return [
            { name: 'errorsPerMinute', about, value: perMinute },
            { name: 'fingerprints', about, value: own.length },
          ];
        }),
      ],
      findings: trends
        .flatMap((trend) => findingFrom(trend, limits, look))
        .sort((a, b) => (b.measured[0]?.value ?? 0) - (a.measured[0]?.value ?? 0))
        .slice(0, MOST_FINDINGS),
      blind,
    };
  },
});

function blindOf(table: ErrorTableSeen): BlindSpot[] {
  if (table.state === 'blind') return [blindSpot(table.why, table.detail, table.cure)];
  if (!table.truncated) return [];
  return [
    blindSpot(
      'truncated',
      `only the newest ${table.errors.length} errors of ${table.schema}.${table.table} were read`,
    ),
  ];
}

/** One fingerprint over the window. */
interface Trend {
  readonly about: Entity;
  readonly fingerprint: string;
  readonly count: number;
  readonly perMinute: number;
  /** Absent: there is too little of a before. */
  readonly perMinuteBefore?: number;
  /** When the first of the recent ones happened. */
  readonly since: Date;
  readonly traces: readonly string[];
}

function trendsOf(
  table: Extract<ErrorTableSeen, { state: 'seen' }>,
  limits: ErrorLimits,
  look: Look,
): Trend[] {
  const nowMs = look.now.getTime();
  const recentFromMs = nowMs - limits.recentMs;
  const oldestMs = table.truncated ? (table.errors.at(-1)?.atMs ?? nowMs) : nowMs - look.windowMs;
  const beforeMs = recentFromMs - oldestMs;
  // What was left out shortens what is known, also of the recent.
  const recentMs = Math.max(1000, Math.min(limits.recentMs, nowMs - oldestMs));
  const groups = Map.groupBy(table.errors, ({ fingerprint }) => fingerprint);
  return [...groups].map(([fingerprint, errors]) => {
    const recent = errors.filter(({ atMs }) => atMs >= recentFromMs);
    const before = errors.length - recent.length;
    return {
      about: tableEntity(look.target, table.schema, table.table),
      fingerprint,
      count: recent.length,
      perMinute: (recent.length * MINUTE_MS) / recentMs,
      ...(beforeMs >= LEAST_BEFORE_MS && { perMinuteBefore: (before * MINUTE_MS) / beforeMs }),
      since: firstOf(recent, look),
      traces: [...new Set(recent.flatMap(({ trace }) => (trace === undefined ? [] : [trace])))],
    };
  });
}

function firstOf(errors: readonly SeenError[], look: Look): Date {
  return new Date(Math.min(look.now.getTime(), ...errors.map(({ atMs }) => atMs)));
}

function severityOf(trend: Trend, limits: ErrorLimits): Severity | undefined {
  const { perMinute, perMinuteBefore } = trend;
  if (perMinute < limits.errorsPerMinute) return undefined;
  const isMany = perMinute >= limits.criticalPerMinute;
  const hasRisen = perMinuteBefore !== undefined && perMinute >= perMinuteBefore * limits.riseRatio;
  if (hasRisen) return isMany ? 'critical' : 'warning';
  return isMany ? 'warning' : undefined;
}

function findingFrom(trend: Trend, limits: ErrorLimits, look: Look): Finding[] {
  const severity = severityOf(trend, limits);
  if (severity === undefined) return [];
  const { about, fingerprint, count, perMinute, perMinuteBefore, since, traces } = trend;
  return [
    {
      severity,
      about,
      says: `${about.name} got ${rate(perMinute)} errors a minute of one kind${beforeText(trend)}: ${fingerprint}`,
      since,
      measured: [
        { name: 'errorsPerMinute', about, value: perMinute, limit: limits.errorsPerMinute },
      ],
      rows: [
        {
          error: fingerprint,
          count,
          perMinute,
          ...(perMinuteBefore !== undefined && { perMinuteBefore }),
        },
      ],
      involves: [
        serverEntity(look.target),
        ...traces.slice(0, MOST_TRACES).map((name): Entity => ({ kind: 'trace', name })),
      ],
    },
  ];
}

function beforeText({ perMinuteBefore, perMinute }: Trend): string {
  if (perMinuteBefore === undefined) return '';
  if (perMinuteBefore === 0) return ', none before';
  return perMinute > perMinuteBefore ? `, ${rate(perMinuteBefore)} before` : ', as before';
}

function rate(perMinute: number): string {
  return perMinute < 10 ? perMinute.toFixed(1) : String(Math.round(perMinute));
}
