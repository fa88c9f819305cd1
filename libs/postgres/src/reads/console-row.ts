import { z } from 'zod';
import type { ConsoleRow } from '../pooler-request.ts';

/** int8 comes as text; a column that this version does not have yet reads as undefined. */
const number = z.coerce.number();

/** A number of the first of these columns that the pooler has; 0 when it has none of them. */
export function numberOf(row: ConsoleRow, ...columns: readonly string[]): number {
  for (const column of columns) {
    const value = row[column];
    if (value === undefined || value === null || value === '') continue;
    const parsed = number.safeParse(value);
    if (parsed.success) return parsed.data;
  }
  return 0;
}

/** '' when the pooler does not have the column, or nothing in it. */
export function textOf(row: ConsoleRow, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : '';
}

/** Wait in milliseconds of two columns, seconds and the rest in microseconds. */
export function waitMsOf(row: ConsoleRow, seconds: string, micros: string): number {
  return numberOf(row, seconds) * 1000 + numberOf(row, micros) / 1000;
}

/**
 * `2026-11-24 03:12:08 CET` as milliseconds of the pooler's own wall clock: only the differences of two such moments mean
 * anything. undefined when it is no moment.
 */
export function wallClockMs(row: ConsoleRow, column: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(textOf(row, column));
  return match === null ? undefined : Date.parse(`${match[1] ?? ''}T${match[2] ?? ''}Z`);
}
