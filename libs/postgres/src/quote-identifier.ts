const PLAIN = /^[a-z_][a-z0-9_$]*$/;
/** Reserved words that somebody might name a role or database. */
const RESERVED = new Set([
  'all',
  'analyse',
  'analyze',
  'default',
  'grant',
  'group',
  'order',
  'select',
  'table',
  'user',
]);

/** A role or database as it stands in a statement that a person pastes. */
export function quoteIdentifier(name: string): string {
  return PLAIN.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
