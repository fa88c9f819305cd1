const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes as people read them, in powers of 1024 as redis.conf counts: 512 B, 1.5 MB, 24 GB. */
export function sizeText(bytes: number): string {
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 10 ? 0 : 1;
  return `${bytes < 0 ? '-' : ''}${value.toFixed(digits)} ${UNITS[unit] ?? 'TB'}`;
}

/** A ratio as a percentage: 0.934 → 93 %, 0.9991 → 99.9 %, 0.0012 → 0.1 %. */
export function percentText(ratio: number): string {
  const percent = ratio * 100;
  const nearEdge = (percent > 99 && percent < 100) || (percent > 0 && percent < 1);
  return `${nearEdge ? percent.toFixed(1) : percent.toFixed(0)} %`;
}
