/** Why something could not be seen. */
export const BLIND_REASONS = [
  'denied',
  'redacted',
  'timeout',
  'unreachable',
  'unsupported',
  'truncated',
  'no-history',
] as const;
export type BlindReason = (typeof BLIND_REASONS)[number];

/** What could not be seen, why, and the smallest thing that cures it. */
export interface BlindSpot {
  readonly kind: 'blind';
  readonly why: BlindReason;
  /** The true reason in a sentence, masked. */
  readonly detail: string;
  /** A command where one cures it, otherwise advice. Absent: nothing that a person can do. */
  readonly cure?: string;
}

export function blindSpot(why: BlindReason, detail: string, cure?: string): BlindSpot {
  return cure === undefined ? { kind: 'blind', why, detail } : { kind: 'blind', why, detail, cure };
}

export function isBlindSpot(value: unknown): value is BlindSpot {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'blind' &&
    'why' in value
  );
}
