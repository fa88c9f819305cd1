import { blindSpot, type Read } from '@starr/kernel';
import { z } from 'zod';
import type { ErrorTable, ErrorTableAnswer } from '../error-table-request.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { errorFingerprint } from './error-fingerprint.ts';

const MOST_ROWS = 2000;

/** One error, masked. */
export interface SeenError {
  readonly atMs: number;
  /** Its message without what differs from one error to the next. */
  readonly fingerprint: string;
  readonly trace?: string;
}

export type ErrorTableSeen =
  | Extract<ErrorTableAnswer, { state: 'blind' }>
  | {
      readonly schema: string;
      readonly table: string;
      readonly state: 'seen';
      /** Newest first. */
      readonly errors: readonly SeenError[];
      /** There are more in the window; the oldest are left out. */
      readonly truncated: boolean;
    };

/** `errorTables` of the target's options, as starr.yaml has it. */
const optionSchema = z.array(
  z.object({
    table: z.string(),
    time: z.string(),
    message: z.string(),
    trace: z.string().optional(),
  }),
);

/** Nothing is asked where none is configured. */
export const errorTablesRead: Read<readonly ErrorTableSeen[], PostgresRequest> = {
  id: 'postgres.error-tables',
  timeoutMs: 1500,
  maxRows: MOST_ROWS,
  request: ({ options, windowMs }) => {
    const configured = optionSchema.safeParse(options['errorTables'] ?? []);
    if (!configured.success) {
      return blindSpot(
        'unsupported',
        'errorTables of this target is not in the form of starr.yaml',
      );
    }
    return { kind: 'error-tables', windowMs, tables: configured.data.map(tableFrom) };
  },
  parse: (raw, { now, windowMs }) => {
    if (!Array.isArray(raw)) {
      return blindSpot(
        'unsupported',
        'postgres.error-tables: the adapter answered in another form',
      );
    }
    const oldestMs = now.getTime() - windowMs;
    return (raw as readonly ErrorTableAnswer[]).map((answer) => seenFrom(answer, oldestMs));
  },
};

/** `table` or `schema.table`. */
function tableFrom({
  table,
  time,
  message,
  trace,
}: z.infer<typeof optionSchema>[number]): ErrorTable {
  const dot = table.indexOf('.');
  return {
    schema: dot < 0 ? 'public' : table.slice(0, dot),
    table: table.slice(dot + 1),
    time,
    message,
    ...(trace !== undefined && { trace }),
  };
}

function seenFrom(answer: ErrorTableAnswer, oldestMs: number): ErrorTableSeen {
  if (answer.state === 'blind') return answer;
  const { schema, table, rows, truncated } = answer;
  const inWindow = rows.filter(({ atMs }) => atMs >= oldestMs);
  return {
    schema,
    table,
    state: 'seen',
    // The newest by key reach further back than the window: then none of it is left out.
    truncated: truncated && inWindow.length === rows.length,
    errors: inWindow.map(({ atMs, message, trace }) => ({
      atMs,
      fingerprint: errorFingerprint(message),
      ...(trace !== undefined && /^[0-9a-f]{32}$/i.test(trace) && { trace: trace.toLowerCase() }),
    })),
  };
}
