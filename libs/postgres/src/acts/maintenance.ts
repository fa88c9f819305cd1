/** What every statement has that takes its time outside of a transaction. */
interface Maintenance {
  readonly schema: string;
  /** Of the table or index, by which it is recognised at the moment of the act. */
  readonly oid: string;
  /** How long it may wait for each lock and each transaction before it gives up. */
  readonly lockTimeoutMs: number;
}

/** `since`: by the server's clock, when the plan was made; RFC 3339 with microseconds. */
export interface TableUpkeepAct extends Maintenance {
  readonly kind: 'analyze-table' | 'vacuum-table';
  readonly table: string;
  readonly since: string;
}

export interface IndexKey {
  readonly column: string;
  readonly descending: boolean;
}

/** Builds a B-tree index of exactly this name, concurrently; a failed build of ours is dropped again. */
export interface CreateIndexAct extends Maintenance {
  readonly kind: 'create-index';
  readonly table: string;
  readonly name: string;
  readonly keys: readonly IndexKey[];
}

/**
 * Drops an index, concurrently, only while what allows it holds. `invalid`: no query can use it, nobody builds it, nothing
 * stands on it. Otherwise the comment that it must carry: that of the operation that made it.
 */
export interface DropIndexAct extends Maintenance {
  readonly kind: 'drop-index';
  readonly name: string;
  readonly onlyIf: 'invalid' | { readonly comment: string };
}

/** Builds an index anew under its name, concurrently; what a failed build leaves beside it is dropped again. */
export interface ReindexAct extends Maintenance {
  readonly kind: 'reindex';
  readonly name: string;
}

/** Acts that last: each has a session of its own. */
export type MaintenanceAct = TableUpkeepAct | CreateIndexAct | DropIndexAct | ReindexAct;

const KINDS: ReadonlySet<string> = new Set<MaintenanceAct['kind']>([
  'analyze-table',
  'vacuum-table',
  'create-index',
  'drop-index',
  'reindex',
]);

export function isMaintenanceAct(act: { readonly kind: string }): act is MaintenanceAct {
  return KINDS.has(act.kind);
}
