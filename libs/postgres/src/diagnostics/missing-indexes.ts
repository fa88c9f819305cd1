import {
  blindSpot,
  defineDiagnostic,
  durationText,
  isBlindSpot,
  optional,
  windowed,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
  type Pair,
} from '@starr/kernel';
import { databaseEntity, serverEntity, statementEntity, tableEntity } from '../entities.ts';
import { quoteIdentifier } from '../quote-identifier.ts';
import { indexesRead } from '../reads/indexes.ts';
import { statementScansRead } from '../reads/statement-scans.ts';
import { statementRunsRead } from '../reads/statement-runs.ts';
import { statementsRead } from '../reads/statements.ts';
import { tablesRead, type Tables, type TableStats } from '../reads/tables.ts';
import { bytesText } from './bytes-text.ts';
import { deniedPlans, evidenceText, unknownUse } from './index-evidence.ts';
import { boundsOf } from './looked-at.ts';
import { missingIndexesIn, type MissingIndex } from './missing-index.ts';
import { spendingOf } from './statement-spending.ts';

const MOST_FINDINGS = 5;
const MOST_STATEMENTS = 5;

const thresholds = {
  tableBytes: {
    value: 10 * 1024 ** 2,
    unit: 'bytes',
    says: 'size of a table, as of the planner, below which reading it whole is no harm',
    source: 'pganalyze-docs index-advisor/configuration.mdx (tables from 10 MB)',
  },
  meanMs: {
    value: 20,
    unit: 'ms',
    says: 'mean time of the statement within the window',
    source: 'ankane/pghero lib/pghero/methods/suggested_indexes.rb (20 ms and 50 calls)',
  },
  calls: {
    value: 50,
    unit: 'count',
    says: 'calls of the statement within the window, below which nothing is concluded',
    source: 'ankane/pghero lib/pghero/methods/suggested_indexes.rb (20 ms and 50 calls)',
  },
  rowsRatio: {
    value: 0.1,
    unit: 'ratio',
    says: 'rows that the planner expects to remain, of the table: an index that finds more is not used',
    source:
      'Starr: random pages cost four times sequential ones, and a row is seldom alone on its page',
  },
  rowsPerScan: {
    value: 10_000,
    unit: 'count',
    says: 'rows that a sequential scan reads; without a plan, fewer are no evidence',
    source: 'ankane/pghero lib/pghero/methods/indexes.rb (10,000 rows)',
  },
  planCost: {
    value: 100,
    unit: 'planner cost',
    says: 'cost of the statement without the index, asked of HypoPG: below it an index is not worth its writes',
    source: 'ankane/dexter lib/dexter/indexer.rb (cost from 100)',
  },
  costSaving: {
    value: 0.5,
    unit: 'ratio',
    says: 'share of that cost that the index must save, asked of HypoPG',
    source: 'ankane/dexter lib/dexter/indexer.rb (50 % saved)',
  },
  criticalShare: {
    value: 0.5,
    unit: 'ratio',
    says: 'share of the time of all statements that is critical',
    source: 'Starr: it then takes more time than all others together',
  },
  windowMs: {
    value: 5000,
    unit: 'ms',
    says: 'two samples closer than this tell nothing of what statements cost',
    source: 'Starr: 50 calls of 20 ms need a fifth of it on one connection',
  },
} as const;

type IndexLimits = Limits<typeof thresholds>;

export const missingIndexes = defineDiagnostic({
  id: 'db.missing-indexes',
  title: 'Tables that are read whole for want of an index',
  explains:
    'Looks for slow, frequent statements that read a large table from end to end to find few rows. The evidence is named: where the database has HypoPG, the plan ' +
    'as if the index were there (only in the session of the doctor; an index that the planner would not use, or that saves little, is no finding); else the generic plan where this role may read the table, else the text of the ' +
    'statement together with what the table’s counters say of its scans; a ratio alone is never enough. CREATE EXTENSION hypopg, of the package postgresql-NN-hypopg, raises the evidence and changes nothing else. Proposes the columns, with what the index costs in disk and writes. Joins and expressions are left to a person. ' +
    'By hand: CREATE INDEX CONCURRENTLY, with lock_timeout, while no old transaction is open; look at pg_index.indisvalid after.',
  replaces: [
    'SELECT relname, seq_scan, seq_tup_read, idx_scan FROM pg_stat_user_tables ORDER BY seq_tup_read DESC;',
    'EXPLAIN (GENERIC_PLAN) SELECT …;',
    "SELECT hypopg_create_index('CREATE INDEX ON …'); EXPLAIN SELECT …; SELECT hypopg_reset();",
  ],
  reads: {
    tables: windowed(tablesRead),
    indexes: indexesRead,
    scans: optional(statementScansRead),
    statements: windowed(statementsRead),
    // For the join alone: who runs what.
    runs: optional(statementRunsRead),
  },
  thresholds,
  measures: {
    missingIndexes: { unit: 'count', says: 'indexes that are missing with evidence' },
    seqRowsPerMinute: {
      unit: 'per-minute',
      says: 'rows read by sequential scans; on the server: of all large tables',
    },
    meanMs: { unit: 'ms', says: 'mean time of the slowest statement that wants the index' },
    timeShare: {
      unit: 'ratio',
      says: 'share of the time of all statements that the index is wanted for',
    },
  },
  judge: ({ tables, indexes, scans, statements }, limits, look) => {
    const spending = spendingOf(statements, limits.windowMs, look);
    const missing = isBlindSpot(scans)
      ? []
      : missingIndexesIn({ scans, spending, tables, indexes: indexes.indexes, limits });
    return {
      measured: measurementsOf(tables, missing, limits, look),
      findings: missing
        .slice(0, MOST_FINDINGS)
        .map((each) => findingFrom(each, tables, limits, look)),
      blind: [
        ...boundsOf(tables.after, 'tables'),
        ...(isBlindSpot(scans) ? [scans] : []),
        ...(spending.hasHistory ? [] : [NO_HISTORY]),
        ...deniedPlans(missing, indexes.ourRole),
        ...unknownUse(missing),
      ],
    };
  },
});

