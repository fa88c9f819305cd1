import { starrYamlSchema } from '@starr/config';
import { z } from 'zod';
import { cell, writePage } from './write-page.ts';

/** A JSON Schema as far as this page reads it. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly const?: unknown;
}

/** Every key of starr.yaml, from the schema that checks it. */
export async function writeConfigurationPage(): Promise<void> {
  const schema = z.toJSONSchema(starrYamlSchema, { io: 'input', unrepresentable: 'any' }) as Schema;
  const rows = keys(schema, '').map(
    ({ key, type, required, says }) =>
      `| \`${key}\` | ${cell(type)} | ${required} | ${cell(says)} |`,
  );
  const head = [
    '# starr.yaml',
    '',
    'One strict file; each service reads its part. A key that is not listed here is an error, with file, line and what is allowed.',
    'Secrets are given by reference only: `{ env: NAME }`, `{ file: path }` or `{ command: [program, argument] }`.',
    '',
    '| key | type | required | says |',
    '| --- | --- | --- | --- |',
  ];
  await writePage('docs/configuration.md', [...head, ...rows].join('\n'));
}

interface Key {
  readonly key: string;
  readonly type: string;
  readonly required: string;
  readonly says: string;
}

function keys(schema: Schema, prefix: string): Key[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const key = `${prefix}${name}`;
    const required =
      schema.required?.includes(name) === true
        ? 'yes'
        : member.default === undefined
          ? 'no'
          : `no (${JSON.stringify(member.default)})`;
    const own = { key, type: typeOf(member), required, says: member.description ?? '' };
    const inner = member.type === 'array' ? (member.items ?? {}) : member;
    if (isSecret(inner)) return [own];
    const variants = inner.oneOf ?? [inner];
    return [
      own,
      ...variants.flatMap((variant) =>
        keys(variant, member.type === 'array' ? `${key}[].` : `${key}.`),
      ),
    ];
  });
}

function typeOf(schema: Schema): string {
  if (isSecret(schema)) return 'secret';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'anything'}`;
  if (
    schema.type === 'object' &&
    typeof schema.additionalProperties === 'object' &&
    schema.properties === undefined
  )
    return `map of ${typeOf(schema.additionalProperties)}`;
  return schema.type ?? 'one of the forms below';
}

function isSecret(schema: Schema): boolean {
  return schema.anyOf?.some((form) => form.properties?.['env'] !== undefined) === true;
}
