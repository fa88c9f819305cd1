/** Planning is milliseconds; a statement that takes longer to plan has no plan tonight. */
export const PLAN_WITHIN_MS = 250;
/** What it is prepared as; also the name of the savepoint before. */
export const PREPARED = 'starr_plan';
export const LOCKED_OR_LATE: ReadonlySet<string> = new Set(['55P03', '57014']);
/** A table that is locked costs each of its statements a wait. */
const LOCK_TIMEOUT_MS = 25;

/**
 * A prepared statement with NULL for each placeholder and a forced generic plan: what EXPLAIN (GENERIC_PLAN) does on
 * 16 and newer, on every version. The application's search_path is not known; its role's default is the best guess.
 */
export function prepareMessage(query: string): string {
  return [
    `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
    'SET LOCAL plan_cache_mode = force_generic_plan',
    'SET LOCAL search_path = "$user", public',
    `PREPARE ${PREPARED} AS ${query}\n`,
  ].join(';\n');
}

export function explainMessage(query: string): string {
  const parameters = Math.max(0, ...[...query.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n)));
  const values = parameters === 0 ? '' : `(${Array(parameters).fill('NULL').join(', ')})`;
  return `EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE ${PREPARED}${values}`;
}

/** Text of the server may quote the statement: only what kind of failure it was is passed on. */
export function reasonOf(state: string): string {
  if (LOCKED_OR_LATE.has(state)) return 'its table is locked, or it took too long to plan';
  if (state === '42501') return 'this role may not read its table';
  return `the server cannot plan it outside of its application (SQLSTATE ${state})`;
}
