import { scanConditions, type ScanConditions } from './scan-conditions.ts';

/** More columns than two are for a person to decide. */
const MOST_COLUMNS = 2;

/** A table that a statement reads from its first row to its last, and what it is looking for there. */
export interface TableScan extends ScanConditions {
  /** Absent where the statement does not say. */
  readonly schema?: string;
  readonly table: string;
  /** Rows that the planner expects to remain; absent: there is no plan. */
  readonly rows?: number;
}

/** The columns of the index that would serve it: equality first. Empty: none would. */
export function indexColumns({ equal, range }: ScanConditions): string[] {
  return [...equal, ...range.slice(0, 1)].slice(0, MOST_COLUMNS);
}

/** A node of a plan; `Plans` are its inputs. */
type PlanNode = Readonly<Record<string, unknown>>;

/** Sequential scans with a condition, however deep, in what EXPLAIN (FORMAT JSON) answers. */
export function scansInPlan(plan: unknown): TableScan[] {
  const root = rootOf(plan);
  return root === undefined ? [] : scansUnder(root);
}

/** What the planner expects all of it to cost; absent: it is no plan. */
export function costOfPlan(plan: unknown): number | undefined {
  const cost = rootOf(plan)?.['Total Cost'];
  return typeof cost === 'number' ? cost : undefined;
}

export function usesIndex(plan: unknown, index: string): boolean {
  const uses = (node: PlanNode): boolean =>
    node['Index Name'] === index || inputsOf(node).some(uses);
  const root = rootOf(plan);
  return root !== undefined && uses(root);
}

function rootOf(plan: unknown): PlanNode | undefined {
  const [first] = Array.isArray(plan) ? (plan as PlanNode[]) : [];
  const root = first?.['Plan'];
  return isNode(root) ? root : undefined;
}

function inputsOf(node: PlanNode): PlanNode[] {
  const inputs = node['Plans'];
  return Array.isArray(inputs) ? inputs.filter(isNode) : [];
}

function scansUnder(node: PlanNode): TableScan[] {
  const below = inputsOf(node).flatMap(scansUnder);
  const { 'Node Type': type, 'Relation Name': table, Schema: schema, Filter: filter } = node;
  if (type !== 'Seq Scan' || typeof table !== 'string' || typeof filter !== 'string') return below;
  return [
    {
      ...(typeof schema === 'string' && { schema }),
      table,
      rows: Number(node['Plan Rows'] ?? 0),
      ...scanConditions(filter),
    },
    ...below,
  ];
}

function isNode(value: unknown): value is PlanNode {
  return typeof value === 'object' && value !== null;
}
