import type { Limit, Probed } from '@starr/kernel';
import type { PostgresAct, TerminateSessionsAct } from '../postgres-act.ts';
import type { HeldSession } from './held-session.ts';
import { isStillTold, stillThere } from './terminate-sessions.ts';

/** Whether an act took place, by the patient's own word. Looks with the diagnosing session; never acts. */
export async function probeAct(
  act: PostgresAct,
  session: HeldSession,
  limit: Limit,
): Promise<Probed> {
  switch (act.kind) {
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- one kind today; the next one must be a case here
    case 'terminate-sessions':
      return probeTerminated(act, session, limit);
  }
}

/**
 * All of them gone: it took place, or its end was reached without it, which is the same to the patient and said so.
 * All there: it did not. Some: nobody can tell who ended those that are gone.
 */
async function probeTerminated(
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
