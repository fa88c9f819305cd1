import { blindSpot, type BlindSpot, type Look, type Read, type Relation } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';

const answerSchema = z.object({
  rows: z.array(z.record(z.string(), z.unknown())),
  truncated: z.boolean(),
});

/** What a read over rows adds to the kit's own members. */
export interface RowsRead<R, T> {
  readonly id: string;
  readonly timeoutMs: number;
  readonly maxRows: number;
  /** One SELECT for this version of the server; without parameters and without a semicolon. */
  sql(major: number, look: Look): string;
  /** A row as the driver gives it; anything else makes the read blind. */
  readonly row: z.ZodType<R>;
  valueOf(rows: readonly R[], truncated: boolean, look: Look): T | BlindSpot;
  relate?(value: T, look: Look): readonly Relation[];
}

/** A look that is one SELECT. */
export function rowsRead<R, T>(read: RowsRead<R, T>): Read<T, PostgresRequest> {
  return {
    id: read.id,
    timeoutMs: read.timeoutMs,
    maxRows: read.maxRows,
    request: (look) => ({ kind: 'rows', sql: read.sql(majorOf(look.version), look) }),
    parse: (raw, look) => {
      const answer = z.object({ ...answerSchema.shape, rows: z.array(read.row) }).safeParse(raw);
      if (answer.success) return read.valueOf(answer.data.rows, answer.data.truncated, look);
      const where = answer.error.issues[0];
      return blindSpot(
        'unsupported',
        `${read.id}: the server answered in an unexpected form at ${where?.path.join('.') ?? '?'}: ${where?.message ?? '?'}`,
      );
    },
    ...(read.relate && { relate: (value: T, look: Look) => read.relate?.(value, look) ?? [] }),
  };
}

/** `18.4 (Debian …)` → 18. A version that does not start with a number reads as the oldest that we know. */
export function majorOf(version: string): number {
  const major = Number.parseInt(version, 10);
  return Number.isNaN(major) ? 13 : major;
}

/** What a role without pg_monitor cannot see, with the statement that cures it. `role` is quoted already. */
export function redacted(hidden: number, role: string): BlindSpot {
  return blindSpot(
    'redacted',
    `state, times and client address of ${hidden} ${hidden === 1 ? 'session' : 'sessions'} of other roles are hidden from ${role}`,
    `GRANT pg_monitor TO ${role};`,
  );
}
