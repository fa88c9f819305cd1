/** `db` of `db.connection-leak`; `db.` and `db.*` read the same. */
export function prefixOf(id: string): string {
  return id.split('.')[0] ?? id;
}
