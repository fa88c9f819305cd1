import type { RefusedBy } from '../postgres-request.ts';
import { quoteIdentifier } from '../quote-identifier.ts';

/** SQLSTATE 53300 is always the same, and a pooler has its own: only the text tells which limit was hit. */
const TEXTS: readonly (readonly [RegExp, RefusedBy])[] = [
  [/privileges of the "pg_use_reserved_connections" role/, 'reserved'],
  [/roles with the SUPERUSER attribute/, 'superuser-attribute'],
  [/reserved for non-replication superuser connections/, 'superuser-reserved'],
  [/sorry, too many clients already/, 'all'],
  [/too many connections for role/, 'role-limit'],
  [/too many connections for database/, 'database-limit'],
  [/"?rds_reserved"? role/, 'rds-reserved'],
  [/^no more connections allowed/, 'pooler-clients'],
];

export function refusedByFromText(text: string): RefusedBy {
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? 'unknown';
}

export interface RefusalText {
  readonly says: string;
  /** A statement that lets us in where there is one, otherwise advice. */
  readonly cure: string;
}

const FREE_A_SLOT =
  'End sessions as a superuser, or raise max_connections (needs a restart); ' +
  'a connection that was held before the slots ran out keeps answering.';

/** What the refusal means for the role that was refused. */
export function explainRefusal(by: RefusedBy, role: string, database: string): RefusalText {
  const name = quoteIdentifier(role);
  switch (by) {
    case 'reserved':
      // The server gives this text only while a reserved slot is free, so the grant does let us in.
      return {
        says: `all ordinary slots are in use; reserved ones are left, but ${name} may not use them`,
        cure: `GRANT pg_use_reserved_connections TO ${name};`,
      };
    case 'superuser-attribute':
      return {
        says: 'all ordinary and reserved slots are in use; what is left is for superusers',
        cure:
          `${FREE_A_SLOT} For the next time: ALTER SYSTEM SET reserved_connections = 2 (needs a restart) ` +
          `and GRANT pg_use_reserved_connections TO ${name}.`,
      };
    case 'superuser-reserved':
      return {
        says: 'all ordinary slots are in use; what is left is for superusers',
        cure: FREE_A_SLOT,
      };
    case 'all':
      return { says: 'every slot is in use, the superusers’ own included', cure: FREE_A_SLOT };
    case 'role-limit':
      return {
        says: `the CONNECTION LIMIT of role ${name} is reached; the server itself may be empty`,
        cure: `ALTER ROLE ${name} CONNECTION LIMIT 4;`,
      };
    case 'database-limit':
      return {
        says: `the CONNECTION LIMIT of database ${quoteIdentifier(database)} is reached; the server itself may be empty`,
        cure: `Raise it: ALTER DATABASE ${quoteIdentifier(database)} CONNECTION LIMIT with a larger number; ending other databases' sessions does not help.`,
      };
    case 'rds-reserved':
      return {
        says: 'all ordinary slots are in use; what is left is for roles of Amazon RDS',
        cure: FREE_A_SLOT,
      };
    case 'pooler-clients':
      return {
        says: 'the pooler in between takes no more clients; the server itself may be empty',
        cure: 'Raise max_client_conn of the pooler, or end clients that nobody needs.',
      };
    case 'unknown':
      return { says: 'no connection slot is left for this role', cure: FREE_A_SLOT };
  }
}
