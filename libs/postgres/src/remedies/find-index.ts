import type { PlanRefused } from '@starr/kernel';
import type { IndexInfo, Indexes } from '../reads/indexes.ts';

/** The index of that name in the database of the target. */
export function findIndex(
  { database, indexes, truncated }: Indexes,
  schema: string,
  name: string,
): IndexInfo | PlanRefused {
  const found = indexes.find((index) => index.schema === schema && index.name === name);
  if (found !== undefined) return found;
  const beyond = truncated ? `, or is not among the ${indexes.length} that were looked at` : '';
  return { refused: `there is no index ${schema}.${name} in database ${database}${beyond}` };
}
