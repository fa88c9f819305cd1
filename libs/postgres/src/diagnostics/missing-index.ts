import type { Pair } from '@starr/kernel';
import type { IndexInfo } from '../reads/indexes.ts';
import { indexColumns, type TableScan } from '../reads/plan-scans.ts';
import type { PlannedIndex, StatementScans } from '../reads/statement-scans.ts';
import type { Tables, TableStats } from '../reads/tables.ts';
import type { Spending, Spent } from './statement-spending.ts';

/** From the strongest to the weakest. */
const LEVELS = ['HypoPG', 'generic plan', 'statement text'] as const;

/** A statement that would use the index. */
export interface Wanted {
  readonly queryId: string;
  /** Without its literals. */
  readonly text: string;
  readonly spent: Spent;
}

export interface MissingIndex {
  readonly table: TableStats;
  /** Equality first. */
  readonly columns: readonly string[];
  readonly evidence: (typeof LEVELS)[number];
  /** What the planner expects of the statement without and with the index; absent: HypoPG was not asked. */
  readonly cost?: { readonly before: number; readonly after: number };
  /** Why HypoPG, which is there, could not tell. */
  readonly unknown?: PlannedIndex & { readonly kind: 'unknown' };
  /** Most time first. */
  readonly wanted: readonly Wanted[];
  /** Of the time of all statements, 0–1. */
  readonly share: number;
  /** Absent: the evidence is a plan. */
  readonly whyNoPlan?: string;
}

export interface MissingIndexLimits {
  readonly tableBytes: number;
  readonly meanMs: number;
  readonly calls: number;
  readonly rowsRatio: number;
  readonly rowsPerScan: number;
  readonly windowMs: number;
  readonly planCost: number;
  readonly costSaving: number;
}

interface Given {
  readonly scans: readonly StatementScans[];
  readonly spending: Spending;
  readonly tables: Pair<Tables>;
  readonly indexes: readonly IndexInfo[];
  readonly limits: MissingIndexLimits;
}

interface Candidate extends Omit<MissingIndex, 'wanted' | 'share'> {
  readonly wanted: Wanted;
}

/** Most time first; one for each table and list of columns. */
export function missingIndexesIn(given: Given): MissingIndex[] {
  const spentBy = new Map(given.spending.spent.map((spent) => [queryIdOf(spent), spent]));
  const candidates = given.scans.flatMap((statement) => {
    const spent = spentBy.get(statement.queryId);
    if (spent === undefined || spent.calls < given.limits.calls) return [];
    if (spent.meanMs < given.limits.meanMs) return [];
    return statement.scans.flatMap((scan) => candidateFrom(scan, statement, spent, given));
  });
  const groups = Map.groupBy(candidates, ({ table, columns }) => `${table.oid} ${columns.join()}`);
  return [...groups.values()].map(merged).sort((a, b) => b.share - a.share);
}

function queryIdOf({ key }: Spent): string {
  return key.slice(key.indexOf('/') + 1);
}

function candidateFrom(
  scan: TableScan,
  { queryId, text, evidence, whyNoPlan, trials }: StatementScans,
  spent: Spent,
  given: Given,
): Candidate[] {
  const table = tableOf(scan, given.tables.after);
  const columns = indexColumns(scan);
  if (table === undefined || columns.length === 0) return [];
  if (table.sizeBytes < given.limits.tableBytes) return [];
  if (scan.rows !== undefined && scan.rows > table.tuples * given.limits.rowsRatio) return [];
  if (given.indexes.some((index) => serves(index, table, scan))) return [];
  if (!isReadWhole(table, evidence, given)) return [];
  const trial = trials.find((each) => isOf(each, table, columns));
  if (trial?.kind === 'planned' && !pays(trial, given.limits)) return [];
  return [
    {
      table,
      columns,
      evidence,
      ...evidenceOf(trial),
      wanted: { queryId, text, spent },
      ...(whyNoPlan !== undefined && { whyNoPlan }),
    },
  ];
}

function isOf(trial: PlannedIndex, table: TableStats, columns: readonly string[]): boolean {
  return (
    trial.schema === table.schema &&
    trial.table === table.name &&
    trial.columns.join() === columns.join()
  );
}

/** The planner has the last word: an index that it would not use, or that saves little, is not missing. */
function pays(
  { isUsed, costBefore, costAfter }: PlannedIndex & { readonly kind: 'planned' },
  { planCost, costSaving }: MissingIndexLimits,
): boolean {
  return isUsed && costBefore >= planCost && (costBefore - costAfter) / costBefore >= costSaving;
}

function evidenceOf(
  trial: PlannedIndex | undefined,
): Pick<MissingIndex, 'cost' | 'unknown'> & { readonly evidence?: 'HypoPG' } {
  if (trial === undefined) return {};
  if (trial.kind === 'unknown') return { unknown: trial };
  return { evidence: 'HypoPG', cost: { before: trial.costBefore, after: trial.costAfter } };
}

/** A name without a schema must be that of one table alone. */
function tableOf({ schema, table }: TableScan, { tables }: Tables): TableStats | undefined {
  const named = tables.filter(
    (each) => each.name === table && (schema === undefined || each.schema === schema),
  );
  return named.length === 1 ? named[0] : undefined;
}

/** An index that begins with one of the columns is there: why it is not used is another question. */
function serves(
  { isValid, predicate, columns, ...index }: IndexInfo,
  table: TableStats,
  scan: TableScan,
): boolean {
  if (index.schema !== table.schema || index.table !== table.name) return false;
  const [first] = columns;
  if (!isValid || predicate !== '' || first === undefined) return false;
  return [...scan.equal, ...scan.range].includes(first);
}

/** The table's own counters must agree: with a plan that it is scanned at all, without one that it is read from end to end. */
function isReadWhole(
  table: TableStats,
  evidence: StatementScans['evidence'],
  { tables: { before, elapsedMs }, limits }: Given,
): boolean {
  const then = before.tables.find(({ oid }) => oid === table.oid);
  const base = elapsedMs >= limits.windowMs && then !== undefined ? then : NOTHING;
  const scans = table.seqScans - base.seqScans;
  if (evidence === 'generic plan') return scans > 0;
  return scans > 0 && (table.seqRows - base.seqRows) / scans >= limits.rowsPerScan;
}

const NOTHING = { seqScans: 0, seqRows: 0 };

function merged(group: readonly Candidate[]): MissingIndex {
  const [first] = group.toSorted((a, b) => LEVELS.indexOf(a.evidence) - LEVELS.indexOf(b.evidence));
  if (first === undefined) throw new TypeError('a group has a member');
  const wanted = group.map((each) => each.wanted).sort((a, b) => b.spent.totalMs - a.spent.totalMs);
  return {
    ...first,
    wanted,
    share: Math.min(
      1,
      wanted.reduce((sum, { spent }) => sum + spent.share, 0),
    ),
  };
}
