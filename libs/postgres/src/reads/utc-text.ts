/** SQL for a timestamptz as RFC 3339 text with all microseconds, whatever the session's time zone and date style. */
export function utcText(expression: string): string {
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
