/** The text of INFO as it came: which sections, and every field by name. */
export interface InfoFields {
  /** Lower case. A managed server may leave some out. */
  readonly sections: ReadonlySet<string>;
  text(field: string): string | undefined;
  /** A number, or undefined when the field is absent or is none. */
  count(field: string): number | undefined;
  /** Fields whose name matches, in the server's order. */
  matching(pattern: RegExp): readonly (readonly [string, string])[];
}

export function parseInfo(text: string): InfoFields {
  const sections = new Set<string>();
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) {
      sections.add(line.slice(1).trim().toLowerCase());
      continue;
    }
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return {
    sections,
    text: (field) => fields.get(field),
    count: (field) => numberFrom(fields.get(field)),
    matching: (pattern) => [...fields].filter(([name]) => pattern.test(name)),
  };
}

/** `keys=3,expires=1,avg_ttl=0` → a count by name. */
export function parseFieldList(value: string): ReadonlyMap<string, string> {
  const pairs = value.split(',').map((pair): [string, string] => {
    const equals = pair.indexOf('=');
    return equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
  });
  return new Map(pairs);
}

export function numberFrom(text: string | undefined): number | undefined {
  if (text === undefined || !/^-?\d+(\.\d+)?$/.test(text)) return undefined;
  return Number(text);
}
