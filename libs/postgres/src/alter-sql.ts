import type { AlterConnectionLimitAct, AlterOf, AlterSettingAct } from './acts/alter.ts';
import { quoteIdentifier, quoteLiteral } from './quote-identifier.ts';

/** The one statement of the act, which is also what a person runs. */
export function alterSql(act: AlterSettingAct | AlterConnectionLimitAct): string {
  switch (act.kind) {
    case 'alter-setting': {
      const name = quoteIdentifier(act.setting);
      return act.to === undefined
        ? `${alterHead(act)} RESET ${name};`
        : `${alterHead(act)} SET ${name} = ${quoteLiteral(act.to)};`;
    }
    case 'alter-connection-limit':
      return `${alterHead(act)} CONNECTION LIMIT ${act.to};`;
  }
}

function alterHead({ role, database }: AlterOf): string {
  if (role === undefined) return `ALTER DATABASE ${quoteIdentifier(database ?? '')}`;
  const within = database === undefined ? '' : ` IN DATABASE ${quoteIdentifier(database)}`;
  return `ALTER ROLE ${quoteIdentifier(role)}${within}`;
}

/** `role checkout`, `database shop`, `role checkout in database shop`. */
export function alteredInWords({ role, database }: AlterOf): string {
  if (role === undefined) return `database ${database ?? ''}`;
  return database === undefined ? `role ${role}` : `role ${role} in database ${database}`;
}

/** Without the members that are not given. */
export function alterOf({
  role,
  database,
}: {
  readonly role?: string | undefined;
  readonly database?: string | undefined;
}): AlterOf {
  return { ...(role !== undefined && { role }), ...(database !== undefined && { database }) };
}
