/**
 * A value as it travels: a number is a double, a bigint an int64 (a queryid does not fit a double).
 * Moments and durations keep their unit; a moment keeps the microseconds that a Date would drop,
 * since a guard on backend_start compares all of them.
 */
export type Value = string | number | bigint | boolean | Uint8Array | MomentValue | DurationValue;

/** A moment as RFC 3339 text with up to nine fractional digits. */
export interface MomentValue {
  readonly moment: string;
}

/** A span of time in milliseconds. */
export interface DurationValue {
  readonly durationMs: number;
}

/** A row of evidence: column → value. An absent column was not seen or is NULL. */
export type Row = Readonly<Record<string, Value>>;

/** A value as text for people and for hashes. */
export function textOfValue(value: Value): string {
  if (typeof value === 'object') {
    if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
    return 'moment' in value ? value.moment : `${value.durationMs} ms`;
  }
  return String(value);
}
