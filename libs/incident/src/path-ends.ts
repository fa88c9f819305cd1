import type { Entity } from '@starr/kernel';
import { compareText, heldSince, holdersOf, identifies, type EntityGraph } from './graph.ts';
import type { PathEnd } from './path.ts';

/** The addresses by which something is known, and what they say of who is behind them. */
export interface OwnAddresses {
  readonly identified: readonly Entity[];
  /** Those that do not say it. Sorted. */
  readonly ends: readonly PathEnd[];
}

/** application ← client – address: so far an address is a thing's own, and not somebody else's. */
const OWN_EDGES = 2;

/** Kept as long as the graph: every pair of findings without a path asks for both its sides. */
const known = new WeakMap<EntityGraph, Map<string, OwnAddresses>>();

export function ownAddresses(
  graph: EntityGraph,
  entities: readonly Entity[],
  moment?: Date,
): OwnAddresses {
  const ofGraph = known.get(graph) ?? new Map<string, OwnAddresses>();
  known.set(graph, ofGraph);
  const key = [moment?.getTime(), ...entities.map((entity) => graph.idOf(entity))].join('\n');
  const own = ofGraph.get(key) ?? lookUp(graph, entities, moment);
  ofGraph.set(key, own);
  return own;
}

function lookUp(
  graph: EntityGraph,
  entities: readonly Entity[],
  moment: Date | undefined,
): OwnAddresses {
  const identified: Entity[] = [];
  const ends: PathEnd[] = [];
  // Where pods are known at all, a pod is what a person looks for behind an address.
  const hasPods = graph.kinds.has('pod');
  for (const id of nearby(graph, entities, moment)) {
    const node = graph.node(id);
    if (node?.passage !== 'unless-shared') continue;
    if (node.holding.some((edge) => identifies(edge, node, moment))) {
      identified.push(node.entity);
      continue;
    }
    const { count, kind } = holdersOf(node, moment);
    ends.push({
      at: node.entity,
      holders: count,
      missing: hasPods ? 'pod' : (kind ?? 'pod'),
      ...(kind !== undefined && { holderKind: kind }),
    });
  }
  return { identified, ends };
}

function nearby(
  graph: EntityGraph,
  entities: readonly Entity[],
  moment: Date | undefined,
): readonly string[] {
  const seen = new Set(entities.map((entity) => graph.idOf(entity)));
  let level = [...seen];
  for (let depth = 0; depth < OWN_EDGES; depth += 1) {
    const next: string[] = [];
    for (const id of level) {
      const node = graph.node(id);
      // What hangs on a hub, or on an address, is nobody's own.
      if (node?.passage !== 'yes') continue;
      for (const edge of node.edges) {
        const other = edge.from === id ? edge.to : edge.from;
        if (seen.has(other) || !heldSince(edge, moment)) continue;
        seen.add(other);
        next.push(other);
      }
    }
    level = next;
  }
  return [...seen].sort(compareText);
}
