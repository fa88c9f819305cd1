import { isBlindSpot, type BlindSpot } from '@starr/kernel';
import { wasUsedOnce } from '../diagnostics/behind-poolers.ts';
import type { IdleSession } from '../reads/idle-candidates.ts';
import type { PooledSession, PooledSessions } from '../reads/pooled-sessions.ts';

/**
 * Idle sessions by those who hold them: behind a pooler that is its client, and whether it was used once is a matter of
 * that client, since the backend served others before. What a pooler keeps for nobody is nobody's leak.
 */
export function seenThroughPoolers(
  sessions: readonly IdleSession[],
  pooled: PooledSessions | BlindSpot,
): readonly IdleSession[] {
  if (isBlindSpot(pooled)) return sessions;
  const known = new Map(pooled.sessions.map((each) => [keyOf(each), each]));
  return sessions.map((session) => {
    const through = known.get(keyOf(session));
    return through === undefined ? session : seenThrough(session, through);
  });
}

function seenThrough(
  { address: _pooler, ...session }: IdleSession,
  pooled: PooledSession,
): IdleSession {
  const { client, serverAddress } = pooled;
  if (client === undefined) {
    return {
      ...session,
      ...(serverAddress !== undefined && { address: serverAddress }),
      usedOnce: false,
    };
  }
  return {
    ...session,
    application: client.application,
    ...(client.address !== undefined && { address: client.address }),
    ageMs: client.ageMs,
    usedOnce: wasUsedOnce(pooled),
  };
}

function keyOf({ pid, backendStart }: Pick<IdleSession, 'pid' | 'backendStart'>): string {
  return `${pid}/${backendStart}`;
}
