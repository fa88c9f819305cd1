import type { CreateIndexAct, IndexKey, MaintenanceAct } from './acts/maintenance.ts';
import { quoteIdentifier, quoteLiteral, quoteQualified } from './quote-identifier.ts';

/** The one statement of the act; cannot stand in a transaction. */
export function maintenanceSql(act: MaintenanceAct): string {
  switch (act.kind) {
    case 'analyze-table':
      return `ANALYZE ${quoteQualified(act.schema, act.table)};`;
    case 'vacuum-table':
      return `VACUUM (ANALYZE) ${quoteQualified(act.schema, act.table)};`;
    case 'create-index':
      return createIndexSql(act);
    case 'drop-index':
      return dropIndexSql(act.schema, act.name);
    case 'reindex':
      return `REINDEX INDEX CONCURRENTLY ${quoteQualified(act.schema, act.name)};`;
  }
}

/** What a person runs, each statement on its own (`psql` does so): the timeout first, since it waits for others. */
export function maintenanceByHand(act: MaintenanceAct): string {
  return [
    `SET lock_timeout = '${act.lockTimeoutMs}ms';`,
    "SET statement_timeout = '0';",
    maintenanceSql(act),
  ].join('\n');
}

export function dropIndexSql(schema: string, name: string): string {
  return `DROP INDEX CONCURRENTLY ${quoteQualified(schema, name)};`;
}

/** By which an index is recognised as the work of one operation. */
export function indexComment(operationId: string): string {
  return `starr ${operationId}`;
}

export function commentSql({ schema, name }: CreateIndexAct, operationId: string): string {
  return `COMMENT ON INDEX ${quoteQualified(schema, name)} IS ${quoteLiteral(indexComment(operationId))};`;
}

/** Never IF NOT EXISTS: it reports success beside an invalid index of that name. */
function createIndexSql({ schema, table, name, keys }: CreateIndexAct): string {
  const columns = keys.map(keySql).join(', ');
  return `CREATE INDEX CONCURRENTLY ${quoteIdentifier(name)} ON ${quoteQualified(schema, table)} (${columns});`;
}

export function keySql({ column, descending }: IndexKey): string {
  return `${quoteIdentifier(column)}${descending ? ' DESC' : ''}`;
}

/** Begins the statement, where pg_stat_activity shows it, so that a probe knows whose it is. */
export function stampOf(operationId: string): string {
  return `/* starr ${operationId} */`;
}
