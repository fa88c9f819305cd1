import type { Value } from '@starr/kernel';

/** As much of a JSON schema as tells a number from a text. */
interface ParamsSchema {
  readonly properties?: Readonly<Record<string, { readonly type?: unknown } | undefined>>;
}

/**
 * Texts of a command line as the values that the remedy's schema wants: numbers and booleans. What does not fit, or
 * stands in no schema, stays a text, so that the doctor says what is allowed.
 */
export function typedParams(
  texts: Readonly<Record<string, string>>,
  paramsSchema: string,
): Record<string, Value> {
  const { properties = {} } = JSON.parse(paramsSchema) as ParamsSchema;
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, typed(text, properties[name]?.type)]),
  );
}

function typed(text: string, type: unknown): Value {
  if (type === 'number' || type === 'integer') {
    const number = Number(text);
    return text.trim() === '' || Number.isNaN(number) ? text : number;
  }
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
