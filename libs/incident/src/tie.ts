import type { EvidenceItem } from './evidence.ts';
import { compareText, type EntityGraph } from './graph.ts';
import { linkItems, type Share } from './link.ts';
import type { Path } from './path.ts';
import type { Clause } from './playbook.ts';

/** Clocks that were compared once a sweep, and moments rounded to the second, differ by so much. */
const ORDER_SLACK_MS = 5000;

/** One candidate of a clause, held against the clauses bound before it. */
export interface Tied {
  readonly item: EvidenceItem;
  /** Absent: nothing asks for one, or it is not known. */
  readonly path?: Path;
  readonly share?: Share;
  /** What could not be decided. Empty: the ties hold. */
  readonly doubts: readonly string[];
}

export interface TieContext {
  readonly graph: EntityGraph;
  /** The end of the sweep, in our clock. */
  readonly now: Date;
  readonly itemOf: (clause: string) => EvidenceItem | undefined;
}

/** Candidates whose ties hold or cannot be decided, best first; those that contradict are dropped. */
export function tieCandidates(
  clause: Clause,
  candidates: readonly EvidenceItem[],
  context: TieContext,
): readonly Tied[] {
  const tied = candidates.flatMap((item) => tie(clause, item, context) ?? []);
  return tied.sort(compareTied);
}

function tie(clause: Clause, item: EvidenceItem, context: TieContext): Tied | undefined {
  const order = orderDoubt(clause, item, context);
  if (order === 'contradicted') return undefined;
  const doubts = order === undefined ? [] : [order];
  const from = clause.reachedFrom === undefined ? undefined : context.itemOf(clause.reachedFrom);
  // Tied to a clause that nobody could look at: nothing to compare with.
  if (from === undefined) return { item, doubts };
  const link = linkItems(context.graph, from, item, { asTie: true });
  switch (link.state) {
    case 'unrelated':
      return undefined;
    case 'unknown':
      return { item, doubts: [...doubts, link.says] };
    case 'linked':
      return {
        item,
        path: link.path,
        doubts,
        ...(link.share !== undefined && { share: link.share }),
      };
  }
}

function orderDoubt(
  clause: Clause,
  item: EvidenceItem,
  { itemOf, now }: TieContext,
): string | undefined {
  const later = clause.before === undefined ? undefined : itemOf(clause.before);
  if (later === undefined) return undefined;
  const withinMs = clause.withinMs ?? Number.POSITIVE_INFINITY;
  if (item.at === undefined) return `which came first is not known: no moment of ${item.id}`;
  if (later.at === undefined) {
    return now.getTime() - item.at.getTime() > withinMs
      ? 'contradicted'
      : `which came first is not known: no onset of ${later.id}`;
  }
  const aheadMs = later.at.getTime() - item.at.getTime();
  return aheadMs < -ORDER_SLACK_MS || aheadMs > withinMs ? 'contradicted' : undefined;
}

function compareTied(a: Tied, b: Tied): number {
  return (
    a.doubts.length - b.doubts.length ||
    lengthOf(a) - lengthOf(b) ||
    // The nearest change before the onset is the likelier one.
    (b.item.at?.getTime() ?? 0) - (a.item.at?.getTime() ?? 0) ||
    compareText(a.item.id, b.item.id)
  );
}

function lengthOf({ path }: Tied): number {
  return path?.layers.length ?? Number.MAX_SAFE_INTEGER;
}
