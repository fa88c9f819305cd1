import { entityKey, passageOf, type Entity, type Passage, type Relation } from '@starr/kernel';

/** `a is b`: both names mean one thing (dependency orders is postgres orders). They become one node. */
const IDENTITY = 'is';
/** `pod at address`: the word by which something holds an address. */
const HOLDS = 'at';
/**
 * Words by which an entity stands between others and one hub: breaker guards dependency, pool connects-to postgres.
 * `calls` is none of them: a service calls many.
 */
const STANDS_BEFORE: ReadonlySet<string> = new Set(['guards', 'uses', 'connects-to']);
/** Several of these at one address are no contradiction when they are inside one of those. */
const INSIDE: Readonly<Record<string, string>> = { process: 'pod' };

export interface GraphEdge {
  readonly relation: Relation;
  /** Node ids of both ends; they differ from the relation's entities where names are united. */
  readonly from: string;
  readonly to: string;
}

export interface GraphNode {
  readonly id: string;
  readonly entity: Entity;
  /** More than one where names are united. */
  readonly kinds: readonly string[];
  readonly passage: Passage;
  /** Sorted, so that a search meets them in one order whatever the order of the relations was. */
  readonly edges: readonly GraphEdge[];
  /** Those of them by which something holds this address. */
  readonly holding: readonly GraphEdge[];
  /** Some check measured it, or found something about it: it is more than a name that others mention. */
  readonly isObserved: boolean;
}

/** Who holds a shared address, as counts a kind. */
export interface Holders {
  readonly byKind: ReadonlyMap<string, number>;
  /** The kind and number that an answer names: the most holders of one kind. 0: nobody known. */
  readonly kind?: string;
  readonly count: number;
}

/** How everything hangs together. Undirected for searches; the words keep their direction. */
export interface EntityGraph {
  /** The node's id of an entity; entities without any relation have one too. */
  idOf(entity: Entity): string;
  node(id: string): GraphNode | undefined;
  /** Sorted by id. */
  readonly nodes: readonly GraphNode[];
  /** All kinds that occur. */
  readonly kinds: ReadonlySet<string>;
  /** Answers of reachFrom, kept as long as the graph: many pairs are asked for from one side. */
  readonly reached: Map<string, ReadonlySet<string>>;
}

/**
 * Equal relations are merged: since the earliest known, until the latest, none if one of them holds.
 * `observed`: what the checks' evidence is about. Default: nothing.
 */
export function createGraph(
  relations: readonly Relation[],
  observed: readonly Entity[] = [],
): EntityGraph {
  const unite = unionOf(relations);
  const merged = mergeEdges(relations, unite);
  const drafts = new Map<string, { entities: Map<string, Entity>; edges: GraphEdge[] }>();
  const draft = (id: string, entity: Entity) => {
    const known = drafts.get(id) ?? { entities: new Map<string, Entity>(), edges: [] };
    known.entities.set(entityKey(entity), entity);
    drafts.set(id, known);
    return known;
  };
  for (const { from, to } of relations) {
    draft(unite(entityKey(from)), from);
    draft(unite(entityKey(to)), to);
  }
  for (const edge of merged) {
    drafts.get(edge.from)?.edges.push(edge);
    if (edge.to !== edge.from) drafts.get(edge.to)?.edges.push(edge);
  }
  const seen = new Set(observed.map((entity) => unite(entityKey(entity))));
  const nodes = [...drafts]
    .map(([id, { entities, edges }]) => nodeOf(id, [...entities.values()], edges, seen.has(id)))
    .sort((a, b) => compareText(a.id, b.id));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return {
    idOf: (entity) => unite(entityKey(entity)),
    node: (id) => byId.get(id),
    nodes,
    kinds: new Set(nodes.flatMap(({ kinds }) => kinds)),
    reached: new Map(),
  };
}

/** Whether a relation still held at the moment; without one: whether it holds now. */
export function heldSince(edge: GraphEdge, moment: Date | undefined): boolean {
  const { until } = edge.relation;
  if (until === undefined) return true;
  return moment !== undefined && until.getTime() >= moment.getTime();
}

export function holdersOf(node: GraphNode, moment: Date | undefined): Holders {
  const byKind = new Map<string, Set<string>>();
  for (const edge of node.holding) {
    if (!heldSince(edge, moment)) continue;
    const { kind } = edge.relation.from;
    byKind.set(kind, (byKind.get(kind) ?? new Set()).add(edge.from));
  }
  const counts = [...byKind]
    .map(([kind, ids]) => [kind, ids.size] as const)
    .sort((a, b) => b[1] - a[1] || compareText(a[0], b[0]));
  const [most] = counts;
  return {
    byKind: new Map(counts),
    count: most?.[1] ?? 0,
    ...(most !== undefined && { kind: most[0] }),
  };
}

