import type { PlanRefused } from '@starr/kernel';
import type { SignalCandidate } from '../reads/signal-candidates.ts';

/** The session of a pid; of a parallel worker its leader, since signals to a worker end nothing but its help. */
export function findCandidate(
  sessions: readonly SignalCandidate[],
  pid: number,
  backendStart: string | undefined,
): SignalCandidate | PlanRefused {
  const named = sessions.find((session) => session.pid === pid);
  if (named === undefined)
    return { refused: `no session with pid ${pid} is in a statement or a transaction` };
  if (backendStart !== undefined && named.backendStart !== backendStart)
    return { refused: `pid ${pid} is another session by now, started ${named.backendStart}` };
  if (named.helps === undefined) return named;
  return (
    sessions.find((session) => session.pid === named.helps) ?? {
      refused: `pid ${pid} helps pid ${named.helps}, which is not there any more`,
    }
  );
}
