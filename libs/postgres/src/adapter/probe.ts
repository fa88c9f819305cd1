import type { Limit, Probed } from '@starr/kernel';
import type { ServerAct } from '../postgres-act.ts';
import type { HeldSession } from './held-session.ts';
import { probeAlter } from './probe-alter.ts';
import { probeSignalSession } from './probe-signal-session.ts';
import { probeTerminateSessions } from './probe-terminate-sessions.ts';

/** Whether an act took place, by the patient's own word. Looks with the diagnosing session; never acts. */
export async function probeAct(
  act: ServerAct,
  session: HeldSession,
  limit: Limit,
): Promise<Probed> {
  switch (act.kind) {
    case 'terminate-sessions':
      return probeTerminateSessions(act, session, limit);
    case 'alter-setting':
    case 'alter-connection-limit':
      return probeAlter(act, session, limit);
    case 'cancel-statement':
    case 'terminate-session':
      return probeSignalSession(act, session, limit);
  }
}