/** Whether this edge leads to the one holder of its kind, so that the address means it and nobody else. */
export function identifies(edge: GraphEdge, node: GraphNode, moment: Date | undefined): boolean {
  if (!node.holding.includes(edge) || !heldSince(edge, moment)) return false;
  const { kind } = edge.relation.from;
  const { byKind } = holdersOf(node, moment);
  for (const [other, count] of byKind) {
    // A node of a cluster holds it: everything on that node may stand behind it.
    if (passageOf(other) === 'no') return false;
    if (count > 1 && INSIDE[other] !== kind) return false;
  }
  return true;
}

/** The hubs that an entity stands before, itself included when it is one; follows `of` to its whole, two steps at most. */
export function hubsOf(graph: EntityGraph, entity: Entity): ReadonlySet<string> {
  const start = graph.idOf(entity);
  if (isHub(graph, entity)) return new Set([start, ...wholesOf(graph, start)]);
  let level = [start];
  for (let steps = 0; steps <= 2 && level.length > 0; steps += 1) {
    const hubs = new Set<string>();
    const wholes: string[] = [];
    for (const id of level) {
      for (const edge of graph.node(id)?.edges ?? []) {
        if (edge.from !== id) continue;
        if (STANDS_BEFORE.has(edge.relation.is) && graph.node(edge.to)?.passage === 'no')
          hubs.add(edge.to);
        if (edge.relation.is === 'of') wholes.push(edge.to);
      }
    }
    if (hubs.size > 0) return hubs;
    level = wholes;
  }
  return new Set();
}

/** A role or a database is of its server: what stands before that stands before it too. */
function wholesOf(graph: EntityGraph, hub: string): readonly string[] {
  return (graph.node(hub)?.edges ?? [])
    .filter(({ from, to, relation }) => from === hub && relation.is === 'of' && to !== hub)
    .map(({ to }) => to)
    .filter((id) => graph.node(id)?.passage === 'no');
}

export function isHub(graph: EntityGraph, entity: Entity): boolean {
  return (graph.node(graph.idOf(entity))?.passage ?? passageOf(entity.kind)) === 'no';
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function nodeOf(
  id: string,
  entities: readonly Entity[],
  edges: readonly GraphEdge[],
  isObserved: boolean,
): GraphNode {
  const sorted = [...entities].sort((a, b) => compareText(entityKey(a), entityKey(b)));
  const passages = sorted.map((entity) => passageOf(entity.kind));
  const ordered = [...edges].sort((a, b) => compareText(edgeKey(a), edgeKey(b)));
  return {
    id,
    entity: sorted[0] ?? { kind: 'unknown', name: id },
    kinds: [...new Set(sorted.map(({ kind }) => kind))],
    passage: passages.includes('no')
      ? 'no'
      : passages.includes('unless-shared')
        ? 'unless-shared'
        : 'yes',
    edges: ordered,
    holding: ordered.filter((edge) => edge.relation.is === HOLDS && edge.to === id),
    isObserved,
  };
}

function mergeEdges(
  relations: readonly Relation[],
  unite: (key: string) => string,
): readonly GraphEdge[] {
  const edges = new Map<string, GraphEdge>();
  for (const relation of relations) {
    const from = unite(entityKey(relation.from));
    const to = unite(entityKey(relation.to));
    // A thing says nothing of itself, and an identity is no step.
    if (from === to) continue;
    const edge: GraphEdge = { relation, from, to };
    const known = edges.get(edgeKey(edge));
    edges.set(edgeKey(edge), known === undefined ? edge : mergeEdge(known, edge));
  }
  return [...edges.values()];
}

function mergeEdge(a: GraphEdge, b: GraphEdge): GraphEdge {
  const since = [a, b].flatMap(({ relation }) => relation.since?.getTime() ?? []);
  const until = [a, b].flatMap(({ relation }) => relation.until?.getTime() ?? []);
  // Which of two united names is shown must not depend on who reported first.
  const [first] = [a, b].sort((x, y) => compareText(nameKey(x), nameKey(y)));
  const { from, is, to } = (first ?? a).relation;
  return {
    from: a.from,
    to: a.to,
    relation: {
      from,
      is,
      to,
      ...(since.length > 0 && { since: new Date(Math.min(...since)) }),
      ...(until.length === 2 && { until: new Date(Math.max(...until)) }),
    },
  };
}

function nameKey({ relation }: GraphEdge): string {
  return `${entityKey(relation.from)} ${entityKey(relation.to)}`;
}

function edgeKey(edge: GraphEdge): string {
  return `${edge.from}\n${edge.relation.is}\n${edge.to}`;
}

/** Key → the smallest key of everything that is the same by `is`. */
function unionOf(relations: readonly Relation[]): (key: string) => string {
  const parent = new Map<string, string>();
  const root = (key: string): string => {
    let at = key;
    for (let up = parent.get(at); up !== undefined; up = parent.get(at)) at = up;
    return at;
  };
  for (const { from, is, to } of relations) {
    if (is !== IDENTITY) continue;
    const [small, large] = [root(entityKey(from)), root(entityKey(to))].sort(compareText);
    if (small !== undefined && large !== undefined && small !== large) parent.set(large, small);
  }
  return root;
}
