import type { Look } from '@starr/kernel';
import { quoteIdentifier } from '../quote-identifier.ts';
import { actingRoleOf } from '../reads/acting-role.ts';
import type { Alterable } from '../reads/alterable.ts';
import { majorOf } from '../reads/rows-read.ts';

/** What the acting role lacks to alter this one, with the statements that give it; undefined: nothing. */
export function lackToAlter(one: Alterable, look: Look): string | undefined {
  if (one.mayAlter) return undefined;
  const acting = actingRoleOf(look);
  if (acting === undefined) return 'no acting credential is configured for this target';
  const role = quoteIdentifier(acting);
  if (one.isSuperuser) return `${one.name} is a superuser, which only a superuser may alter`;
  return `${role} may not alter ${one.of} ${one.name}. Cure: ${grantsToAlter(one, role, majorOf(look.version)).join(' ')}`;
}

function grantsToAlter(one: Alterable, role: string, major: number): string[] {
  if (one.of === 'database')
    return [
      one.isSuperusers
        ? `ALTER DATABASE ${quoteIdentifier(one.name)} OWNER TO … (a role of the application, since ${one.owner} is a superuser), then GRANT that role TO ${role};`
        : grantOfOwner(one.owner, role, major),
    ];
  return [`ALTER ROLE ${role} CREATEROLE;`, ...(major >= 16 ? [grantOfAdmin(one, role)] : [])];
}

/** From 16 on CREATEROLE reaches only the roles that it administers. What the role may is not given along, unless it was before. */
export function grantOfAdmin({ name, isActedAs }: Alterable, role: string): string {
  const options = isActedAs ? 'ADMIN TRUE' : 'ADMIN TRUE, INHERIT FALSE, SET FALSE';
  return `GRANT ${quoteIdentifier(name)} TO ${role} WITH ${options};`;
}

/** What its owner may, the role may then too. A membership that is there already keeps its options unless they are named. */
export function grantOfOwner(owner: string, role: string, major: number): string {
  return `GRANT ${quoteIdentifier(owner)} TO ${role}${major >= 16 ? ' WITH INHERIT TRUE' : ''};`;
}
