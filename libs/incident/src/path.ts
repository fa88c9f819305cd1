import { entityText, type Entity, type Relation } from '@starr/kernel';

/** All shortest paths between two things, layer by layer: 1 application → 3 clients → 3 addresses → 3 pods → 1 revision. */
export interface Path {
  readonly layers: readonly (readonly Entity[])[];
  /** Every relation that the path uses, with since where it is known. Sorted. */
  readonly relations: readonly Relation[];
}

/** Where a path has to stop, because an address does not say who is behind it. */
export interface PathEnd {
  readonly at: Entity;
  /** How many hold it; 0: nobody that is known. */
  readonly holders: number;
  /** pod, process …; absent: nobody is known. */
  readonly holderKind?: string;
  /** The kind of thing that should have been behind it. */
  readonly missing: string;
}

/** `application checkout → 3 clients → 3 addresses → 3 pods → revision shop/checkout#2`. */
export function pathText(path: Path): string {
  return path.layers.map(entitiesText).join(' → ');
}

/** `pod not identified, path ends at address 10.0.0.9 (3 holders)`. */
export function pathEndText(end: PathEnd): string {
  return `${end.missing} not identified, path ends at ${entityText(end.at)} (${holdersText(end)})`;
}

/** One entity by its name, several by their number. */
export function entitiesText(entities: readonly Entity[]): string {
  const [first] = entities;
  if (first === undefined) return '';
  if (entities.length === 1) return entityText(first);
  const counts = new Map<string, number>();
  for (const { kind } of entities) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${plural(kind, count)}`).join(' + ');
}

export function plural(word: string, count: number): string {
  if (count === 1) return word;
  if (/(?:s|sh|ch|x)$/.test(word)) return `${word}es`;
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
}

function holdersText({ holders, holderKind }: PathEnd): string {
  if (holders === 0) return 'no holder known';
  return holders === 1 ? `held by a ${holderKind ?? 'hub'}` : `${holders} holders`;
}
