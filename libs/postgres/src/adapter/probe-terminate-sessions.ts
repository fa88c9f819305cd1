import type { Limit, Probed } from '@starr/kernel';
import type { TerminateSessionsAct } from '../postgres-act.ts';
import type { HeldSession } from './held-session.ts';
import { isStillTold, stillThere } from './terminate-sessions.ts';

/**
 * All of them gone: it took place, or its end was reached without it, which is the same to the patient and said so.
 * All there: it did not. Some: nobody can tell who ended those that are gone.
 */
export async function probeTerminateSessions(
  { sessions }: TerminateSessionsAct,
  session: HeldSession,
  limit: Limit,
): Promise<Probed> {
  limit.spend('queries', 2);
  // In this order: a session that was still at it may end others after the second look.
  const { atIt, there } = await session.use(limit, async (client) => ({
    atIt: await isStillTold(client),
    there: await stillThere(client, sessions),
  }));
  if (atIt) return { state: 'running', says: 'a session of ours is still ending sessions' };
  const hidden = there.filter((each) => each.hidden).length;
  if (hidden > 0) {
    return {
      state: 'indeterminate',
      says: `whether ${hidden} of the sessions are the planned ones is hidden from this role`,
    };
  }
  const gone = sessions.length - there.length;
  if (there.length === 0) {
    return {
      state: 'applied',
      before: { sessions: sessions.map(({ pid, backendStart }) => ({ pid, backendStart })) },
      after: { counts: { gone }, note: 'all are gone; who ended them cannot be told' },
    };
  }
  if (gone === 0) {
    return { state: 'not-applied', says: `all ${sessions.length} sessions are still there` };
  }
  return {
    state: 'indeterminate',
    says: `${gone} of ${sessions.length} sessions are gone, ${there.length} are still there`,
  };
}
