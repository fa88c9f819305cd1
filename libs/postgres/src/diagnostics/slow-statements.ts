import {
  blindSpot,
  defineDiagnostic,
  durationText,
  isBlindSpot,
  optional,
  windowed,
  type BlindSpot,
  type Entity,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Pair,
  type Row,
} from '@starr/kernel';
import { databaseEntity, serverEntity, statementEntity } from '../entities.ts';
import { statementTextsRead, type StatementTexts } from '../reads/statement-texts.ts';
import { statementRunsRead } from '../reads/statement-runs.ts';
import { statementsRead, type Statements } from '../reads/statements.ts';
import { spendingOf, type Spending, type Spent } from './statement-spending.ts';

const MOST_FINDINGS = 5;

const thresholds = {
  meanMs: {
    value: 50,
    unit: 'ms',
    says: 'mean time of a statement within the window that is slow',
    source: 'pganalyze/pganalyze-docs util/checks/index.ts (new slow query: 50 ms and 50 calls)',
  },
  calls: {
    value: 50,
    unit: 'count',
    says: 'calls within the window, below which nothing is concluded',
    source: 'pganalyze/pganalyze-docs util/checks/index.ts (new slow query: 50 ms and 50 calls)',
  },
  timeShare: {
    value: 0.1,
    unit: 'ratio',
    says: 'share of the time of all statements within the window',
    source: 'Starr: what takes less than a tenth of the time is not what tonight is about',
  },
  criticalShare: {
    value: 0.5,
    unit: 'ratio',
    says: 'share that is critical for a statement that is new, or has become slower',
    source: 'Starr: it then takes more time than all others together',
  },
  slowerRatio: {
    value: 3,
    unit: 'ratio',
    says: 'mean time within the window against the mean before it: has become slower',
    source: 'Starr: a warm cache turned cold makes two of it, a lost index tens',
  },
  windowMs: {
    value: 5000,
    unit: 'ms',
    says: 'two samples closer than this tell nothing of what statements cost',
    source: 'Starr: 50 calls of 50 ms need half of it on one connection',
  },
} as const;

type SlowLimits = Limits<typeof thresholds>;

export const slowStatements = defineDiagnostic({
  id: 'db.slow-statements',
  title: 'Statements that take the time of the server',
  explains:
    'Compares two samples of pg_stat_statements (never reset): a statement is a finding when it is slow, called often and takes a good part of the time within the window; ' +
    'it says whether the statement is new or slower than before. Of all databases of the server; statements are shown without their literals. ' +
    'By hand: EXPLAIN it, look for a lost or missing index (db.missing-indexes), for stale statistics (db.stale-statistics) and for what was released since.',
  replaces: [
    'SELECT calls, mean_exec_time, total_exec_time, query FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 20;',
  ],
  reads: {
    statements: windowed(statementsRead),
    texts: optional(statementTextsRead),
    // For the join alone: who runs what.
    runs: optional(statementRunsRead),
  },
  thresholds,
  measures: {
    meanMs: { unit: 'ms', says: 'mean time within the window; 0 when nothing ran' },
    callsPerMinute: { unit: 'per-minute', says: 'calls within the window' },
    timeShare: { unit: 'ratio', says: 'share of the time of all statements within the window' },
    slowStatements: { unit: 'count', says: 'statements that are slow, frequent and costly' },
  },
  judge: ({ statements, texts }, limits, look) => {
    const known = isBlindSpot(texts) ? new Map() : texts;
    const spending = spendingOf(statements, limits.windowMs, look);
    const slow = spending.spent
      .filter((each) => isSlow(each, limits))
      .sort((a, b) => b.totalMs - a.totalMs);
    const about = serverEntity(look.target);
    return {
      measured: [
        { name: 'slowStatements', about, value: slow.length },
        { name: 'meanMs', about, value: spending.meanMs },
        { name: 'callsPerMinute', about, value: spending.callsPerMinute },
        ...quiet(spending, slow).flatMap((each) => measurementsOf(each, limits, look)),
      ],
      findings: slow.slice(0, MOST_FINDINGS).map((each) => findingFrom(each, known, limits, look)),
      blind: blindSpots(spending, statements, texts),
    };
  },
});

