/** What the adapter can be asked, as data. None of it changes or locks anything, reads a key, or counts as a lookup. */
export type RedisRequest =
  /** One INFO; answers its text. */
  | { readonly kind: 'info' }
  /** CLIENT LIST of normal clients; EVIDENCE_TRUNCATED when there are more than the read's rows. Answers its text. */
  | { readonly kind: 'clients' }
  /**
   * Which commands a credential may use, asked by MULTI, the commands, DISCARD: Redis checks the right when it
   * queues, and nothing of it is ever executed. Answers {@link RedisAccess}.
   */
  | {
      readonly kind: 'access';
      readonly as: 'diagnosing' | 'acting';
      readonly commands: readonly (readonly string[])[];
    };

/** The answer to an access request. */
export type RedisAccess =
  | { readonly state: 'no-credential'; readonly redisCli: string; readonly provider?: Provider }
  | {
      readonly state: 'asked';
      readonly user: string;
      /** In the order asked. `absent`: the server does not know the command (renamed, or taken away by its provider). */
      readonly answers: readonly {
        readonly command: string;
        readonly right: 'permitted' | 'denied' | 'absent';
      }[];
      /** `redis-cli` with the options that reach this server as that user; no secret in it. */
      readonly redisCli: string;
      readonly provider?: Provider;
    };

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
