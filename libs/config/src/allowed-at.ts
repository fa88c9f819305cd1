import { z } from 'zod';

/** What the schema allows at a path, in words; undefined when it cannot say more than the issue itself. */
export function allowedAt(
  schema: z.ZodType,
  path: readonly (string | number)[],
): string | undefined {
  let at: z.ZodType | undefined = bare(schema);
  for (const part of path) at = at && step(at, part);
  return at && inWords(at);
}

function bare(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  ) {
    return bare(schema.unwrap() as z.ZodType);
  }
  return schema;
}

function step(schema: z.ZodType, part: string | number): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) {
    const next = (schema.shape as Record<string, z.ZodType | undefined>)[part];
    return next && bare(next);
  }
  if (schema instanceof z.ZodArray) return bare(schema.element as z.ZodType);
  if (schema instanceof z.ZodRecord) return bare(schema.valueType as z.ZodType);
  return undefined;
}

function inWords(schema: z.ZodType): string | undefined {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape).join(', ');
  if (schema instanceof z.ZodUnion) {
    const forms = (schema.options as z.ZodType[])
      .map((option) => inWords(bare(option)))
      .filter((words) => words !== undefined);
    return forms.length === 0
      ? undefined
      : `one of ${forms.map((form) => `{ ${form} }`).join(', ')}`;
  }
  if (schema instanceof z.ZodArray) return 'a list';
  if (schema instanceof z.ZodRecord) return 'a map';
  if (schema instanceof z.ZodNumber) return `a number${bound(schema)}`;
  if (schema instanceof z.ZodString) return 'a text';
  if (schema instanceof z.ZodBoolean) return 'true, false';
  return undefined;
}

function bound({ minValue, maxValue }: z.ZodNumber): string {
  const low =
    minValue !== null && Number.isFinite(minValue) && minValue > Number.MIN_SAFE_INTEGER
      ? ` from ${minValue}`
      : '';
  const high =
    maxValue !== null && Number.isFinite(maxValue) && maxValue < Number.MAX_SAFE_INTEGER
      ? ` to ${maxValue}`
      : '';
  return low + high;
}
