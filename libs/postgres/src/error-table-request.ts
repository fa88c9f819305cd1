/** A table of an application that errors are written to, as starr.yaml names it. Only these columns are ever read. */
export interface ErrorTable {
  readonly schema: string;
  readonly table: string;
  /** When the error happened: timestamptz, timestamp or date. */
  readonly time: string;
  /** What happened, in any type that has a text. */
  readonly message: string;
  /** The trace that it happened in. */
  readonly trace?: string;
}

/**
 * The newest errors of these tables. By an index on the time, else by the primary key, else whole where it is small: a large
 * table without either is refused, since it would be read from end to end.
 */
export interface ErrorTablesRequest {
  readonly kind: 'error-tables';
  readonly tables: readonly ErrorTable[];
  readonly windowMs: number;
}

/** One error as it was written. The message is not masked yet. */
export interface ErrorRow {
  readonly atMs: number;
  readonly message: string;
  readonly trace?: string;
}

/** What became of one table. */
export type ErrorTableAnswer = { readonly schema: string; readonly table: string } & (
  | {
      readonly state: 'seen';
      readonly by: 'time index' | 'primary key' | 'small table';
      /** Newest first. */
      readonly rows: readonly ErrorRow[];
      readonly truncated: boolean;
    }
  | {
      readonly state: 'blind';
      readonly why: 'denied' | 'unsupported' | 'timeout';
      readonly detail: string;
      readonly cure?: string;
    }
);
