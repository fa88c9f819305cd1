import type { Read } from '@starr/kernel';
import { z } from 'zod';
import type { PostgresRequest } from '../postgres-request.ts';
import { rowsRead } from './rows-read.ts';

const MOST_SEQUENCES = 2000;

/** A sequence and how far it has come. */
export interface SequenceUse {
  readonly schema: string;
  readonly name: string;
  /** `table.column` that it feeds; '' when none is known. */
  readonly feeds: string;
  readonly feedsTable: string;
  /** smallint, integer, bigint: the narrower of the sequence and its column. */
  readonly type: string;
  /** 0–1 of what it, or the column that it feeds, can hold. */
  readonly useRatio: number;
  readonly left: number;
}

export interface Sequences {
  readonly database: string;
  /** Fullest first. Without those that begin again at their end. */
  readonly sequences: readonly SequenceUse[];
  readonly truncated: boolean;
  readonly elsewhere: readonly string[];
  /** Sequences whose value this role may not see, and the schemas that they are in, quoted. */
  readonly hidden: number;
  readonly hiddenSchemas: readonly string[];
  /** Those of all sequences, quoted. */
  readonly schemas: readonly string[];
  readonly ourRole: string;
}

const rowSchema = z.object({
  our_role: z.string(),
  database: z.string(),
  elsewhere: z.array(z.string()),
  schema: z.string().nullable(),
  quoted_schema: z.string().nullable(),
  name: z.string().nullable(),
  feeds: z.string().nullable(),
  feeds_table: z.string().nullable(),
  type: z.string().nullable(),
  readable: z.boolean().nullable(),
  use_ratio: z.number().nullable(),
  left: z.number().nullable(),
});

/** A sequence that was never used has no last value; a column may be narrower than the sequence that feeds it. */
export const sequencesRead: Read<Sequences, PostgresRequest> = rowsRead({
  id: 'postgres.sequences',
  timeoutMs: 1000,
  maxRows: MOST_SEQUENCES,
  row: rowSchema,
  sql: () => `
    SELECT quote_ident(current_user) AS our_role, current_database()::text AS database,
           ARRAY(SELECT DISTINCT datname::text FROM pg_stat_activity
                  WHERE datname <> current_database() AND backend_type = 'client backend'
                    AND backend_start < clock_timestamp() - interval '10 s' ORDER BY 1) AS elsewhere,
           u.schema, u.quoted_schema, u.name, u.feeds, u.feeds_table, u.type, u.readable,
           greatest(coalesce((u.last - u.first) / nullif(u.most - u.first, 0), 0), 0)::float8 AS use_ratio,
           (u.most - coalesce(u.last, u.first))::float8 AS left
      FROM (SELECT) here LEFT JOIN (
        SELECT n.nspname::text AS schema, quote_ident(n.nspname) AS quoted_schema, c.relname::text AS name,
               concat_ws('.', t.relname, a.attname) AS feeds, coalesce(t.relname, '')::text AS feeds_table,
               CASE least(s.seqmax, coalesce(w.most, s.seqmax)) WHEN 32767 THEN 'smallint' WHEN 2147483647 THEN 'integer' ELSE 'bigint' END AS type,
               r.readable, s.seqmin::numeric AS first, least(s.seqmax, coalesce(w.most, s.seqmax))::numeric AS most,
               CASE WHEN r.readable THEN pg_sequence_last_value(c.oid)::numeric END AS last
          FROM pg_sequence s
          JOIN pg_class c ON c.oid = s.seqrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          CROSS JOIN LATERAL (SELECT has_sequence_privilege(c.oid, 'SELECT, USAGE') AS readable) r
          LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
                               AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
          LEFT JOIN pg_class t ON t.oid = d.refobjid
          LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
          LEFT JOIN (VALUES ('int2'::regtype, 32767::bigint), ('int4', 2147483647)) w (type, most) ON w.type = a.atttypid
         WHERE NOT s.seqcycle AND s.seqincrement > 0 AND c.relpersistence <> 't') u ON true
     ORDER BY use_ratio DESC NULLS LAST, schema, name`,
  valueOf: (rows, truncated) => {
    const [first] = rows;
    const hidden = rows.filter(({ readable }) => readable === false);
    return {
      database: first?.database ?? '',
      elsewhere: first?.elsewhere ?? [],
      ourRole: first?.our_role ?? '',
      truncated,
      hidden: hidden.length,
      hiddenSchemas: [...new Set(hidden.map(({ quoted_schema }) => quoted_schema ?? ''))],
      schemas: [...new Set(rows.flatMap(({ quoted_schema }) => quoted_schema ?? []))].toSorted(),
      sequences: rows.flatMap((row) => (row.readable === true ? [useFromRow(row)] : [])),
    };
  },
});

function useFromRow(row: z.infer<typeof rowSchema>): SequenceUse {
  return {
    schema: row.schema ?? '',
    name: row.name ?? '',
    feeds: row.feeds ?? '',
    feedsTable: row.feeds_table ?? '',
    type: row.type ?? '',
    useRatio: row.use_ratio ?? 0,
    left: row.left ?? 0,
  };
}
