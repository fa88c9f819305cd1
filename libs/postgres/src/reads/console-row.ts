import { z } from 'zod';
import type { ConsoleRow } from '../pooler-request.ts';

/** Any rows: their columns are looked at one by one, by name. A schema for each would cost a second for 5,000 of them. */
export const consoleRows = z.custom<readonly ConsoleRow[]>(
  (value) => Array.isArray(value) && value.every((row) => typeof row === 'object' && row !== null),
);

/** A number of the first of these columns that the pooler has; 0 when it has none of them. int8 comes as text. */
export function numberOf(row: ConsoleRow, ...columns: readonly string[]): number {
  for (const column of columns) {
    const value = row[column];
    if (value === undefined || value === null || value === '') continue;
    const number = Number(value);
    if (Number.isFinite(number)) return number;
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
export function wallClockMs(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.test(text)) return undefined;
  const part = (from: number, to: number) => Number(text.slice(from, to));
  return Date.UTC(
    part(0, 4),
    part(5, 7) - 1,
    part(8, 10),
    part(11, 13),
    part(14, 16),
    part(17, 19),
  );
}
