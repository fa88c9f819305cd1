import type { Entity } from '@starr/kernel';
import type { EvidenceItem } from './evidence.ts';
import { hubsOf, isHub, type EntityGraph } from './graph.ts';
import { ownAddresses } from './path-ends.ts';
import { pathEndText, type Path } from './path.ts';
import { searchPaths } from './search-paths.ts';

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

export function linkItems(
  graph: EntityGraph,
  from: EvidenceItem,
  to: EvidenceItem,
  { hubs, asTie = false }: LinkOptions = {},
): Link {
  if (!hubsAgree(graph, hubs ?? hubsOf(graph, from.about), to.about))
    return { state: 'unrelated', says: 'they stand before different things' };
  const moment = earliest(from, to);
  const options = { overCalls: !asTie, ...(moment !== undefined && { moment }) };
  const path =
    searchPaths(graph, [from.about], [to.about], options) ??
    searchPaths(graph, entitiesOf(graph, from), [to.about], options) ??
    searchPaths(graph, [from.about], entitiesOf(graph, to), options) ??
    searchPaths(graph, entitiesOf(graph, from), entitiesOf(graph, to), options);
  if (path === undefined) return withoutPath(graph, from, to, moment);
  const share = asTie ? shareOn(graph, path, from, moment) : undefined;
  if (share !== undefined && share.on / share.of < LEAST_SHARE)
    return {
      state: 'unrelated',
      says: `only ${share.on} of ${share.of} of kind ${share.kind} lead there`,
    };
  return { state: 'linked', path, ...(share !== undefined && { share }) };
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
  moment: Date | undefined,
): Link {
  for (const item of [from, to]) {
    const { identified, ends } = ownAddresses(graph, entitiesOf(graph, item), moment);
    const [end] = ends;
    if (end !== undefined && ends.length > identified.length)
      return { state: 'unknown', says: pathEndText(end) };
  }
  return { state: 'unrelated', says: 'no path leads there' };
}

function shareOn(
  graph: EntityGraph,
  path: Path,
  from: EvidenceItem,
  moment: Date | undefined,
): Share | undefined {
  const on = new Set(path.layers.flat().map((entity) => graph.idOf(entity)));
  const unidentified = new Set(
    ownAddresses(graph, from.involves, moment).ends.map(({ at }) => graph.idOf(at)),
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

function earliest(...items: readonly EvidenceItem[]): Date | undefined {
  const times = items.flatMap(({ at }) => at?.getTime() ?? []);
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}
