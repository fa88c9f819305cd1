import type { Entity } from '@starr/kernel';
import type { EvidenceItem } from './evidence.ts';
import { hubsOf, isHub, type EntityGraph } from './graph.ts';
import { ownAddresses } from './path-ends.ts';
import { pathEndText, type Path } from './path.ts';
import { reachFrom, searchPaths } from './search-paths.ts';

/** How two pieces of evidence hang together. */
export type Link =
  | { readonly state: 'linked'; readonly path: Path; readonly share?: Share }
  /** The graph cannot tell: addresses on the way do not say who is behind them. */
  | { readonly state: 'unknown'; readonly says: string }
  | { readonly state: 'unrelated'; readonly says: string };

/** How many of the things that a finding involves the path leads through: 2 of 3 addresses. */
export interface Share {
  readonly kind: string;
  readonly on: number;
  readonly of: number;
}

/** A path that leads through less than this share of what is involved explains the exception, not the finding. */
const LEAST_SHARE = 0.5;

export interface LinkOptions {
  /** What everything bound so far stands before. Default: what `from` itself stands before. */
  readonly hubs?: ReadonlySet<string>;
  /**
   * True: both must be of one thing, so that no path over calls counts, and the path must lead through at least half of
   * what `from` involves. Default: false, trouble may travel from service to service.
   */
  readonly asTie?: boolean;
}

/** Whether they hang together, with the path. Relations that had ceased before the onset of `from` do not count. */
export function linkItems(
  graph: EntityGraph,
  from: EvidenceItem,
  to: EvidenceItem,
  options: LinkOptions = {},
): Link {
  const relatedness = relate(graph, from, to, options);
  if (relatedness.state !== 'linked') return relatedness;
  const { asTie = false } = options;
  const search = { overCalls: !asTie, ...(from.at !== undefined && { moment: from.at }) };
  const [own, others] = [entitiesOf(graph, from), entitiesOf(graph, to)];
  const path =
    searchPaths(graph, [from.about], [to.about], search) ??
    searchPaths(graph, own, [to.about], search) ??
    searchPaths(graph, [from.about], others, search) ??
    searchPaths(graph, own, others, search);
  if (path === undefined) return withoutPath(graph, from, to);
  const share = asTie ? shareOn(graph, path, from) : undefined;
  if (share !== undefined && share.on / share.of < LEAST_SHARE)
    return {
      state: 'unrelated',
      says: `only ${share.on} of ${share.of} of kind ${share.kind} lead there`,
    };
  return { state: 'linked', path, ...(share !== undefined && { share }) };
}

export type Relatedness =
  { readonly state: 'linked' } | Exclude<Link, { readonly state: 'linked' }>;

/** Whether a path leads from one to the other, without the path: what is asked for many pairs. */
export function relate(
  graph: EntityGraph,
  from: EvidenceItem,
  to: EvidenceItem,
  { hubs, asTie = false }: LinkOptions = {},
): Relatedness {
  if (!hubsAgree(graph, hubs ?? hubsOf(graph, from.about), to.about))
    return { state: 'unrelated', says: 'they stand before different things' };
  const reached = reachFrom(graph, entitiesOf(graph, from), {
    overCalls: !asTie,
    ...(from.at !== undefined && { moment: from.at }),
  });
  if (entitiesOf(graph, to).some((entity) => reached.has(graph.idOf(entity))))
    return { state: 'linked' };
  return withoutPath(graph, from, to);
}

/** Hubs among what is involved (the dependency of a breaker) are no start of a path: everything touches them. */
export function entitiesOf(graph: EntityGraph, item: EvidenceItem): readonly Entity[] {
  return [item.about, ...item.involves.filter((entity) => !isHub(graph, entity))];
}

/**
 * A breaker before payments has nothing to do with a leak of orders, though both are of one service. Hubs differ when
 * they are of one kind, or when each was looked at by itself; a mere name that others mention may mean the other one.
 */
function hubsAgree(graph: EntityGraph, hubs: ReadonlySet<string>, about: Entity): boolean {
  const own = hubsOf(graph, about);
  if (hubs.size === 0 || own.size === 0) return true;
  if ([...own].some((hub) => hubs.has(hub))) return true;
  if (isHub(graph, about)) return false;
  return ![...own].some((hub) => [...hubs].some((other) => areDifferent(graph, hub, other)));
}

function areDifferent(graph: EntityGraph, a: string, b: string): boolean {
  const [one, other] = [graph.node(a), graph.node(b)];
  if (one === undefined || other === undefined) return false;
  if (one.isObserved && other.isObserved) return true;
  return one.kinds.some((kind) => other.kinds.includes(kind));
}

function withoutPath(
  graph: EntityGraph,
  from: EvidenceItem,
  to: EvidenceItem,
): Exclude<Link, { readonly state: 'linked' }> {
  for (const item of [from, to]) {
    const { identified, ends } = ownAddresses(graph, entitiesOf(graph, item), from.at);
    const [end] = ends;
    if (end !== undefined && ends.length > identified.length)
      return { state: 'unknown', says: pathEndText(end) };
  }
  return { state: 'unrelated', says: 'no path leads there' };
}

function shareOn(graph: EntityGraph, path: Path, from: EvidenceItem): Share | undefined {
  const on = new Set(path.layers.flat().map((entity) => graph.idOf(entity)));
  const unidentified = new Set(
    ownAddresses(graph, from.involves, from.at).ends.map(({ at }) => graph.idOf(at)),
  );
  const byKind = new Map<string, Share>();
  for (const entity of from.involves) {
    const id = graph.idOf(entity);
    if (unidentified.has(id)) continue;
    const { on: known = 0, of = 0 } = byKind.get(entity.kind) ?? {};
    byKind.set(entity.kind, {
      kind: entity.kind,
      on: known + (on.has(id) ? 1 : 0),
      of: of + 1,
    });
  }
  // A kind that the path does not touch at all says nothing: clients beside a path over addresses.
  const touched = [...byKind.values()].filter((share) => share.on > 0);
  return touched.sort((a, b) => a.on / a.of - b.on / b.of)[0];
}
