import type { Limits, Thresholds } from '@starr/kernel';

/** The thresholds of a diagnostic as its judge gets them where nothing is configured. */
export function limitsOf<L extends Thresholds>({
  thresholds,
}: {
  readonly thresholds: L;
}): Limits<L> {
  return Object.fromEntries(
    Object.entries(thresholds).map(([name, { value }]) => [name, value]),
  ) as Limits<L>;
}
