import type { Client } from 'pg';
import type { AlterConnectionLimitAct, AlterSettingAct } from '../acts/alter.ts';

type AlterAct = AlterSettingAct | AlterConnectionLimitAct;

/** What the server has now, as text; `not-set` for a setting that is not altered there, `gone` without the role or database. */
export type Present = { readonly value: string } | 'not-set' | 'gone';

/** The value as it stands now, in whatever transaction the session is. */
export async function presentOf(client: Client, act: AlterAct): Promise<Present> {
  const { rows } = await client.query<{ value: string | null }>(
    act.kind === 'alter-setting' ? SETTING : act.role === undefined ? DATABASE_LIMIT : ROLE_LIMIT,
    act.kind === 'alter-setting'
      ? [act.role ?? null, act.database ?? null, act.setting]
      : [act.role ?? act.database],
  );
  const [row] = rows;
  if (row === undefined) return 'gone';
  return row.value === null ? 'not-set' : { value: row.value };
}

const ROLE_LIMIT = 'SELECT rolconnlimit::text AS value FROM pg_catalog.pg_roles WHERE rolname = $1';
const DATABASE_LIMIT =
  'SELECT datconnlimit::text AS value FROM pg_catalog.pg_database WHERE datname = $1';
const SETTING = `
  SELECT (SELECT substr(c, length($3::text) + 2)
            FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) AS c
           WHERE s.setrole = who.role AND s.setdatabase = who.database AND starts_with(c, $3::text || '=')) AS value
    FROM (SELECT CASE WHEN $1::text IS NULL THEN 0::oid ELSE (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1::text) END AS role,
                 CASE WHEN $2::text IS NULL THEN 0::oid ELSE (SELECT oid FROM pg_catalog.pg_database WHERE datname = $2::text) END AS database) who
   WHERE who.role IS NOT NULL AND who.database IS NOT NULL`;

export function isFrom(present: Present, act: AlterAct): boolean {
  return same(present, act.from);
}

export function isTo(present: Present, act: AlterAct): boolean {
  return same(present, act.to);
}

function same(present: Present, wanted: string | number | undefined): boolean {
  if (present === 'gone') return false;
  if (present === 'not-set') return wanted === undefined;
  return wanted !== undefined && present.value === String(wanted);
}

export function presentInWords(present: Present): string {
  if (present === 'gone') return 'gone';
  return present === 'not-set' ? 'not set' : present.value;
}
