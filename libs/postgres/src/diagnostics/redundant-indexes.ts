import { defineDiagnostic, type Finding, type Limits, type Look } from '@starr/kernel';
import { databaseEntity, serverEntity, tableEntity } from '../entities.ts';
import { indexesRead, type IndexInfo, type Indexes } from '../reads/indexes.ts';
import { bytesText } from './bytes-text.ts';
import { boundsOf } from './looked-at.ts';

const MOST_FINDINGS = 10;

const thresholds = {
  sizeBytes: {
    value: 10 * 1024 ** 2,
    unit: 'bytes',
    says: 'size of an index, as of the planner, below which it costs nobody anything',
    source: 'ankane/pghero lib/pghero/methods/indexes.rb (unused from 10 MB)',
  },
} as const;

type RedundantLimits = Limits<typeof thresholds>;

export const redundantIndexes = defineDiagnostic({
  id: 'db.redundant-indexes',
  title: 'Indexes that another one covers',
  explains:
    'Finds B-tree indexes whose columns are the first columns of another valid index of the same table, with the same order, operators, collation and predicate, or that are the same twice. ' +
    'Every write pays for both. Indexes that a constraint or the replica identity needs are never named, nor is one merely for being unused. ' +
    'By hand, on a quiet day: DROP INDEX CONCURRENTLY the shorter one.',
  replaces: [
    'SELECT indrelid::regclass, array_agg(indexrelid::regclass) FROM pg_index GROUP BY indrelid, indkey HAVING count(*) > 1;',
  ],
  reads: { indexes: indexesRead },
  thresholds,
  measures: {
    redundantIndexes: { unit: 'count', says: 'indexes that another covers, however small' },
    redundantBytes: { unit: 'bytes', says: 'what they take, as of the planner' },
  },
  judge: ({ indexes }, limits, look) => {
    const pairs = pairsOf(indexes.indexes);
    const about = serverEntity(look.target);
    return {
      measured: [
        { name: 'redundantIndexes', about, value: pairs.length },
        { name: 'redundantBytes', about, value: bytesOf(pairs) },
      ],
      findings: pairs
        .filter(({ index }) => index.sizeBytes >= limits.sizeBytes)
        .slice(0, MOST_FINDINGS)
        .map((pair) => findingFrom(pair, indexes, limits, look)),
      blind: boundsOf(indexes, 'indexes'),
    };
  },
});

interface Redundant {
  readonly index: IndexInfo;
  readonly covers: IndexInfo;
}

/** Largest first. Of two that are equal, the one that is read less goes. */
function pairsOf(indexes: readonly IndexInfo[]): Redundant[] {
  const usable = indexes.filter(({ isValid, method }) => isValid && method === 'btree');
  const tables = Map.groupBy(usable, ({ schema, table }) => `${schema}.${table}`);
  return [...tables.values()]
    .flatMap((own) =>
      own.flatMap((index) => {
        if (index.isNeeded || index.isUnique) return [];
        const covers = own.find((other) => isCovered(index, other));
        return covers === undefined ? [] : [{ index, covers }];
      }),
    )
    .sort((a, b) => b.index.sizeBytes - a.index.sizeBytes);
}

function isCovered(index: IndexInfo, by: IndexInfo): boolean {
  if (index === by || index.predicate !== by.predicate) return false;
  if (index.columns.length > by.columns.length) return false;
  const isPrefix = index.columns.every(
    (column, at) => column === by.columns[at] && index.keyDetails[at] === by.keyDetails[at],
  );
  if (!isPrefix || !sameExpressions(index, by)) return false;
  const carried = [...by.columns, ...by.included];
  if (!index.included.every((column) => carried.includes(column))) return false;
  if (index.columns.length < by.columns.length || by.isNeeded || by.isUnique) return true;
  // The same twice: exactly one of the two is named.
  return index.scans < by.scans || (index.scans === by.scans && index.oid > by.oid);
}

/** Which expression stands at which place cannot be told from their list: all must be the same, and as many. */
function sameExpressions(index: IndexInfo, by: IndexInfo): boolean {
  return index.expressions === by.expressions;
}

function bytesOf(pairs: readonly Redundant[]): number {
  return pairs.reduce((sum, { index }) => sum + index.sizeBytes, 0);
}

function findingFrom(
  { index, covers }: Redundant,
  { database }: Indexes,
  limits: RedundantLimits,
  look: Look,
): Finding {
  const about = tableEntity(look.target, index.schema, index.table);
  return {
    severity: 'warning',
    about,
    says: `${index.name} on ${about.name} in ${database} (${bytesText(index.sizeBytes)}) does nothing that ${covers.name} does not do; every write pays for both`,
    measured: [{ name: 'redundantBytes', about, value: index.sizeBytes, limit: limits.sizeBytes }],
    rows: [index, covers].map((each) => ({
      schema: each.schema,
      table: each.table,
      index: each.name,
      columns: [...each.columns, ...each.included.map((column) => `+${column}`)].join(', '),
      sizeBytes: each.sizeBytes,
      scans: each.scans,
      tableWrites: each.tableWrites,
    })),
    involves: [databaseEntity(look.target, database)],
  };
}
