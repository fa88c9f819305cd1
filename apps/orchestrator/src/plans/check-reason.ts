import { invalidField } from '../sweep/sweep-request.ts';

const MOST_CHARACTERS = 1024;

/** Why somebody acts: said, and short enough for a grant. */
export function checkReason(reason: string): string {
  const trimmed = reason.trim();
  if (trimmed.length >= 1 && trimmed.length <= MOST_CHARACTERS) return trimmed;
  throw invalidField(
    'reason',
    `${trimmed.length} characters`,
    `1 to ${MOST_CHARACTERS} characters`,
  );
}
