import { isDoctorError, type Limit } from '@starr/kernel';
import type { Client } from 'pg';
import type {
  ErrorRow,
  ErrorTable,
  ErrorTableAnswer,
  ErrorTablesRequest,
} from '../error-table-request.ts';
import { stateOf } from './pg-error.ts';
import { rowsFrom } from './rows-from.ts';

/** A table of so few rows may be read whole. */
const SMALL_ROWS = 10_000;
const MESSAGE_CHARACTERS = 1000;
const LOCKED_OR_LATE = new Set(['55P03', '57014']);

export async function errorTablesFrom(
  client: Client,
  { tables, windowMs }: ErrorTablesRequest,
  limit: Limit,
): Promise<ErrorTableAnswer[]> {
  const answers: ErrorTableAnswer[] = [];
  for (const table of tables) answers.push(await answerOf(client, table, windowMs, limit));
  return answers;
}

async function answerOf(
  client: Client,
  table: ErrorTable,
  windowMs: number,
  limit: Limit,
): Promise<ErrorTableAnswer> {
  const { schema, table: name } = table;
  try {
    const shape = await shapeOf(client, table, limit);
    const blind = blindFor(table, shape);
    if (blind !== undefined) return { schema, table: name, state: 'blind', ...blind };
    const by = wayTo(shape);
    if (by === undefined) return { schema, table: name, state: 'blind', ...noWay(table) };
    const { rows, truncated } = await rowsFrom(
      client,
      sqlOf(table, shape, by, windowMs, limit),
      limit,
    );
    return { schema, table: name, state: 'seen', by, truncated, rows: rows.map(errorFromRow) };
  } catch (thrown) {
    if (isDoctorError(thrown) || !LOCKED_OR_LATE.has(stateOf(thrown) ?? '')) throw thrown;
    return {
      schema,
      table: name,
      state: 'blind',
      why: 'timeout',
      detail: `${schema}.${name} is locked, or did not answer in time`,
    };
  }
}

/** What the catalog says of the table, without touching it. */
interface Shape {
  readonly exists: boolean;
  readonly isTable: boolean;
  readonly missing: readonly string[];
  readonly unreadable: readonly string[];
  readonly isTime: boolean;
  readonly hasTimeIndex: boolean;
  /** The one column of the primary key, quoted; absent: there is none, or it has several. */
  readonly key?: string;
  readonly isKeyReadable: boolean;
  /** Absent: never counted. */
  readonly rows?: number;
  readonly ourRole: string;
}

async function shapeOf(client: Client, table: ErrorTable, limit: Limit): Promise<Shape> {
  const { rows } = await rowsFrom(client, shapeSql(table), limit);
  const row = rows[0] ?? {};
  const texts = (column: string) => (row[column] as string[] | null) ?? [];
  const count = Number(row['rows'] ?? -1);
  return {
    exists: row['exists'] === true,
    isTable: row['is_table'] === true,
    missing: texts('missing'),
    unreadable: texts('unreadable'),
    isTime: row['is_time'] === true,
    hasTimeIndex: row['has_time_index'] === true,
    ...(typeof row['key'] === 'string' && { key: row['key'] }),
    isKeyReadable: row['is_key_readable'] === true,
    ...(count >= 0 && row['is_counted'] === true && { rows: count }),
    ourRole: String(row['our_role']),
  };
}

function shapeSql({ schema, table, time, message, trace }: ErrorTable): string {
  const columns = [time, message, ...(trace === undefined ? [] : [trace])];
  const values = columns.map((name) => `(${literal(name)})`).join(', ');
  return `
    SELECT quote_ident(current_user) AS our_role, c.oid IS NOT NULL AS exists, c.relkind IN ('r', 'p', 'm') AS is_table,
           ARRAY(SELECT w.name FROM (VALUES ${values}) w (name)
                  WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = w.name AND a.attnum > 0)) AS missing,
           ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attname IN (${columns.map(literal).join(', ')}) AND a.attnum > 0
                    AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT'))) AS unreadable,
           t.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) AS is_time,
           EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
                    WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = t.attnum AND m.amname = 'btree')
             AS has_time_index,
           quote_ident(k.attname) AS key, has_column_privilege(c.oid, k.attnum, 'SELECT') AS is_key_readable,
           c.reltuples::float8 AS rows, c.relpages > 0 OR c.reltuples > 0 AS is_counted
      FROM (SELECT) one
      LEFT JOIN pg_namespace n ON n.nspname = ${literal(schema)}
      LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = ${literal(table)}
      LEFT JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = ${literal(time)} AND t.attnum > 0
      LEFT JOIN pg_index p ON p.indrelid = c.oid AND p.indisprimary AND p.indnkeyatts = 1
      LEFT JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = p.indkey[0]`;
}

