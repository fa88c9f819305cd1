import { DoctorError, maskText } from '@starr/kernel';
import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { allowedAt } from './allowed-at.ts';

/**
 * Text → checked value. Fails with CONFIG_INVALID, saying file, line, column, key, the value received and what is allowed;
 * all faults at once, one a line.
 */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken) throw invalid(file, [`${at(file, broken.pos[0], lines)}: ${broken.message}`]);
  const parsed = schema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  throw invalid(
    file,
    parsed.error.issues.flatMap((issue) => describeIssue(issue, document, lines, file, schema)),
  );
}

function invalid(file: string, faults: readonly string[]): DoctorError {
  return new DoctorError('CONFIG_INVALID', {
    message: faults.join('\n'),
    details: { field: file },
  });
}

function describeIssue(
  issue: z.core.$ZodIssue,
  document: Document,
  lines: LineCounter,
  file: string,
  schema: z.ZodType,
): string[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    const allowed = allowedAt(schema, path);
    return issue.keys.map(
      (key) =>
        `${locate(document, lines, file, [...path, key])}: ${dotted([...path, key])} is not known; allowed: ${allowed}`,
    );
  }
  const where = locate(document, lines, file, path);
  const received = document.getIn(path);
  const shown = received === undefined ? 'is missing' : shownValue(issue, received);
  const allowed =
    issue.code === 'invalid_value'
      ? issue.values.map(String).join(', ')
      : (allowedAt(schema, path) ?? issue.message);
  const because =
    issue.code === 'custom' || issue.code === 'invalid_format' ? issue.message : allowed;
  return [`${where}: ${dotted(path)} ${shown}; allowed: ${because}`];
}

/** A secret that stands in the open is a mistake to be told of, not to be repeated in a terminal and its log. */
function shownValue(issue: z.core.$ZodIssue, received: unknown): string {
  // a reference is the only thing that may be given in more than one form
  if (issue.code === 'invalid_union') return 'is no reference to a secret';
  const value: unknown = isNode(received) ? received.toJSON() : received;
  return `is ${maskText(JSON.stringify(value)).slice(0, 80)}`;
}

/** The nearest node that exists: a missing key is reported where its parent stands. */
function locate(
  document: Document,
  lines: LineCounter,
  file: string,
  path: readonly (string | number)[],
): string {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return at(file, node.range[0], lines);
  }
  return `${file}:1:1`;
}

function at(file: string, offset: number, lines: LineCounter): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${line}:${col}`;
}

function dotted(path: readonly (string | number)[]): string {
  return (
    path.reduce<string>(
      (text, part) =>
        typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`,
      '',
    ) || 'the file'
  );
}
