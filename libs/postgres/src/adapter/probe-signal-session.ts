import type { Limit, Probed } from '@starr/kernel';
import type { CancelStatementAct, TerminateSessionAct } from '../acts/signal-session.ts';
import type { HeldSession } from './held-session.ts';
import { isStillAtIt } from './signal-session.ts';
import { isStillTold } from './terminate-sessions.ts';

/** Gone: the end is reached, by whomever. Still there: nothing took place, unless a session of ours is still at it. */
export async function probeSignalSession(
  act: CancelStatementAct | TerminateSessionAct,
  session: HeldSession,
  limit: Limit,
): Promise<Probed> {
  limit.spend('queries', 2);
  // In this order: a session that was still at it may signal after the second look.
  const { told, there } = await session.use(limit, async (client) => ({
    told: await isStillTold(client),
    there: await isStillAtIt(client, act),
  }));
  if (told) return { state: 'running', says: 'a session of ours still has the signal to send' };
  const { pid, backendStart, statementStart } = act;
  if (there) return { state: 'not-applied', says: `pid ${pid} is still at what it was at` };
  return {
    state: 'applied',
    before: { pid, backendStart, statementStart },
    after: { ended: true, note: 'it has ended; who ended it cannot be told' },
  };
}
