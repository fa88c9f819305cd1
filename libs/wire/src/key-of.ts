/** The name that a table gives to a number of the wire; undefined: unspecified, or not known here. */
export function keyOf<K extends string>(
  table: Readonly<Record<K, number>>,
  value: number,
): K | undefined {
  const entries = Object.entries(table) as [K, number][];
  return entries.find(([, each]) => each === value)?.[0];
}
