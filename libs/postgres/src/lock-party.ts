/** What a lock is on. `transaction`: the end of another one is waited for, as CREATE INDEX CONCURRENTLY does. */
export type LockTarget = 'table' | 'row' | 'advisory lock' | 'transaction' | 'other';

/** A transaction that was prepared for two-phase commit and never ended: it holds locks without a session. */
export interface PreparedTransaction {
  readonly gid: string;
  readonly owner: string;
  readonly database: string;
  readonly ms: number;
}

/** What a session waits for, and for whom. */
export interface LockWait {
  /** As pg_blocking_pids tells: hard and soft, leaders in place of parallel workers, 0 for prepared transactions. Never empty. */
  readonly blockers: readonly number[];
  /** Those that 0 stands for. Empty although 0 is among the blockers: it is not known which. */
  readonly prepared: readonly PreparedTransaction[];
  /** 14 and newer: since the wait began; before: since the statement did, hence at most so long. */
  readonly ms: number;
  /** AccessExclusiveLock … */
  readonly mode: string;
  readonly target: LockTarget;
  /** Absent: not a table, or one of a database that we are not connected to. */
  readonly table?: { readonly schema: string; readonly name: string };
}

/** A backend that waits for a lock, or that others wait for. */
export interface LockParty {
  readonly pid: number;
  /** RFC 3339 with microseconds. */
  readonly backendStart: string;
  /** client backend, autovacuum worker … */
  readonly type: string;
  readonly state: string;
  readonly application: string;
  /** Absent: a local socket. */
  readonly address?: string;
  readonly role: string;
  readonly database: string;
  /** Since its transaction began. Absent: in none (a session may hold an advisory lock without one). */
  readonly transactionMs?: number;
  /** Since it entered its state. */
  readonly stateMs: number;
  /** It has written: ending it loses that. */
  readonly writes: boolean;
  /** Transactions that began since its own got a number. Absent: it has written nothing. */
  readonly xidAge?: number;
  /** Without literals. '' when it is not tracked. */
  readonly statement: string;
  /** The strongest lock that it holds on what others wait for. Absent: none, it stands in a queue before them. */
  readonly holds?: string;
  /** Absent: it waits for nobody. */
  readonly waits?: LockWait;
}

export interface LockWaits {
  readonly parties: readonly LockParty[];
  /** More wait than were asked about. */
  readonly truncated: boolean;
}
