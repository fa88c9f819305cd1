import { entityKey, passageOf, type Entity, type Relation } from '@starr/kernel';
import {
  compareText,
  heldSince,
  identifies,
  type EntityGraph,
  type GraphEdge,
  type GraphNode,
} from './graph.ts';
import type { Path } from './path.ts';

/** Longer chains explain nothing that a person would believe. */
const MAX_EDGES = 8;
/** The word of parts: pod of deployment, revision of deployment, process of service. */
const PART = 'of';
/** The word by which trouble travels between services. */
const CALLS = 'calls';

export interface PathSearchOptions {
  /** Default and largest: 8. */
  readonly maxEdges?: number;
  /** Relations that had ceased before this do not count. Absent: only those that hold. */
  readonly moment?: Date;
  /** False: stays within what is one thing, and does not follow calls between services. Default: true. */
  readonly overCalls?: boolean;
}

interface State {
  readonly node: GraphNode;
  /** How the node was entered, as far as it decides how it may be left. */
  readonly entered: string;
  /** Went from a part to its whole, and has not been called away since. */
  readonly hasRisen: boolean;
  readonly arrivals: { readonly from: State; readonly edge: GraphEdge }[];
}

/**
 * Shortest paths that respect passage; undefined: not connected within the bound. Hubs are ends only.
 * An address is passed only from or to its one holder. A path does not go up to a whole and down to another part of it
 * (pod of deployment, revision of deployment): that two things are parts of one says nothing about either.
 */
export function searchPaths(
  graph: EntityGraph,
  from: readonly Entity[],
  to: readonly Entity[],
  { maxEdges = MAX_EDGES, moment, overCalls = true }: PathSearchOptions = {},
): Path | undefined {
  const shared = touching(graph, from, to, moment);
  if (shared.length > 0) return { layers: [shared], relations: [] };
  const wanted = new Set(to.map((entity) => graph.idOf(entity)));
  for (const level of levels(graph, from, { maxEdges, moment, overCalls })) {
    const arrived = level.filter((state) => wanted.has(state.node.id) && mayEnd(state, moment));
    if (arrived.length > 0) return pathBack(arrived);
  }
  return undefined;
}

/** Everything that searchPaths would find a path to: the ids of its nodes, those of `from` included. */
export function reachFrom(
  graph: EntityGraph,
  from: readonly Entity[],
  { maxEdges = MAX_EDGES, moment, overCalls = true }: PathSearchOptions = {},
): ReadonlySet<string> {
  const starts = from.map((entity) => graph.idOf(entity)).sort(compareText);
  const key = [maxEdges, moment?.getTime(), overCalls, ...starts].join('\n');
  const known = graph.reached.get(key);
  if (known !== undefined) return known;
  const reached = new Set(touching(graph, from, from, moment).map((entity) => graph.idOf(entity)));
  for (const level of levels(graph, from, { maxEdges, moment, overCalls })) {
    for (const state of level) if (mayEnd(state, moment)) reached.add(state.node.id);
  }
  graph.reached.set(key, reached);
  return reached;
}

interface Walk {
  readonly maxEdges: number;
  readonly moment: Date | undefined;
  readonly overCalls: boolean;
}

/** Breadth first: all states at one edge from the start, at two, and so on. */
function* levels(
  graph: EntityGraph,
  from: readonly Entity[],
  { maxEdges, moment, overCalls }: Walk,
): Generator<readonly State[]> {
  let frontier = startStates(graph, from);
  const seen = new Set(frontier.keys());
  for (let depth = 1; depth <= Math.min(maxEdges, MAX_EDGES); depth += 1) {
    const next = new Map<string, State>();
    for (const state of frontier.values()) {
      for (const edge of exits(state, depth === 1, moment)) {
        if (overCalls || edge.relation.is !== CALLS) arrive(graph, next, seen, state, edge);
      }
    }
    yield [...next.values()];
    for (const key of next.keys()) seen.add(key);
    frontier = next;
  }
}

/** Both speak of the same thing: a path without an edge. */
function touching(
  graph: EntityGraph,
  from: readonly Entity[],
  to: readonly Entity[],
  moment: Date | undefined,
): readonly Entity[] {
  const ids = new Set(from.map((entity) => graph.idOf(entity)));
  return uniqueEntities(
    to.filter((entity) => ids.has(graph.idOf(entity)) && meansOne(graph, entity, moment)),
  );
}

