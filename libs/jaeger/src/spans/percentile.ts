/** The smallest value that at least this share of the values does not exceed (nearest rank). Undefined: no values. */
export function percentile(sorted: readonly number[], share: number): number | undefined {
  if (sorted.length === 0) return undefined;
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
