import type { ErrorTablesRequest } from './error-table-request.ts';
import type { PoolerRequest } from './pooler-request.ts';

/**
 * What a read asks of the adapter, as data.
 * `rows`: one SELECT without parameters and without a trailing semicolon; the adapter wraps it into a read-only
 * transaction with server-side timeouts and bounds its rows. It must not touch what can wait on a lock of the
 * patient: relation sizes, pg_get_indexdef, pg_get_expr, information_schema.columns, EXPLAIN do, measured on 13 to 18.
 * `refusals`: the connects of our own that this server refused, from the adapter's memory; costs the patient nothing.
 */
export type PostgresRequest =
  | { readonly kind: 'rows'; readonly sql: string }
  | ExtensionRowsRequest
  | StatementPlansRequest
  | ErrorTablesRequest
  | PoolerRequest
  | { readonly kind: 'refusals' };

/**
 * `rows` over what an extension brings. Its columns follow its own version, which is not the server's: a server may be
 * upgraded without it. The first of `variants` whose `from` is not newer is asked; `{schema}` in it stands for where
 * the extension lives.
 */
export interface ExtensionRowsRequest {
  readonly kind: 'extension-rows';
  readonly extension: string;
  /** Newest first. */
  readonly variants: readonly { readonly from: string; readonly sql: string }[];
}

/**
 * The generic plans of the statements that `sql` selects (columns: id, query, of pg_stat_statements' `{schema}`): planned, never
 * executed. A table that is locked, or that this role may not read, gives no plan and the reason, not a wait. Where the
 * database has HypoPG, what a scan looks for is planned once more with its index.
 */
export interface StatementPlansRequest {
  readonly kind: 'statement-plans';
  readonly sql: string;
}

/** What `rows` answers with. Moments come as text, since a Date drops the microseconds that guards compare. */
export interface RowsAnswer {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** There were more rows than the read's maxRows. */
  readonly truncated: boolean;
}

/** What `extension-rows` answers with. `version` absent: this database has no such extension. */
export interface ExtensionRowsAnswer extends RowsAnswer {
  readonly version?: string;
  /** The version is older than all variants: nothing was asked. */
  readonly tooOld: boolean;
  /** The database that was looked at, quoted. */
  readonly database: string;
  /** shared_preload_libraries; absent: hidden from this role. */
  readonly preloaded?: string;
  /** The role that looks, quoted, where it may not use the schema of the extension; then nothing was asked. */
  readonly deniedTo?: string;
  /** That schema, quoted. */
  readonly schema?: string;
}

/** The plan of one statement, or why there is none. */
export type StatementPlan =
  | {
      readonly id: string;
      readonly query: string;
      readonly plan: unknown;
      /** With each index that its scans want, one at a time; absent: this database has no HypoPG, or nothing is wanted. */
      readonly trials?: readonly IndexTrial[];
    }
  | {
      readonly id: string;
      readonly query: string;
      readonly whyNot: string;
      readonly state: string;
    };

/** The plan of a statement as if an index were there (HypoPG, in our session alone), or why there is none. */
export type IndexTrial = {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
} & (
  | {
      /** Its name in the plan. */
      readonly index: string;
      readonly plan: unknown;
    }
  | {
      readonly whyNot: string;
      /** SQLSTATE; empty: no time was left. */
      readonly state: string;
      /** The grant that is lacking. */
      readonly cure?: string;
    }
);

export interface StatementPlansAnswer {
  /** Absent: pg_stat_statements is not there. */
  readonly version?: string;
  readonly plans: readonly StatementPlan[];
}

/** Which limit a refused connect ran into; `unknown` when the server speaks another language. */
export type RefusedBy =
  /** 15 and older: what is left is for superusers. */
  | 'superuser-reserved'
  /** 16 and newer: what is left is for members of pg_use_reserved_connections. */
  | 'reserved'
  /** 16 and newer: the reserved ones are gone too. */
  | 'superuser-attribute'
  /** Everything is gone; the connection already held is the only way in. */
  | 'all'
  | 'role-limit'
  | 'database-limit'
  /** Amazon RDS keeps what is left for itself. */
  | 'rds-reserved'
  /** A PgBouncer in between has as many clients as its max_client_conn allows; the server may be empty. */
  | 'pooler-clients'
  | 'unknown';

/** A connect of our own that was refused. */
export interface Refusal {
  readonly by: RefusedBy;
  /** By our clock: a refused connect tells no other. */
  readonly at: Date;
  /** Who was refused, unquoted, and where. */
  readonly role: string;
  readonly database: string;
  /** It turned us away at the last first contact: the server cannot be looked at now. */
  readonly isStanding: boolean;
  /** The slots of ordinary roles, as of the last session that was let in; absent: there was none yet. */
  readonly usableSlots?: number;
}
