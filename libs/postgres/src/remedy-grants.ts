import { isBlindSpot, type BlindSpot } from '@starr/kernel';
import { quoteIdentifier } from './quote-identifier.ts';
import type { Alterables } from './reads/alterable.ts';
import type { MaintainableTable, MaintainableTables } from './reads/maintainable.ts';
import { grantOfAdmin, grantOfOwner } from './remedies/may-alter.ts';

const MOST = 20;

/**
 * What single remedies need beyond the rest, each with its purpose: an offer, since an owner decides which of them may be
 * carried out. A plan that lacks one is refused with the very statement.
 */
export function remedyGrants(
  role: string,
  major: number,
  maintainable: MaintainableTables | BlindSpot,
  alterable: Alterables | BlindSpot,
): string[] {
  return [
    ...(isBlindSpot(maintainable) ? [] : tableGrants(role, major, maintainable.tables)),
    ...(isBlindSpot(alterable) ? [] : alterGrants(role, major, alterable, ownersOf(maintainable))),
  ];
}

function ownersOf(maintainable: MaintainableTables | BlindSpot): ReadonlySet<string> {
  if (isBlindSpot(maintainable)) return new Set();
  return new Set(
    maintainable.tables.filter(({ isSuperusers }) => !isSuperusers).map(({ owner }) => owner),
  );
}

function tableGrants(role: string, major: number, tables: readonly MaintainableTable[]): string[] {
  const schemas = [...new Set(tables.map(({ schema }) => schema))].map(quoteIdentifier);
  const owned = tables.filter(({ isSuperusers }) => !isSuperusers);
  const owners = [...new Set(owned.map(({ owner }) => owner))];
  const upkeep = major >= 17 ? '' : ', db.analyze, db.vacuum';
  return [
    ...(major >= 17
      ? bounded(
          schemas,
          (schema) =>
            `GRANT MAINTAIN ON ALL TABLES IN SCHEMA ${schema} TO ${role}; -- db.analyze, db.vacuum`,
        )
      : []),
    ...bounded(
      owners,
      (owner) =>
        `${grantOfOwner(owner, role, major)} -- db.create-index, db.drop-invalid-index, db.reindex${upkeep} on what it owns`,
    ),
    ...bounded(
      schemas,
      (schema) =>
        `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role}; -- db.create-index; USAGE for the others`,
    ),
  ];
}

function alterGrants(
  role: string,
  major: number,
  { all }: Alterables,
  owners: ReadonlySet<string>,
): string[] {
  const limited = all.filter(
    ({ of, isSuperuser, name, limit }) =>
      of === 'role' && !isSuperuser && limit >= 0 && quoteIdentifier(name) !== role,
  );
  return [
    `ALTER ROLE ${role} CREATEROLE; -- db.raise-connection-limit, db.set-timeout of a role`,
    ...(major >= 16
      ? bounded(limited, (one) => {
          // One whose rights are given along for its tables keeps them.
          const isActedAs = one.isActedAs || owners.has(one.name);
          return `${grantOfAdmin({ ...one, isActedAs }, role)} -- db.raise-connection-limit, db.set-timeout of ${one.name}`;
        })
      : []),
  ];
}

function bounded<T>(all: readonly T[], statement: (one: T) => string): string[] {
  const more = all.length - MOST;
  return [
    ...all.slice(0, MOST).map(statement),
    ...(more > 0 ? [`-- and for ${more} more: the refusal of a plan says it`] : []),
  ];
}
