import type { Limits, Thresholds } from '@starr/kernel';

/** The thresholds of a diagnostic at their defaults, as the host gives them to the judge. */
export function limitsOf<L extends Thresholds>(thresholds: L): Limits<L> {
  return Object.fromEntries(
    Object.entries(thresholds).map(([name, { value }]) => [name, value]),
  ) as Limits<L>;
}
