import type { Limit } from '@starr/kernel';
import type { Client } from 'pg';
import type { ExtensionRowsAnswer, ExtensionRowsRequest } from '../postgres-request.ts';
import { rowsFrom } from './rows-from.ts';

/** Where an extension lives in the database of this session, if at all. */
export interface ExtensionPlace {
  readonly database: string;
  readonly version?: string;
  /** Quoted. */
  readonly schema: string;
  readonly preloaded?: string;
  /** The role that looks, quoted, where it may not use the schema. */
  readonly deniedTo?: string;
}

/** pg_settings leaves out what the role may not see, where current_setting() would fail. */
export async function placeOf(
  client: Client,
  extension: string,
  limit: Limit,
): Promise<ExtensionPlace> {
  const { rows } = await rowsFrom(
    client,
    `SELECT quote_ident(current_database()) AS database, e.extversion AS version, quote_ident(n.nspname) AS schema,
            CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN quote_ident(current_user) END AS denied_to,
            (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries') AS preloaded
       FROM (SELECT) one LEFT JOIN pg_extension e ON e.extname = '${extension.replaceAll("'", "''")}'
       LEFT JOIN pg_namespace n ON n.oid = e.extnamespace`,
    limit,
  );
  const text = (column: string) => {
    const value = rows[0]?.[column];
    return typeof value === 'string' ? value : undefined;
  };
  const [version, preloaded] = [text('version'), text('preloaded')];
  const deniedTo = text('denied_to');
  return {
    database: text('database') ?? '',
    schema: text('schema') ?? '',
    ...(version !== undefined && { version }),
    ...(preloaded !== undefined && { preloaded }),
    ...(deniedTo !== undefined && { deniedTo }),
  };
}

/** Two round trips: the view's columns and its schema are known only when the extension was looked up. */
export async function extensionRowsFrom(
  client: Client,
  { extension, variants }: ExtensionRowsRequest,
  limit: Limit,
): Promise<ExtensionRowsAnswer> {
  const { schema, ...place } = await placeOf(client, extension, limit);
  const nothing = { ...place, rows: [], truncated: false };
  const { version } = place;
  if (version === undefined) return { ...nothing, tooOld: false };
  const variant = variants.find(({ from }) => compareVersions(version, from) >= 0);
  if (variant === undefined) return { ...nothing, tooOld: true };
  if (place.deniedTo !== undefined) return { ...nothing, schema, tooOld: false };
  const answer = await rowsFrom(client, variant.sql.replaceAll('{schema}', schema), limit);
  return { ...place, ...answer, tooOld: false };
}

/** 1.10 is newer than 1.9. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (let part = 0; part < Math.max(left.length, right.length); part += 1) {
    const difference = (left[part] ?? 0) - (right[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
