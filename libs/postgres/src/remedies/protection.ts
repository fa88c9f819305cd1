import type { Json } from '@starr/kernel';
import type { IdleSession } from '../reads/idle-candidates.ts';
import type { SignalCandidate } from '../reads/signal-candidates.ts';

/** Starr's own sessions, and tools whose idle spells mean nothing or whose work is lost with them. Always protected. */
const ALWAYS_PROTECTED = [
  'starr',
  'pg_dump',
  'pg_dumpall',
  'pg_restore',
  'pg_basebackup',
  'pg_receivewal',
  'pg_recvlogical',
];
/** Names that tools for migrations give their sessions, as far as they give one. */
const MIGRATION = /\b(migrat\w*|flyway|liquibase|alembic|sqitch|goose|dbmate|atlas|pgroll)\b/i;

/** `protect` of the target in starr.yaml, with those that are always protected. */
export function protectedApplications(option: Json | undefined): readonly string[] {
  const configured = Array.isArray(option)
    ? option.filter((name): name is string => typeof name === 'string')
    : [];
  return [...new Set([...ALWAYS_PROTECTED, ...configured])];
}

/** Why a session is not ended, whoever asks; undefined: nothing speaks for it. */
export function reasonToSpare(
  session: IdleSession,
  protectedNames: readonly string[],
): string | undefined {
  if (session.isWalsender) return 'a replication connection';
  if (protectedNames.includes(session.application)) return 'a protected application';
  if (MIGRATION.test(session.application)) return 'a migration by its name';
  if (session.isSuperuser) return 'a superuser’s, which pg_signal_backend may not end';
  if (session.holdsAdvisoryLock) return 'holds an advisory lock';
  if (session.listens) return 'listens for notifications';
  return undefined;
}

/** The same for a session in the middle of something; `cancel` takes less away than ending it does. */
export function reasonToSpareBusy(
  session: SignalCandidate,
  protectedNames: readonly string[],
  how: 'cancel' | 'end',
): string | undefined {
  if (session.kind === 'walsender') return 'a replication connection';
  if (session.isAgainstWraparound)
    return 'an autovacuum that keeps transaction ids from running out';
  if (session.kind !== 'client backend') return `the server’s own ${session.kind}`;
  if (protectedNames.includes(session.application)) return 'a protected application';
  if (session.isSuperuser) return 'a superuser’s, which pg_signal_backend may not touch';
  if (session.job !== undefined) return `in the middle of ${session.job}`;
  // What only waits for a lock has done nothing yet that is not done again at once.
  if (session.waitsOn.length === 0 && session.isDdl && session.state === 'active')
    return 'in the middle of a change of the schema';
  if (how === 'cancel') return undefined;
  if (MIGRATION.test(session.application)) return 'a migration by its name';
  if (session.holdsAdvisoryLock)
    return 'holds an advisory lock: a leader, or a job that must run once';
  if (session.listens) return 'listens for notifications';
  return undefined;
}
