/** What the act of a guarded call is told. */
export interface CallContext {
  /** 1 for the first. */
  readonly attempt: number;
  /**
   * Aborts when this attempt is over before its act is: it timed out, or the caller aborted. It is made when it is
   * first asked for, since making one costs as much as the rest of the call.
   */
  readonly signal: AbortSignal;
}

export interface CallOptions {
  /** The caller's own: it ends the call at once, waiting for a retry included, and that counts as no failure. */
  readonly signal?: AbortSignal;
}

export type Act<T> = (context: CallContext) => PromiseLike<T> | T;
