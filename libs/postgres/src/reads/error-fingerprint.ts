import { maskText } from '@starr/kernel';

const FINGERPRINT_CHARACTERS = 160;
/** C0 and C1 controls, escape sequences of terminals, and what turns the direction of a text. */
const CONTROLS =
  /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/**
 * What stays the same from one error to the next: without secrets, quoted values, numbers, ids and addresses, in one line.
 * Error tables hold what users typed; nothing of it is shown.
 */
export function errorFingerprint(message: string): string {
  const plain = message
    .replace(CONTROLS, ' ')
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '?')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '?');
  return maskText(plain)
    .replace(/\b(?:0x)?[0-9a-f]{8,}\b/gi, '?')
    .replace(/\d+(?:[.:]\d+)*/g, '?')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, FINGERPRINT_CHARACTERS);
}