/** Two things that involve one shared address may be of two holders. */
function meansOne(graph: EntityGraph, entity: Entity, moment: Date | undefined): boolean {
  if (passageOf(entity.kind) !== 'unless-shared') return true;
  const node = graph.node(graph.idOf(entity));
  return node?.holding.some((edge) => identifies(edge, node, moment)) ?? false;
}

function startStates(graph: EntityGraph, from: readonly Entity[]): Map<string, State> {
  const states = new Map<string, State>();
  for (const entity of from) {
    const node = graph.node(graph.idOf(entity));
    if (node === undefined) continue;
    const state: State = { node, entered: '', hasRisen: false, arrivals: [] };
    states.set(keyOf(state), state);
  }
  return states;
}

function arrive(
  graph: EntityGraph,
  next: Map<string, State>,
  seen: ReadonlySet<string>,
  state: State,
  edge: GraphEdge,
): void {
  const node = graph.node(edge.from === state.node.id ? edge.to : edge.from);
  if (node === undefined || cameOver(state, node)) return;
  const fresh: State = {
    node,
    entered: enteredBy(node, edge),
    hasRisen: risesBy(edge, state),
    arrivals: [],
  };
  const key = keyOf(fresh);
  if (seen.has(key)) return;
  const known = next.get(key) ?? fresh;
  known.arrivals.push({ from: state, edge });
  next.set(key, known);
}

/** A walk that comes back to where it was is no path: it would undo what it went through. */
function cameOver(state: State, node: GraphNode): boolean {
  for (let at: State | undefined = state; at !== undefined; at = at.arrivals[0]?.from) {
    if (at.node === node) return true;
  }
  return false;
}

function keyOf({ node, entered, hasRisen }: Omit<State, 'arrivals'>): string {
  return `${node.id}\n${entered}\n${hasRisen}`;
}

function risesBy({ relation, from }: GraphEdge, state: State): boolean {
  if (relation.is === CALLS) return false;
  return state.hasRisen || (relation.is === PART && from === state.node.id);
}

function enteredBy(node: GraphNode, edge: GraphEdge): string {
  switch (node.passage) {
    case 'no':
      return '';
    case 'yes':
      return edge.to === node.id ? edge.relation.is : '';
    case 'unless-shared':
      return edge.to === node.id ? edge.from : edge.to;
  }
}

function exits(state: State, isStart: boolean, moment: Date | undefined): readonly GraphEdge[] {
  const { node, entered, hasRisen } = state;
  const held = node.edges.filter(
    (edge) =>
      heldSince(edge, moment) && !(hasRisen && edge.relation.is === PART && edge.to === node.id),
  );
  switch (node.passage) {
    case 'no':
      return isStart ? held : [];
    case 'yes':
      return held.filter((edge) => edge.to !== node.id || edge.relation.is !== entered);
    case 'unless-shared': {
      const others = held.filter((edge) => edge.from !== entered && edge.to !== entered);
      if (cameFromHolder(state, moment)) return others;
      return others.filter((edge) => identifies(edge, node, moment));
    }
  }
}

function cameFromHolder({ node, entered }: State, moment: Date | undefined): boolean {
  return node.holding.some((edge) => edge.from === entered && identifies(edge, node, moment));
}

/** A shared address is no end either: read backwards, the path would start there and not know whom to follow. */
function mayEnd(state: State, moment: Date | undefined): boolean {
  return state.node.passage !== 'unless-shared' || cameFromHolder(state, moment);
}

function pathBack(arrived: readonly State[]): Path {
  const layers: (readonly Entity[])[] = [];
  const relations = new Map<string, Relation>();
  let level: ReadonlySet<State> = new Set(arrived);
  while (level.size > 0) {
    layers.unshift(uniqueEntities([...level].map((state) => state.node.entity)));
    const before = new Set<State>();
    for (const state of level) {
      for (const { from, edge } of state.arrivals) {
        before.add(from);
        relations.set(`${edge.from}\n${edge.relation.is}\n${edge.to}`, edge.relation);
      }
    }
    level = before;
  }
  const sorted = [...relations].sort(([a], [b]) => compareText(a, b));
  return { layers, relations: sorted.map(([, relation]) => relation) };
}

function uniqueEntities(entities: readonly Entity[]): readonly Entity[] {
  const byKey = new Map(entities.map((entity) => [entityKey(entity), entity]));
  return [...byKey].sort(([a], [b]) => compareText(a, b)).map(([, entity]) => entity);
}
