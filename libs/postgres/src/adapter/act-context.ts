import type { Limit, Outcome, Progress } from '@starr/kernel';
import type { Client } from 'pg';
import type { PgErrorContext } from './pg-error.ts';

/** What an act is carried out with. */
export interface ActContext {
  readonly limit: Limit;
  /** Written where the patient keeps it, so that a probe recognises what is ours. */
  readonly operationId: string;
  /** Whom errors of the acting session are about. */
  readonly role: PgErrorContext;
  /** The acting session, for one act. */
  open(): Promise<Client>;
  /** Somebody asked to stop. */
  isCancelled(): boolean;
  /** `isFit`: the server answered to all that was asked, so that the session may serve again. */
  close(client: Client, isFit: boolean): void;
}

/** What an act that lasts is carried out with beside that: a session of its own, never the held one. */
export interface LongActContext extends ActContext {
  /** Waits for each lock so long at most. Fails with REMEDY_BUSY while another such act is in progress. */
  openLong(lockTimeoutMs: number): Promise<Client>;
  closeLong(client: Client): void;
  /** Cancels what that session is at, from the held one. */
  cancelLong(pid: number): Promise<void>;
  /** A look with the diagnosing session, while the other is busy. */
  look<T>(work: (client: Client) => Promise<T>): Promise<T>;
}

/** One kind of act on an open session. Yields one outcome, last. */
export type ActEvents = AsyncGenerator<Progress | Outcome>;
