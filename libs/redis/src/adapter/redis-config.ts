/** A secret as a value, or as a function that is asked at every connect (tokens that expire). Never logged, never in an error. */
export type RedisSecret = string | (() => Promise<string>);

/** An ACL user. */
export interface RedisCredential {
  /** Absent: the default user. */
  readonly user?: string;
  /** Absent: none is sent, unless there is a user. */
  readonly password?: RedisSecret;
}

export interface RedisTls {
  /** PEM of the authority to trust. Absent: those of the system. */
  readonly ca?: string;
  /** PEM of our own certificate and key, where the server asks for one. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must carry. Absent: the host of the url. */
  readonly serverName?: string;
}

/** How to reach one Redis or Valkey server. */
export interface RedisConfig {
  /** `redis://user@host:port` or `rediss://…` (TLS); port 6379 when absent. Its user is the one that looks. */
  readonly url: string;
  /** Of the url's user; wins over a password in the url. Absent, and none there: no AUTH is sent unless there is a user. */
  readonly password?: RedisSecret;
  /** The one that acts. Absent: nothing can be done to this server. */
  readonly acting?: RedisCredential;
  /** Also switches TLS on for a `redis://` url. */
  readonly tls?: RedisTls;
}
