import { entityText, textOfValue, type Entity, type Row, type Value } from '@starr/kernel';
import type { EvidenceItem } from './evidence.ts';

/**
 * The small language of playbooks: `clause.field`, in titles as `{clause.field}` and in `with:` as it is.
 *
 * | field | gives |
 * | --- | --- |
 * | `about`, `about.name`, `about.kind`, `about.scope` | what it is about |
 * | `target` | the name of the target that it was seen on |
 * | `at` | onset or moment, RFC 3339 |
 * | `says` | its sentence |
 * | `facts.NAME` | a fact of a change |
 * | `measured.NAME` | a measurement |
 * | `involves.KIND` | names of the entities of that kind among about and involves, joined by commas |
 * | `rows.COLUMN` | the distinct values of a column of the rows of evidence, joined by commas; a number that stands alone stays one |
 */
export interface Reference {
  readonly clause: string;
  readonly field: ReferenceField;
  /** Absent where the field has none. */
  readonly key?: string;
}

const FIELDS = ['about', 'target', 'at', 'says', 'facts', 'measured', 'involves', 'rows'] as const;
type ReferenceField = (typeof FIELDS)[number];
const KEYED: ReadonlySet<string> = new Set(['facts', 'measured', 'involves', 'rows']);
const ABOUT_KEYS: ReadonlySet<string> = new Set(['name', 'kind', 'scope']);

export const REFERENCE_FORM =
  'CLAUSE.about, .about.name, .about.kind, .about.scope, .target, .at, .says, .facts.NAME, .measured.NAME, .involves.KIND, .rows.COLUMN';

/** Undefined: not of the form. */
export function parseReference(text: string): Reference | undefined {
  const [clause, field, ...rest] = text.split('.');
  const key = rest.length === 0 ? undefined : rest.join('.');
  if (clause === undefined || !isField(field)) return undefined;
  if (KEYED.has(field)) return key === undefined ? undefined : { clause, field, key };
  if (field === 'about' && key !== undefined)
    return ABOUT_KEYS.has(key) ? { clause, field, key } : undefined;
  return key === undefined ? { clause, field } : undefined;
}

/** Undefined: the item has no such thing. */
export function resolveReference(reference: Reference, item: EvidenceItem): Value | undefined {
  const { field, key = '' } = reference;
  switch (field) {
    case 'about':
      return aboutOf(item.about, key);
    case 'target':
      return item.target;
    case 'at':
      return item.at?.toISOString();
    case 'says':
      return item.says;
    case 'facts':
      return item.kind === 'change' ? item.facts[key] : undefined;
    case 'measured':
      return item.measured.find(({ name }) => name === key)?.value;
    case 'involves':
      return joined(namesOf(item, key));
    case 'rows':
      return item.kind === 'finding' ? valueOfColumn(item.rows, key) : undefined;
  }
}

/** The references of a template, in its order. */
export function referencesIn(template: string): readonly string[] {
  return [...template.matchAll(/\{([^{}]*)\}/g)].map(([, inner]) => inner ?? '');
}

/** Fills `{clause.field}`; what was not seen reads `?`. */
export function fillTemplate(
  template: string,
  itemOf: (clause: string) => EvidenceItem | undefined,
): string {
  return template.replace(/\{([^{}]*)\}/g, (_whole, inner: string) => {
    const reference = parseReference(inner);
    const item = reference && itemOf(reference.clause);
    const value = reference && item && resolveReference(reference, item);
    return value === undefined ? '?' : textOfValue(value);
  });
}

function aboutOf(about: Entity, key: string): string | undefined {
  switch (key) {
    case 'name':
      return about.name;
    case 'kind':
      return about.kind;
    case 'scope':
      return about.scope;
    default:
      return entityText(about);
  }
}

function namesOf(item: EvidenceItem, kind: string): readonly string[] {
  return [item.about, ...item.involves]
    .filter((entity) => entity.kind === kind)
    .map(({ name }) => name);
}

function valueOfColumn(rows: readonly Row[], column: string): Value | undefined {
  const values = rows.flatMap((row) => row[column] ?? []);
  const texts = new Set(values.map(textOfValue));
  const [only] = values;
  // A parameter that is a number (a pid, a limit) is not accepted as text.
  return texts.size === 1 && typeof only === 'number' ? only : joined([...texts]);
}

function joined(texts: readonly string[]): string | undefined {
  return texts.length === 0 ? undefined : [...new Set(texts)].sort().join(',');
}

function isField(text: string | undefined): text is ReferenceField {
  return (FIELDS as readonly (string | undefined)[]).includes(text);
}
