import type { Json } from '@starr/kernel';
import type { IdleSession } from '../reads/idle-candidates.ts';

/** Starr's own sessions, and tools whose idle spells mean nothing. Always protected. */
const ALWAYS_PROTECTED = ['starr', 'pg_dump', 'pg_basebackup', 'pg_receivewal'];

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
  if (session.isSuperuser) return 'a superuser’s, which pg_signal_backend may not end';
  if (session.holdsAdvisoryLock) return 'holds an advisory lock';
  if (session.listens) return 'listens for notifications';
  return undefined;
}
