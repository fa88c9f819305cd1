import type { Look } from '@starr/kernel';
import { quoteLiteral } from '../quote-identifier.ts';

/** The acting role of this target, by `acting` of its options; no row without one. Roles are visible to everybody. */
export function actingRoleSql(look: Look): string {
  return `SELECT oid, rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = ${quoteLiteral(actingRoleOf(look) ?? '')}`;
}

/** Absent: no acting credential is configured. */
export function actingRoleOf(look: Look): string | undefined {
  const acting = look.options['acting'];
  return typeof acting === 'string' ? acting : undefined;
}
