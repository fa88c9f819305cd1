import {
  blindSpot,
  defineDiagnostic,
  type BlindSpot,
  type Finding,
  type Limits,
  type Look,
} from '@starr/kernel';
import { databaseEntity, serverEntity, tableEntity } from '../entities.ts';
import { indexesRead, type IndexInfo, type Indexes } from '../reads/indexes.ts';
import { bytesText } from './bytes-text.ts';
import { boundsOf } from './looked-at.ts';

const MOST_FINDINGS = 10;

const thresholds = {
  invalidIndexes: {
    value: 1,
    unit: 'count',
    says: 'invalid indexes of a table, not being built, that are a finding',
    source:
      'measured on PostgreSQL 13 to 18: a build that fails leaves an index that is paid for and never read',
  },
} as const;

type InvalidLimits = Limits<typeof thresholds>;

export const invalidIndexes = defineDiagnostic({
  id: 'db.invalid-indexes',
  title: 'Indexes that failed to build',
  explains:
    'Finds indexes that are not valid and that nobody is building: CREATE or REINDEX INDEX CONCURRENTLY was ended by a lock or statement timeout and left them. ' +
    'No query uses them, yet most are kept up at every write, and CREATE INDEX IF NOT EXISTS takes them for done. ' +
    'By hand: DROP INDEX CONCURRENTLY, or REINDEX INDEX CONCURRENTLY to have it.',
  replaces: [
    'SELECT indexrelid::regclass, indrelid::regclass, indisready FROM pg_index WHERE NOT indisvalid;',
  ],
  reads: { indexes: indexesRead },
  thresholds,
  measures: {
    invalidIndexes: { unit: 'count', says: 'indexes that are not valid and not being built' },
    buildingIndexes: { unit: 'count', says: 'indexes that are being built' },
    invalidBytes: { unit: 'bytes', says: 'what the invalid ones take, as of the planner' },
  },
  judge: ({ indexes }, limits, look) => {
    const notValid = indexes.indexes.filter(({ isValid }) => !isValid);
    // Whether they are being built is hidden: they are no finding, and the blind spot says why.
    const invalid = indexes.hidesBuilds ? [] : notValid.filter(({ isBuilding }) => !isBuilding);
    const about = serverEntity(look.target);
    const tables = Map.groupBy(invalid, ({ schema, table }) => `${schema}.${table}`);
    return {
      measured: [
        {
          name: 'invalidIndexes',
          about,
          value: invalid.length,
          limit: limits.invalidIndexes,
        },
        { name: 'buildingIndexes', about, value: notValid.length - invalid.length },
        { name: 'invalidBytes', about, value: bytesOf(invalid) },
      ],
      findings: [...tables.values()]
        .filter((group) => group.length >= limits.invalidIndexes)
        .slice(0, MOST_FINDINGS)
        .map((group) => findingFrom(group, indexes, limits, look)),
      blind: [...hiddenBuilds(indexes, notValid), ...boundsOf(indexes, 'indexes')],
    };
  },
});

function hiddenBuilds(
  { hidesBuilds, ourRole }: Indexes,
  notValid: readonly IndexInfo[],
): BlindSpot[] {
  if (!hidesBuilds || notValid.length === 0) return [];
  return [
    blindSpot(
      'redacted',
      `an index is being built, and which one is hidden from ${ourRole}: ${notValid.length} that are not valid could be it`,
      `GRANT pg_monitor TO ${ourRole};`,
    ),
  ];
}

function bytesOf(indexes: readonly IndexInfo[]): number {
  return indexes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function findingFrom(
  group: readonly IndexInfo[],
  { database }: Indexes,
  limits: InvalidLimits,
  look: Look,
): Finding {
  const [first] = group;
  if (first === undefined) throw new TypeError('a group has a member');
  const about = tableEntity(look.target, first.schema, first.table);
  const names = group.map(({ name }) => name).join(', ');
  const paid = group.some(({ isReady }) => isReady)
    ? '; every write of the table pays for it, no query uses it'
    : '; no query uses it';
  return {
    severity: 'warning',
    about,
    says: `${names} on ${about.name} in ${database} ${group.length === 1 ? 'is' : 'are'} invalid: a build of it failed (${bytesText(bytesOf(group))})${paid}`,
    measured: [
      { name: 'invalidIndexes', about, value: group.length, limit: limits.invalidIndexes },
      { name: 'invalidBytes', about, value: bytesOf(group) },
    ],
    rows: group.map(({ schema, table, name, isReady, sizeBytes, tableWrites }) => ({
      schema,
      table,
      index: name,
      paidAtWrites: isReady,
      sizeBytes,
      tableWrites,
    })),
    involves: [databaseEntity(look.target, database)],
  };
}
