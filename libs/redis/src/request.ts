/** What the adapter can be asked, as data. None of it changes or locks anything, reads a key, or counts as a lookup. */
export type RedisRequest =
  /** One INFO; answers its text. */
  | { readonly kind: 'info' }
  /** CLIENT LIST of normal clients; EVIDENCE_TRUNCATED when there are more than the read's rows. Answers its text. */
  | { readonly kind: 'clients' }
  /** Which of the commands above the looking credential may use, found out by using them. Answers {@link RedisRights}. */
  | { readonly kind: 'looking-rights' }
  /**
   * Which commands the acting credential may use, asked by MULTI, the commands, DISCARD: Redis checks the right when
   * it queues, and nothing of it is ever executed. EXEC must not be among them. Answers {@link RedisAccess}.
   */
  | { readonly kind: 'acting-rights'; readonly commands: readonly (readonly string[])[] };

/** A command as ACL rules write it (`config|set`), and whether a user may use it. */
export interface CommandRight {
  readonly command: string;
  /** `absent`: the server does not know it (renamed, or taken away by its provider). `unknown`: it could not be asked. */
  readonly right: 'permitted' | 'denied' | 'absent' | 'unknown';
}

export interface RedisRights {
  readonly user: string;
  readonly answers: readonly CommandRight[];
}

/**
 * The answer to `acting-rights`. `redisCli`: `redis-cli` with the options that reach this server as that user; no
 * secret in it.
 */
export type RedisAccess = { readonly redisCli: string; readonly provider?: Provider } & (
  | { readonly state: 'no-credential' }
  /** `answers`: MULTI, then in the order asked. */
  | ({ readonly state: 'asked' } & RedisRights)
);

/** Who manages a server, as its host name tells. Absent: nobody known. */
export type Provider = 'elasticache' | 'azure' | 'aiven' | 'redis-cloud';

/** What the adapter can do to a server. */
export interface SetEvictionPolicy {
  readonly kind: 'set-eviction-policy';
  readonly policy: string;
  /** Refused unless the server is still this very run with this very policy. */
  readonly guard: { readonly runId: string; readonly policy: string };
}

export type RedisAct = SetEvictionPolicy;