type Blind = Omit<Extract<ErrorTableAnswer, { state: 'blind' }>, 'schema' | 'table' | 'state'>;

function blindFor(
  { schema, table, time, ...columns }: ErrorTable,
  shape: Shape,
): Blind | undefined {
  const name = `${schema}.${table}`;
  const quoted = `${identifier(schema)}.${identifier(table)}`;
  if (!shape.exists) {
    return {
      why: 'unsupported',
      detail: `there is no table ${name} in this database`,
      cure: 'Name it in starr.yaml as schema.table, in a target of its database.',
    };
  }
  if (!shape.isTable)
    return {
      why: 'unsupported',
      detail: `${name} is a view or something else: name the table itself`,
    };
  if (shape.missing.length > 0) {
    return {
      why: 'unsupported',
      detail: `${name} has no column ${shape.missing.join(', ')}`,
      cure: 'Correct the columns in starr.yaml.',
    };
  }
  if (shape.unreadable.length > 0) {
    const key = shape.hasTimeIndex || shape.key === undefined ? [] : [shape.key];
    const all = [...[time, ...Object.values(columns)].map(identifier), ...key].join(', ');
    return {
      why: 'denied',
      detail: `${shape.ourRole} may not read ${name}`,
      cure: `GRANT USAGE ON SCHEMA ${identifier(schema)} TO ${shape.ourRole}; GRANT SELECT (${all}) ON ${quoted} TO ${shape.ourRole};`,
    };
  }
  if (!shape.isTime)
    return { why: 'unsupported', detail: `${name}.${time} is neither a timestamp nor a date` };
  return undefined;
}

function noWay({ schema, table, time }: ErrorTable): Blind {
  return {
    why: 'unsupported',
    detail: `${schema}.${table} has no index on ${time}, no primary key of one column, and is not known to be small: it would be read whole`,
    cure: `CREATE INDEX CONCURRENTLY ON ${identifier(schema)}.${identifier(table)} (${identifier(time)});`,
  };
}

type Way = Extract<ErrorTableAnswer, { state: 'seen' }>['by'];

function wayTo({ hasTimeIndex, key, isKeyReadable, rows }: Shape): Way | undefined {
  if (hasTimeIndex) return 'time index';
  if (key !== undefined && isKeyReadable) return 'primary key';
  return rows !== undefined && rows <= SMALL_ROWS ? 'small table' : undefined;
}

/** Every name is quoted; the time column stands bare in its condition, so that its index serves. */
function sqlOf(
  { schema, table, time, message, trace }: ErrorTable,
  { key }: Shape,
  by: Way,
  windowMs: number,
  { maxRows }: Limit,
): string {
  const from = `${identifier(schema)}.${identifier(table)}`;
  const at = identifier(time);
  const since = `${at} >= now() - interval '${Math.ceil(windowMs)} milliseconds'`;
  const columns = `extract(epoch FROM ${at}::timestamptz)::float8 * 1000 AS at_ms, left(${identifier(message)}::text, ${MESSAGE_CHARACTERS}) AS message,
       ${trace === undefined ? 'NULL' : `left(${identifier(trace)}::text, 64)`} AS trace`;
  switch (by) {
    case 'primary key':
      // The newest by key are the newest by time, or near enough; what is older than the window is left out by whoever judges.
      return `SELECT ${columns} FROM ${from} ORDER BY ${key ?? at} DESC LIMIT ${maxRows + 1}`;
    case 'time index':
    case 'small table':
      return `SELECT ${columns} FROM ${from} WHERE ${since} ORDER BY ${at} DESC LIMIT ${maxRows + 1}`;
  }
}

function errorFromRow(row: Readonly<Record<string, unknown>>): ErrorRow {
  return {
    atMs: Number(row['at_ms']),
    message: typeof row['message'] === 'string' ? row['message'] : '',
    ...(typeof row['trace'] === 'string' && { trace: row['trace'] }),
  };
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Standard strings hold a backslash as it is; the setting that would change that is one of the last century. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
