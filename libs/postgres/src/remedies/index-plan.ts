import type { PlanRefused } from '@starr/kernel';
import type { IndexKey } from '../acts/maintenance.ts';
import type { IndexInfo } from '../reads/indexes.ts';
import type { MaintainableTable } from '../reads/maintainable.ts';

/** PostgreSQL cuts longer names silently. */
const NAME_BYTES = 63;

/** `customer_id, created_at desc` → keys, each a column of the table. */
export function parseKeys(
  text: string,
  { schema, name, columns }: MaintainableTable,
): readonly IndexKey[] | PlanRefused {
  const keys = text.split(',').map((part): IndexKey => {
    const whole = part.trim();
    // A column may be called "desc": as it stands first, then without the order.
    if (columns.includes(whole)) return { column: whole, descending: false };
    const [, column = whole, order] = /^(.*?)\s+(asc|desc)$/i.exec(whole) ?? [];
    return { column, descending: order?.toLowerCase() === 'desc' };
  });
  const unknown = keys.find(({ column }) => !columns.includes(column));
  if (unknown !== undefined)
    return { refused: `${schema}.${name} has no column ${JSON.stringify(unknown.column)}` };
  const twice = keys.find(
    ({ column }, at) => keys.findIndex((key) => key.column === column) !== at,
  );
  return twice === undefined ? keys : { refused: `column ${twice.column} is named twice` };
}

/** `orders_customer_id_created_at_idx`, cut in its middle to what fits; never one that is taken. */
export function indexName(
  table: string,
  keys: readonly IndexKey[],
  taken: ReadonlySet<string>,
): string {
  for (let number = 0; ; number += 1) {
    const end = `_idx${number === 0 ? '' : String(number)}`;
    const name = `${cut([table, ...keys.map(({ column }) => column)].join('_'), NAME_BYTES - end.length)}${end}`;
    if (!taken.has(name)) return name;
  }
}

function cut(text: string, bytes: number): string {
  let short = text;
  while (Buffer.byteLength(short) > bytes) short = short.slice(0, -1);
  return short;
}

/** An index of the table that makes this one needless, or that has to go first; undefined: none. */
export function standsInTheWay(
  indexes: readonly IndexInfo[],
  table: MaintainableTable,
  keys: readonly IndexKey[],
): string | undefined {
  const same = indexes.find(
    (index) =>
      index.schema === table.schema &&
      index.table === table.name &&
      index.method === 'btree' &&
      index.predicate === '' &&
      keys.every(({ column }, at) => index.columns[at] === column) &&
      // One with more columns serves the same searches; it is not asked to when it is invalid.
      (index.isValid || index.columns.length === keys.length),
  );
  if (same === undefined) return undefined;
  const name = `${same.schema}.${same.name}`;
  if (same.isBuilding) return `${name} on these columns is being built at this moment`;
  return same.isValid
    ? `${name} on (${same.columns.join(', ')}) serves these columns already`
    : `${name} on these columns is there and INVALID: db.reindex builds it anew, db.drop-invalid-index takes it away`;
}
