/** A secret as text, or asked for at each connect (tokens that expire). Absent: `~/.pgpass`, or none needed. */
export type Password = string | (() => Promise<string>);

export interface PostgresCredential {
  readonly user: string;
  readonly password?: Password;
}

/** TLS with a verified certificate. Present, even empty: required. */
export interface PostgresTls {
  /** PEM text of the authority. Absent: the system's. */
  readonly ca?: string;
  /** Absent: the host. */
  readonly serverName?: string;
  /** PEM texts of a client certificate. */
  readonly cert?: string;
  readonly key?: string;
}

/** How to reach one server. `acting` is opened only to act; without it the target can be looked at, not acted on. */
export interface PostgresConfig {
  readonly host: string;
  /** Default 5432. */
  readonly port?: number;
  /** Default `postgres`: pg_stat_activity is the same in every database. */
  readonly database?: string;
  /** Absent: no TLS. */
  readonly tls?: PostgresTls;
  /** The read-only role: pg_monitor, and never pg_signal_backend. */
  readonly diagnosing: PostgresCredential;
  readonly acting?: PostgresCredential;
  /** Default 2000; TCP, TLS and authentication together. */
  readonly connectTimeoutMs?: number;
  /** Each PgBouncer before this server. Absent: none. */
  readonly poolers?: readonly PoolerConfig[];
}

/** How to reach the admin console of one PgBouncer. */
export interface PoolerConfig {
  /** Unique among the poolers of a target. */
  readonly name: string;
  readonly host: string;
  /** Default 6432. */
  readonly port?: number;
  /** Absent: no TLS. */
  readonly tls?: PostgresTls;
  /** A user of stats_users. */
  readonly diagnosing: PostgresCredential;
  /** A user of admin_users. Absent: it can be looked at, not acted on. */
  readonly acting?: PostgresCredential;
  /** Default 2000. */
  readonly connectTimeoutMs?: number;
}
