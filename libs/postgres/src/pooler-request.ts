import type { BlindSpot } from '@starr/kernel';
import type { RowsAnswer } from './postgres-request.ts';

/**
 * Asks the console of each pooler before the server. Its columns grow by version, so rows are read by name. SHOW FDS is
 * never asked: it stops the pooler's event loop.
 * `poolers`: pools, databases and settings.
 * `pooled-sessions`: its connections to the server and its clients, in one breath, since pointers are used again after a
 * disconnect; and what the server says of the backends, by `sql`, in which `{pids}` stands for their process ids.
 */
export type PoolerRequest =
  { readonly kind: 'poolers' } | { readonly kind: 'pooled-sessions'; readonly sql: string };

/** A row as the console gives it. */
export type ConsoleRow = Readonly<Record<string, unknown>>;

/** What one pooler answered, or why it did not. */
export type PoolerAnswer<T> =
  | { readonly pooler: string; readonly kind: 'seen'; readonly seen: T }
  | { readonly pooler: string; readonly kind: 'unseen'; readonly blind: BlindSpot };

export interface PoolerLook {
  readonly version: readonly ConsoleRow[];
  readonly config: readonly ConsoleRow[];
  readonly databases: readonly ConsoleRow[];
  readonly pools: readonly ConsoleRow[];
}

/** Where the target itself is reached: a pooler may stand before other servers too. */
export interface ServerPlace {
  readonly host: string;
  readonly port: number;
}

export interface PoolerUsers {
  readonly looks: string;
  readonly acts?: string;
}

export interface PoolersAnswer {
  readonly server: ServerPlace;
  readonly poolers: readonly (PoolerAnswer<PoolerLook> & {
    readonly place: ServerPlace;
    /** Who looks and, where one is configured, who acts on its console. */
    readonly users?: PoolerUsers;
  })[];
}

export interface PooledLook {
  readonly servers: readonly ConsoleRow[];
  readonly clients: readonly ConsoleRow[];
}

export interface PooledSessionsAnswer {
  readonly poolers: readonly PoolerAnswer<PooledLook>[];
  /** What the server says of the backends; a blind spot when it lets nobody in. */
  readonly backends: RowsAnswer | BlindSpot;
}
