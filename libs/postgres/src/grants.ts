import {
  defineGrantsAdvisor,
  isBlindSpot,
  optional,
  type BlindSpot,
  type GrantsAdvice,
} from '@starr/kernel';
import { poolerGrants } from './pooler-grants.ts';
import { quoteLiteral } from './quote-identifier.ts';
import { alterableRead } from './reads/alterable.ts';
import { maintainableRead } from './reads/maintainable.ts';
import { poolerRightsRead } from './reads/pooler-rights.ts';
import { privilegesRead, type Privileges, type RolePrivileges } from './reads/privileges.ts';
import { majorOf } from './reads/rows-read.ts';
import { sequencesRead, type Sequences } from './reads/sequences.ts';
import { remedyGrants } from './remedy-grants.ts';

/** One session to look and one to act, twice over: an old process may linger beside a new one. */
const CONNECTION_LIMIT = 4;
const SUGGESTED_DIAGNOSING_ROLE = 'starr';
const SUGGESTED_ACTING_ROLE = 'starr_act';

/** A statement, and whether what it does is there already. */
interface Need {
  readonly statement: string;
  readonly met: boolean;
}

/** What the two roles need on this server, as SQL for a superuser. */
export const postgresGrants = defineGrantsAdvisor({
  reads: {
    privileges: privilegesRead,
    sequences: optional(sequencesRead),
    maintainable: optional(maintainableRead),
    alterable: optional(alterableRead),
    poolers: optional(poolerRightsRead),
  },
  advise: ({ privileges, sequences, maintainable, alterable, poolers }, look): GrantsAdvice => {
    const major = majorOf(look.version);
    const looking = [
      ...diagnosingNeeds(privileges.diagnosing, major),
      ...sequencesNeed(privileges.diagnosing, sequences),
    ];
    const acting = actingNeeds(privileges, major);
    const ofPoolers = poolerGrants(poolers);
    return {
      language: 'sql',
      diagnosing: [...looking.map(({ statement }) => statement), ...ofPoolers.diagnosing],
      acting: [
        ...acting.map(({ statement }) => statement),
        ...remedyGrants((privileges.acting ?? unconfigured()).role, major, maintainable, alterable),
        ...ofPoolers.acting,
      ],
      lacking: [
        ...[...looking, ...acting].filter(({ met }) => !met).map(({ statement }) => statement),
        ...toTakeAway(privileges.diagnosing),
        ...toReserve(privileges, major),
        ...toKeepStatements(privileges),
        ...ofPoolers.lacking,
      ],
    };
  },
});

/** pg_monitor lifts the redaction; a reserved slot is the way in when the ordinary ones are gone. */
function diagnosingNeeds(role: RolePrivileges, major: number): Need[] {
  // A superuser lacks nothing and can do everything: what is needed is another role, to be configured in its place.
  if (role.isSuperuser) {
    return [
      need(
        `CREATE ROLE ${SUGGESTED_DIAGNOSING_ROLE} LOGIN CONNECTION LIMIT ${CONNECTION_LIMIT};`,
        true,
      ),
      need(`GRANT pg_monitor TO ${SUGGESTED_DIAGNOSING_ROLE};`, true),
      ...reservedNeed({ ...role, role: SUGGESTED_DIAGNOSING_ROLE }, major),
    ];
  }
  return [need(`GRANT pg_monitor TO ${role.role};`, role.monitors), ...reservedNeed(role, major)];
}

/** How far a sequence has come is shown to who may read it, pg_monitor or not. */
function sequencesNeed(role: RolePrivileges, sequences: Sequences | BlindSpot): Need[] {
  if (role.isSuperuser || isBlindSpot(sequences) || sequences.schemas.length === 0) return [];
  const schemas = sequences.schemas.join(', ');
  return [
    need(
      `GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${schemas} TO ${role.role};`,
      sequences.hidden === 0,
    ),
  ];
}

/** Sees what its guards compare, may signal, and gets in when the slots are gone. Not a member of anything else. */
function actingNeeds({ acting }: Privileges, major: number): Need[] {
  const role = acting ?? unconfigured();
  const create = `CREATE ROLE ${role.role} LOGIN CONNECTION LIMIT ${CONNECTION_LIMIT};`;
  return [
    ...(role.exists ? [] : [need(create, acting === undefined)]),
    need(
      `GRANT pg_read_all_stats TO ${role.role};`,
      acting === undefined || role.readsAllStats || role.isSuperuser,
    ),
    need(
      `GRANT pg_signal_backend TO ${role.role};`,
      acting === undefined || role.signals || role.isSuperuser,
    ),
    ...reservedNeed(role, major).map(({ statement, met }) =>
      need(statement, acting === undefined || met),
    ),
  ];
}

function reservedNeed(role: RolePrivileges, major: number): Need[] {
  if (major < 16) return [];
  return [
    need(
      `GRANT pg_use_reserved_connections TO ${role.role};`,
      role.usesReserved || role.isSuperuser,
    ),
  ];
}

/** READ ONLY does not stop pg_terminate_backend: only the lack of the privilege does. */
function toTakeAway({ role, isSuperuser, signals }: RolePrivileges): string[] {
  return signals && !isSuperuser ? [`REVOKE pg_signal_backend FROM ${role};`] : [];
}

function toReserve({ reservedConnections }: Privileges, major: number): string[] {
  return major >= 16 && reservedConnections === 0
    ? ['ALTER SYSTEM SET reserved_connections = 2; -- takes effect with the next restart']
    : [];
}

/** Where the setting is hidden, pg_monitor is lacking first. */
function toKeepStatements({ keepsStatements, preloaded }: Privileges): string[] {
  if (keepsStatements || preloaded === undefined) return [];
  const loaded = preloaded.split(',').filter((each) => each.trim() !== '');
  const create = 'CREATE EXTENSION pg_stat_statements;';
  if (loaded.some((each) => each.trim() === 'pg_stat_statements')) return [create];
  const all = [...loaded.map((each) => each.trim()), 'pg_stat_statements']
    .map(quoteLiteral)
    .join(', ');
  return [
    `ALTER SYSTEM SET shared_preload_libraries = ${all}; -- takes effect with the next restart, then ${create}`,
  ];
}

/** Nothing is lacking where nothing was asked for: its statements are an offer. */
function unconfigured(): RolePrivileges {
  return {
    role: SUGGESTED_ACTING_ROLE,
    exists: false,
    isSuperuser: false,
    monitors: false,
    readsAllStats: false,
    signals: false,
    usesReserved: false,
  };
}

function need(statement: string, met: boolean): Need {
  return { statement, met };
}