function isSlow({ calls, meanMs, share }: Spent, limits: SlowLimits): boolean {
  return calls >= limits.calls && meanMs >= limits.meanMs && share >= limits.timeShare;
}

/** What takes most of the time is measured also when it is fast: a remedy proves its effect on it. */
function quiet({ spent }: Spending, slow: readonly Spent[]): Spent[] {
  return spent.filter((each) => !slow.includes(each)).slice(0, MOST_FINDINGS * 2);
}

function findingFrom(spent: Spent, texts: StatementTexts, limits: SlowLimits, look: Look): Finding {
  const slower = slowerBy(spent, limits);
  const worse = slower !== undefined || spent.isNew;
  const text = texts.get(spent.key);
  return {
    severity: worse && spent.share >= limits.criticalShare ? 'critical' : 'warning',
    about: entityOf(spent, look),
    says:
      `a statement${text === undefined ? '' : ` of ${text.role} in ${text.database}`} takes ${durationText(spent.meanMs)} on average, ` +
      `${Math.round(spent.share * 100)} % of the time of all: ${inWords(spent, slower)}`,
    ...(spent.isNew && spent.since !== undefined && { since: spent.since }),
    measured: measurementsOf(spent, limits, look),
    rows: [rowOf(spent, texts)],
    ...(text !== undefined && { involves: [databaseEntity(look.target, text.database)] }),
  };
}

/** How many times slower than before the window; absent: it is not, or there is no before. */
function slowerBy({ meanMs, meanBeforeMs }: Spent, limits: SlowLimits): number | undefined {
  if (meanBeforeMs === undefined || meanBeforeMs <= 0) return undefined;
  const times = meanMs / meanBeforeMs;
  return times >= limits.slowerRatio ? times : undefined;
}

function inWords({ isNew, meanBeforeMs }: Spent, slower: number | undefined): string {
  if (isNew) return 'it is new';
  if (slower === undefined) return 'it was always so';
  return `${slower.toFixed(slower < 10 ? 1 : 0)} times slower than before (${durationText(meanBeforeMs ?? 0)})`;
}

function entityOf({ key }: Spent, { target }: Look): Entity {
  return statementEntity(target, key.slice(key.indexOf('/') + 1));
}

function measurementsOf(spent: Spent, limits: SlowLimits, look: Look): Measurement[] {
  const about = entityOf(spent, look);
  return [
    { name: 'meanMs', about, value: spent.meanMs, limit: limits.meanMs },
    { name: 'callsPerMinute', about, value: spent.callsPerMinute },
    { name: 'timeShare', about, value: spent.share, limit: limits.timeShare },
  ];
}

function rowOf(spent: Spent, texts: StatementTexts): Row {
  const text = texts.get(spent.key);
  return {
    queryId: spent.key.slice(spent.key.indexOf('/') + 1),
    ...(text !== undefined && {
      database: text.database,
      role: text.role,
      statement: text.text,
    }),
    calls: spent.calls,
    mean: { durationMs: spent.meanMs },
    ...(spent.meanBeforeMs !== undefined && { meanBefore: { durationMs: spent.meanBeforeMs } }),
    rowsPerCall: spent.rowsPerCall,
  };
}

function blindSpots(
  { hasHistory }: Spending,
  statements: Pair<Statements>,
  texts: StatementTexts | BlindSpot,
): BlindSpot[] {
  return [
    ...(hasHistory
      ? []
      : [
          blindSpot(
            'no-history',
            `two samples ${durationText(statements.elapsedMs)} apart tell nothing of what statements cost, and their counters are older than the window`,
            'sweep again in a minute: the doctor keeps the first sample',
          ),
        ]),
    ...(statements.after.truncated
      ? [blindSpot('truncated', 'the cheapest statements were left out')]
      : []),
    ...(isBlindSpot(texts) ? [texts] : []),
  ];
}
