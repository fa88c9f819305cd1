import type { Effect, Look, Measurement, Pair } from '@starr/kernel';
import { spendingOf, type Spent } from '../diagnostics/statement-spending.ts';
import { statementEntity, tableEntity } from '../entities.ts';
import type { MaintainableTable } from '../reads/maintainable.ts';
import type { Statements } from '../reads/statements.ts';
import type { Tables } from '../reads/tables.ts';

/** Samples closer than this tell nothing of a rate. */
const LEAST_WINDOW_MS = 1000;

/** What the statement cost lately; undefined: it was not named, or did not run. */
export function spentOn(
  statements: Pair<Statements>,
  queryId: string | undefined,
  look: Look,
): Spent | undefined {
  if (queryId === undefined) return undefined;
  return spendingOf(statements, LEAST_WINDOW_MS, look).spent.find(({ key }) =>
    key.endsWith(`/${queryId}`),
  );
}

function queryIdOf({ key }: Spent): string {
  return key.slice(key.indexOf('/') + 1);
}

/** The time before stands beside the plan; the effect measures it after. */
export function timeBefore(spent: Spent | undefined, { target }: Look): Measurement[] {
  if (spent === undefined) return [];
  return [
    { name: 'meanMs', about: statementEntity(target, queryIdOf(spent)), value: spent.meanMs },
  ];
}

/** The statement in half its time, or else half of the rows that sequential scans of the table read now. */
export function indexEffect(
  table: MaintainableTable,
  tables: Pair<Tables>,
  spent: Spent | undefined,
  look: Look,
): Effect {
  const timing = { settleMs: 5000, holdMs: 30_000, withinMs: 300_000, onMiss: 'ask' } as const;
  if (spent !== undefined)
    return {
      diagnostic: 'db.slow-statements',
      about: statementEntity(look.target, queryIdOf(spent)),
      measurement: 'meanMs',
      below: spent.meanMs / 2,
      ...timing,
    };
  return {
    diagnostic: 'db.missing-indexes',
    about: tableEntity(look.target, table.schema, table.name),
    measurement: 'seqRowsPerMinute',
    below: Math.max(1, seqRowsPerMinute(table, tables) / 2),
    ...timing,
  };
}

function seqRowsPerMinute(
  { oid }: MaintainableTable,
  { before, after, elapsedMs }: Pair<Tables>,
): number {
  const now = after.tables.find((table) => table.oid === oid);
  const then = before.tables.find((table) => table.oid === oid);
  if (now === undefined || then === undefined || elapsedMs <= 0) return 0;
  return Math.max(0, ((now.seqRows - then.seqRows) * 60_000) / elapsedMs);
}
