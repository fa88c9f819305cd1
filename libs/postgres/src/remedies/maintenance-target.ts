import type { Look, PlanRefused } from '@starr/kernel';
import { z } from 'zod';
import { quoteIdentifier, quoteQualified } from '../quote-identifier.ts';
import { actingRoleOf } from '../reads/acting-role.ts';
import type { MaintainableTable, MaintainableTables } from '../reads/maintainable.ts';
import { majorOf } from '../reads/rows-read.ts';
import { grantOfOwner } from './may-alter.ts';

const NAME = z.string().min(1).max(63);
const SHORTEST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 600_000;
const DEFAULT_WAIT_MS = 10_000;

/** Which table or index, and how patient. */
export const schemaParam = NAME.default('public');
export const nameParam = NAME;
/** For each lock and each transaction that is in the way. Default 10 s. */
export const lockTimeoutParam = z
  .int()
  .min(SHORTEST_WAIT_MS)
  .max(LONGEST_WAIT_MS)
  .default(DEFAULT_WAIT_MS);

/** The table of that name in the database of the target. */
export function findTable(
  { database, tables, truncated }: MaintainableTables,
  schema: string,
  name: string,
): MaintainableTable | PlanRefused {
  const found = tables.find((table) => table.schema === schema && table.name === name);
  if (found !== undefined) return found;
  const beyond = truncated ? `, or is not among its ${tables.length} largest` : '';
  return { refused: `there is no table ${schema}.${name} in database ${database}${beyond}` };
}

/** What the acting role lacks for VACUUM and ANALYZE (and REINDEX from 17 on), as the statements that give it; undefined: nothing. */
export function lackToMaintain(table: MaintainableTable, look: Look): string | undefined {
  const major = majorOf(look.version);
  return lack(table, look, table.mayMaintain && table.mayUse, (role) => [
    ...(table.mayMaintain
      ? []
      : [
          major >= 17
            ? `GRANT MAINTAIN ON TABLE ${quoteQualified(table.schema, table.name)} TO ${role};`
            : ownerCure(table, role, major),
        ]),
    ...(table.mayUse ? [] : [`GRANT USAGE ON SCHEMA ${quoteIdentifier(table.schema)} TO ${role};`]),
  ]);
}

/** What it lacks to create or drop an index: the ownership of the table, and to create also that privilege on the schema. */
export function lackToOwn(
  table: MaintainableTable,
  look: Look,
  creates: boolean,
): string | undefined {
  const mayInSchema = creates ? table.mayCreate : table.mayUse;
  return lack(table, look, table.mayOwn && mayInSchema, (role) => [
    ...(table.mayOwn ? [] : [ownerCure(table, role, majorOf(look.version))]),
    ...(mayInSchema
      ? []
      : [
          `GRANT ${creates ? 'USAGE, CREATE' : 'USAGE'} ON SCHEMA ${quoteIdentifier(table.schema)} TO ${role};`,
        ]),
  ]);
}

/** What a superuser may is not given away: the table gets an owner that is none. */
function ownerCure(table: MaintainableTable, role: string, major: number): string {
  return table.isSuperusers
    ? `ALTER TABLE ${quoteQualified(table.schema, table.name)} OWNER TO … (a role of the application, since ${table.owner} is a superuser), then GRANT that role TO ${role};`
    : grantOfOwner(table.owner, role, major);
}

function lack(
  { schema, name }: MaintainableTable,
  look: Look,
  isThere: boolean,
  cures: (role: string) => readonly string[],
): string | undefined {
  if (isThere) return undefined;
  const acting = actingRoleOf(look);
  if (acting === undefined) return 'no acting credential is configured for this target';
  const role = quoteIdentifier(acting);
  return `${role} may not do this to ${schema}.${name}. Cure: ${cures(role).join(' ')}`;
}

/** Two of a kind on one table wait for each other; the second would only hold a place in the queue. */
export function underWay(table: MaintainableTable): string | undefined {
  const [first] = table.underWay;
  return first && `${first.what} of ${table.schema}.${table.name} is under way: pid ${first.pid}`;
}
