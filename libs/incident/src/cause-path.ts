import { entityText, type Entity, type Relation } from '@starr/kernel';
import type { Cause } from './cause.ts';
import { entitiesOf, type Share } from './link.ts';
import type { EntityGraph } from './graph.ts';
import { itemOf } from './match.ts';
import { ownAddresses } from './path-ends.ts';
import { entitiesText, pathEndText, pathText, plural, type Path } from './path.ts';
import { searchPaths } from './search-paths.ts';

/** A relation counts as younger than an onset when it is by more than sampling explains. */
const YOUNGER_MS = 60_000;

export interface CausePath {
  readonly lines: readonly string[];
  readonly layers: readonly (readonly Entity[])[];
  /** What the path itself leaves open. */
  readonly open: readonly string[];
}

/** The path of a cause: that of its ties, or where its playbook says that it leads. */
export function causePath(cause: Cause, graph: EntityGraph): CausePath {
  const tied = cause.match.clauses.flatMap((clause) =>
    clause.state === 'found' && clause.path !== undefined
      ? [{ path: clause.path, share: clause.share }]
      : [],
  );
  const [first] = tied;
  if (first !== undefined) {
    return {
      lines: tied.map(({ path, share }) => `${pathText(path)}${shareText(share)}`),
      layers: first.path.layers,
      open: tied.flatMap(({ path, share }) => [...openShare(share), ...younger(path, cause)]),
    };
  }
  return trailOf(cause, graph);
}

/** `path: { from, to }`: to the first kind of `to` that is reached, or as far as addresses identify anybody. */
function trailOf(cause: Cause, graph: EntityGraph): CausePath {
  const { path } = cause.match.playbook;
  const clause = path?.from ?? cause.match.clauses[0]?.clause.name ?? '';
  const item = itemOf(cause.match.clauses, clause);
  if (item === undefined) return { lines: [], layers: [], open: [] };
  const options = {
    overCalls: false,
    ...(cause.onset !== undefined && { moment: cause.onset }),
  };
  for (const kind of path?.to ?? []) {
    const goals = graph.nodes.filter((node) => node.kinds.includes(kind));
    const found = searchPaths(
      graph,
      [item.about],
      goals.map(({ entity }) => entity),
      options,
    );
    if (found !== undefined)
      return { lines: [pathText(found)], layers: found.layers, open: younger(found, cause) };
  }
  const { ends } = ownAddresses(graph, entitiesOf(graph, item), cause.onset);
  const [end] = ends;
  if (end === undefined) return { lines: [], layers: [], open: [] };
  const addresses = ends.map(({ at }) => at);
  return {
    lines: [
      `${entityText(item.about)} → ${entitiesText(addresses)}`,
      ...ends.slice(0, 3).map(pathEndText),
    ],
    layers: [[item.about], addresses],
    open: [],
  };
}

function shareText(share: Share | undefined): string {
  if (share === undefined || share.of === 1) return '';
  return ` (${share.on} of ${share.of} ${plural(share.kind, share.of)})`;
}

function openShare(share: Share | undefined): readonly string[] {
  if (share === undefined || share.on === share.of) return [];
  const rest = share.of - share.on;
  return [
    `${rest} ${plural(share.kind, rest)} of ${share.of} ${rest === 1 ? 'leads' : 'lead'} elsewhere`,
  ];
}

/** A step of the path of which every relation began after the onset cannot have carried it there. */
function younger(path: Path, cause: Cause): readonly string[] {
  const { onset } = cause;
  if (onset === undefined) return [];
  const groups = new Map<string, Relation[]>();
  for (const relation of path.relations) {
    const step = `${relation.from.kind} ${relation.is} ${relation.to.kind}`;
    groups.set(step, [...(groups.get(step) ?? []), relation]);
  }
  return [...groups].flatMap(([step, relations]) =>
    relations.every(
      ({ since }) => since !== undefined && since.getTime() > onset.getTime() + YOUNGER_MS,
    )
      ? [`every "${step}" of the path is younger than the onset`]
      : [],
  );
}
