/** Who waits for whom on a PostgreSQL server, as its doctor tells callers. */
export interface LockForestView {
  /** By the clock of the server. */
  readonly seenAt: Date;
  /** In the order of drawing: each behind the one that it is drawn under. */
  readonly nodes: readonly LockNodeView[];
  readonly truncated: boolean;
}

export interface LockNodeView {
  /** 0: waits for nobody. */
  readonly depth: number;
  readonly blocks: number;
  /** How many wait no more when it goes. */
  readonly frees: number;
  readonly loses: string;
  /** 0 is a prepared transaction. */
  readonly blockedBy: readonly number[];
  /** 0: a prepared transaction. */
  readonly pid: number;
  readonly who: LockSessionView | PreparedTransactionView | LockGoneView;
}

export interface LockSessionView {
  readonly kind: 'session';
  /** RFC 3339 with microseconds. */
  readonly backendStart: string;
  readonly type: string;
  readonly state: string;
  readonly stateMs: number;
  readonly application: string;
  /** Absent: a local socket. */
  readonly address?: string;
  readonly role: string;
  readonly database: string;
  /** Absent: in no transaction. */
  readonly transactionMs?: number;
  readonly writes: boolean;
  /** Absent: it has written nothing. */
  readonly xidAge?: number;
  readonly statement: string;
  /** Absent: nothing that others wait for. */
  readonly holds?: string;
  /** Absent: it waits for nobody. */
  readonly wait?: LockWaitView;
}

export interface LockWaitView {
  readonly ms: number;
  readonly mode: string;
  readonly target: string;
  /** schema.name. */
  readonly table?: string;
}

export interface PreparedTransactionView {
  readonly kind: 'prepared';
  readonly gid: string;
  readonly owner: string;
  readonly database: string;
  readonly ms: number;
}

/** Ended while it was looked at, or nothing is known of it. */
export interface LockGoneView {
  readonly kind: 'gone';
}