const NO_HISTORY = blindSpot(
  'no-history',
  'there is no earlier sample that tells what statements cost of late',
  'sweep again in a minute: the doctor keeps the first sample',
);

function measurementsOf(
  tables: Pair<Tables>,
  missing: readonly MissingIndex[],
  limits: IndexLimits,
  look: Look,
): Measurement[] {
  const about = serverEntity(look.target);
  const large = tables.after.tables.filter(({ sizeBytes }) => sizeBytes >= limits.tableBytes);
  return [
    { name: 'missingIndexes', about, value: missing.length },
    {
      name: 'seqRowsPerMinute',
      about,
      value: large.reduce((sum, table) => sum + perMinute(table, tables, 'seqRows'), 0),
    },
    ...large.slice(0, MOST_FINDINGS * 2).map((table) => ({
      name: 'seqRowsPerMinute',
      about: tableEntity(look.target, table.schema, table.name),
      value: perMinute(table, tables, 'seqRows'),
    })),
  ];
}

/** Between two samples; 0 where the table, or its counters, began in between. */
function perMinute(
  table: TableStats,
  { before, elapsedMs }: Pair<Tables>,
  counter: 'seqRows' | 'inserted' | 'updated' | 'deleted',
): number {
  const then = before.tables.find(({ oid }) => oid === table.oid);
  if (then === undefined || elapsedMs <= 0) return 0;
  return Math.max(0, ((table[counter] - then[counter]) * 60_000) / elapsedMs);
}

function findingFrom(
  missing: MissingIndex,
  tables: Pair<Tables>,
  limits: IndexLimits,
  look: Look,
): Finding {
  const { table, columns, evidence, cost, wanted, share } = missing;
  const { database } = tables.after;
  const about = tableEntity(look.target, table.schema, table.name);
  const slowestMs = Math.max(...wanted.map(({ spent }) => spent.meanMs));
  const news = wanted.some(({ spent }) => spent.isNew) ? ', new of late' : '';
  const writes = (['inserted', 'updated', 'deleted'] as const).reduce(
    (sum, counter) => sum + perMinute(table, tables, counter),
    0,
  );
  return {
    severity: share >= limits.criticalShare ? 'critical' : 'warning',
    about,
    says:
      `${about.name} in ${database} (${bytesText(table.sizeBytes)}) is read whole by ${wanted.length === 1 ? 'a statement' : `${wanted.length} statements`} that ${wanted.length === 1 ? 'looks' : 'look'} for ${columns.join(', ')}: ` +
      `${durationText(slowestMs)} on average, ${Math.round(share * 100)} % of the time of all${news} (evidence: ${evidenceText(missing)})`,
    ...sinceOf(missing),
    measured: [
      { name: 'meanMs', about, value: slowestMs, limit: limits.meanMs },
      { name: 'timeShare', about, value: share, limit: limits.criticalShare },
      { name: 'seqRowsPerMinute', about, value: perMinute(table, tables, 'seqRows') },
    ],
    rows: wanted.slice(0, MOST_STATEMENTS).map(({ spent, text, queryId }) => ({
      schema: table.schema,
      table: table.name,
      columns: columns.join(', '),
      evidence,
      ...(cost !== undefined && { costBefore: cost.before, costAfter: cost.after }),
      queryId,
      statement: text,
      calls: spent.calls,
      mean: { durationMs: spent.meanMs },
      indexBytes: indexBytes(table, columns.length),
      writesPerMinute: writes,
      create: createText(table, columns),
    })),
    involves: [
      databaseEntity(look.target, database),
      ...wanted
        .slice(0, MOST_STATEMENTS)
        .map(({ queryId }) => statementEntity(look.target, queryId)),
    ],
  };
}

/** The first call of a statement that is new: since then it is missing. */
function sinceOf({ wanted }: MissingIndex): { since?: Date } {
  const news = wanted.flatMap(({ spent }) =>
    spent.isNew && spent.since !== undefined ? [spent.since.getTime()] : [],
  );
  return news.length === 0 ? {} : { since: new Date(Math.min(...news)) };
}

/** A rough guess: 16 bytes an entry, 8 a column, nine tenths of a page full. */
function indexBytes({ tuples }: TableStats, columns: number): number {
  return Math.round((tuples * (16 + 8 * columns)) / 0.9);
}

function createText({ schema, name }: TableStats, columns: readonly string[]): string {
  const list = columns.map(quoteIdentifier).join(', ');
  return `CREATE INDEX CONCURRENTLY ON ${quoteIdentifier(schema)}.${quoteIdentifier(name)} (${list});`;
}
