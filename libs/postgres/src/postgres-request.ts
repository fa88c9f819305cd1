/**
 * What a read asks of the adapter, as data.
 * `rows`: one SELECT without parameters and without a trailing semicolon; the adapter wraps it into a read-only
 * transaction with server-side timeouts and bounds its rows. It must not touch what can wait on a lock of the
 * patient: relation sizes, pg_get_indexdef, pg_get_expr, information_schema.columns, EXPLAIN do, measured on 13 to 18.
 * `refusals`: the connects of our own that this server refused, from the adapter's memory; costs the patient nothing.
 */
export type PostgresRequest =
  { readonly kind: 'rows'; readonly sql: string } | { readonly kind: 'refusals' };

/** What `rows` answers with. Moments come as text, since a Date drops the microseconds that guards compare. */
export interface RowsAnswer {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** There were more rows than the read's maxRows. */
  readonly truncated: boolean;
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
  | 'unknown';

/** A connect of our own that was refused. */
export interface Refusal {
  readonly by: RefusedBy;
  /** By our clock: a refused connect tells no other. */
  readonly at: Date;
}
