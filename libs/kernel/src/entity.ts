/** What all findings, changes and measurements are about. */
export interface Entity {
  /** One of {@link ENTITY_KINDS}, or a kind that a doctor of somebody else brings. */
  readonly kind: string;
  readonly name: string;
  /** The target, cluster or network in which the name is unique; absent: unique in the environment. */
  readonly scope?: string;
}

/** How entities hang together. Read as a sentence: `from` `is` `to` (backend connects-from address). */
export interface Relation {
  readonly from: Entity;
  readonly is: string;
  readonly to: Entity;
  /** When the relation began to hold; absent: unknown. */
  readonly since?: Date;
  /** When it ceased; absent: it holds. */
  readonly until?: Date;
}

/** One text for one entity, usable as a map key. */
export function entityKey(entity: Entity): string {
  return `${entity.kind}|${entity.scope ?? ''}|${entity.name}`;
}

export function sameEntity(a: Entity, b: Entity): boolean {
  return a.kind === b.kind && a.name === b.name && a.scope === b.scope;
}

/** An entity as people read it: `deployment shop/checkout`. */
export function entityText(entity: Entity): string {
  return `${entity.kind} ${entity.name}`;
}
