/** What of a pg.Pool is used; anything of that shape will do. */
export interface PoolLike {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly options: PoolLikeOptions;
  connect: (...args: never[]) => unknown;
  on(event: 'acquire' | 'remove', listener: (client: object) => void): unknown;
  on(event: 'release', listener: (error: Error, client: object) => void): unknown;
}

export interface PoolLikeOptions {
  /** Read by the pool at each look, so that it can be changed at any time; so is the next. */
  max?: number | undefined;
  min?: number | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly database?: string | undefined;
  readonly connectionString?: string | undefined;
}
