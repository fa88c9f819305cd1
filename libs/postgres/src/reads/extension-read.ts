import { blindSpot, type BlindSpot, type Look, type Read } from '@starr/kernel';
import { z } from 'zod';
import type { ExtensionRowsAnswer, PostgresRequest } from '../postgres-request.ts';
import type { RowsRead } from './rows-read.ts';

const answerSchema = z.object({
  rows: z.array(z.unknown()),
  truncated: z.boolean(),
  version: z.string().optional(),
  tooOld: z.boolean(),
  database: z.string(),
  preloaded: z.string().optional(),
  deniedTo: z.string().optional(),
  schema: z.string().optional(),
});

/** What a read over an extension's view adds to the kit's own members. */
export interface ExtensionRead<R, T> extends Omit<RowsRead<R, T>, 'sql'> {
  readonly extension: string;
  /** Newest first; `{schema}` stands for where the extension lives. */
  readonly variants: readonly { readonly from: string; readonly sql: string }[];
}

/** A look at what an extension brings: absent and too old are blind spots with the statement that cures them. */
export function extensionRead<R, T>(read: ExtensionRead<R, T>): Read<T, PostgresRequest> {
  const { id, extension, variants } = read;
  return {
    id,
    timeoutMs: read.timeoutMs,
    maxRows: read.maxRows,
    request: () => ({ kind: 'extension-rows', extension, variants }),
    parse: (raw, look) => {
      const answer = answerSchema.safeParse(raw);
      if (!answer.success) return malformed(id, answer.error);
      const missing = missingFrom(extension, answer.data as Omit<ExtensionRowsAnswer, 'rows'>);
      if (missing !== undefined) return missing;
      const rows = z.array(read.row).safeParse(answer.data.rows);
      if (!rows.success) return malformed(id, rows.error);
      return read.valueOf(rows.data, answer.data.truncated, look);
    },
    ...(read.relate && { relate: (value: T, look: Look) => read.relate?.(value, look) ?? [] }),
  };
}

function malformed(id: string, error: z.ZodError): BlindSpot {
  const where = error.issues[0];
  return blindSpot(
    'unsupported',
    `${id}: the server answered in an unexpected form at ${where?.path.join('.') ?? '?'}: ${where?.message ?? '?'}`,
  );
}

/** Why the extension cannot be asked; absent: it can. Without its library, creating it is not enough. */
function missingFrom(
  extension: string,
  { version, tooOld, preloaded, database, deniedTo, schema }: Omit<ExtensionRowsAnswer, 'rows'>,
): BlindSpot | undefined {
  const libraries = preloaded?.split(',').map((name) => name.trim());
  if (libraries?.includes(extension) === false) {
    const all = [...libraries.filter((name) => name !== ''), extension];
    return blindSpot(
      'unsupported',
      `the server has not loaded ${extension}: it keeps no statistics of statements`,
      `ALTER SYSTEM SET shared_preload_libraries = ${all.map((name) => `'${name}'`).join(', ')}; -- takes effect with the next restart${
        version === undefined ? `; then CREATE EXTENSION ${extension}; in ${database}` : ''
      }`,
    );
  }
  if (version === undefined) {
    return blindSpot(
      'unsupported',
      `the database ${database} has no extension ${extension}`,
      `CREATE EXTENSION ${extension};`,
    );
  }
  if (tooOld) {
    return blindSpot(
      'unsupported',
      `${extension} ${version} in ${database} is older than what can be read`,
      `ALTER EXTENSION ${extension} UPDATE;`,
    );
  }
  if (deniedTo === undefined) return undefined;
  return blindSpot(
    'denied',
    `${extension} lives in the schema ${schema ?? '?'}, which ${deniedTo} may not use`,
    `GRANT USAGE ON SCHEMA ${schema ?? '?'} TO ${deniedTo};`,
  );
}
