const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** Bytes as PostgreSQL itself writes them: 1024 to the kB. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit] ?? ''}`;
}
