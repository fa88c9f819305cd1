/** One session in the middle of something, as it was when the plan was made. Moments are RFC 3339 with microseconds. */
interface BusySeal {
  readonly pid: number;
  readonly backendStart: string;
  /** application_names that are never touched, compared again at the moment of the act. */
  readonly protectedApplications: readonly string[];
}

/** Cancels one statement, only if it still is the same statement of the same session. */
export interface CancelStatementAct extends BusySeal {
  readonly kind: 'cancel-statement';
  readonly statementStart: string;
}

/**
 * Ends one session, only if it still is in the same transaction, or in the same statement when `transactionStart` is absent.
 * `because`: what must still hold. `blocks`: somebody waits for it; `wedged`: it is active and its client says nothing;
 * `idle-in-transaction`: nothing happens in its transaction.
 */
export interface TerminateSessionAct extends BusySeal {
  readonly kind: 'terminate-session';
  readonly because: 'blocks' | 'wedged' | 'idle-in-transaction';
  readonly statementStart: string;
  readonly transactionStart?: string;
}
