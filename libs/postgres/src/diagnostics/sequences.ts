import {
  blindSpot,
  defineDiagnostic,
  type BlindSpot,
  type Finding,
  type Limits,
  type Look,
} from '@starr/kernel';
import { databaseEntity, serverEntity, tableEntity } from '../entities.ts';
import { sequencesRead, type Sequences, type SequenceUse } from '../reads/sequences.ts';
import { boundsOf } from './looked-at.ts';

const MOST_FINDINGS = 5;

const thresholds = {
  warnRatio: {
    value: 0.85,
    unit: 'ratio',
    says: 'use of a sequence, or of the column that it feeds, that is a warning',
    source: 'bucardo/check_postgres sequence (85 / 95 %)',
  },
  criticalRatio: {
    value: 0.95,
    unit: 'ratio',
    says: 'use that is critical',
    source: 'bucardo/check_postgres sequence (85 / 95 %)',
  },
} as const;

type SequenceLimits = Limits<typeof thresholds>;

export const sequences = defineDiagnostic({
  id: 'db.sequences',
  title: 'Sequences that run out',
  explains:
    'Compares each sequence with its end, and with what the column that it feeds can hold: an integer column fed by a bigint sequence fails at 2,147,483,647 all the same. Sequences that begin again are left out. ' +
    'The last value is shown only to who may use or read the sequence. By hand: ALTER the column to bigint (it rewrites the table under a lock), or let the sequence count below zero for the time being.',
  replaces: [
    'SELECT schemaname, sequencename, last_value, max_value FROM pg_sequences ORDER BY last_value::numeric / max_value DESC NULLS LAST;',
  ],
  reads: { sequences: sequencesRead },
  thresholds,
  measures: {
    sequences: { unit: 'count', says: 'sequences whose value could be seen' },
    useRatio: { unit: 'ratio', says: 'use of the fullest; 0 when there is none' },
    valuesLeft: { unit: 'count', says: 'values that are left in it' },
  },
  judge: ({ sequences: seen }, limits, look) => {
    const about = serverEntity(look.target);
    const blind = [...hiddenOf(seen), ...boundsOf(seen, 'sequences')];
    // None could be seen, and there are some: nothing is known.
    if (seen.sequences.length === 0 && seen.hidden > 0) return { measured: [], blind };
    const [fullest] = seen.sequences;
    return {
      measured: [
        { name: 'sequences', about, value: seen.sequences.length },
        { name: 'useRatio', about, value: fullest?.useRatio ?? 0, limit: limits.warnRatio },
      ],
      findings: seen.sequences
        .filter(({ useRatio }) => useRatio >= limits.warnRatio)
        .slice(0, MOST_FINDINGS)
        .map((each) => findingFrom(each, seen, limits, look)),
      blind,
    };
  },
});

function hiddenOf({ hidden, hiddenSchemas, ourRole }: Sequences): BlindSpot[] {
  if (hidden === 0) return [];
  return [
    blindSpot(
      'denied',
      `how far ${hidden} ${hidden === 1 ? 'sequence has' : 'sequences have'} come is hidden from ${ourRole}`,
      `GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${hiddenSchemas.join(', ')} TO ${ourRole};`,
    ),
  ];
}

function findingFrom(
  { schema, name, feeds, feedsTable, type, useRatio, left }: SequenceUse,
  { database }: Sequences,
  limits: SequenceLimits,
  look: Look,
): Finding {
  const about =
    feedsTable === '' ? serverEntity(look.target) : tableEntity(look.target, schema, feedsTable);
  const what = feeds === '' ? '' : `, which feeds ${feeds},`;
  return {
    severity: useRatio >= limits.criticalRatio ? 'critical' : 'warning',
    about,
    says: `the sequence ${schema}.${name}${what} in ${database} is used to ${Math.floor(useRatio * 100)} % as ${type}: ${left} values are left, then inserts fail`,
    measured: [
      { name: 'useRatio', about, value: useRatio, limit: limits.warnRatio },
      { name: 'valuesLeft', about, value: left },
    ],
    rows: [{ sequence: `${schema}.${name}`, feeds, type, useRatio, left }],
    involves: [databaseEntity(look.target, database)],
  };
}
