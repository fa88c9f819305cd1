import {
  defineRemedy,
  durationText,
  type Effect,
  type Operation,
  type Plan,
  type PlanRefused,
} from '@starr/kernel';
import { z } from 'zod';
import { backendEntity, serverEntity } from '../entities.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { quoteLiteral } from '../quote-identifier.ts';
import { signalCandidatesRead, type SignalCandidate } from '../reads/signal-candidates.ts';
import { longRunningQueries } from '../diagnostics/long-running-queries.ts';
import { findCandidate } from './find-candidate.ts';
import { protectedApplications, reasonToSpareBusy } from './protection.ts';

const paramsSchema = z.strictObject({
  /** The session whose statement is cancelled. Of a parallel worker: its leader's is. */
  pid: z.int().min(1),
  /** Its start, when the pid was seen some time ago. Absent: whoever has the pid now. */
  backendStart: z.string().max(40).optional(),
});

/** Irreversible, and mild: the client gets an error, its connection stays. */
export const cancelQuery = defineRemedy({
  id: 'db.cancel-query',
  title: 'Cancel a running statement',
  explains:
    'Cancels one running statement, sealed by pid, start of the session and start of the statement: a statement that follows it is left alone. ' +
    'Its transaction is rolled back, and with that its locks go; the connection stays. Not offered where a cancel does nothing: an idle transaction, or a client that stopped in the ' +
    'middle of a request. Index builds, vacuums, copies, schema changes under way, replication, superusers and protected applications are never cancelled.',
  params: paramsSchema,
  reads: { sessions: signalCandidatesRead },
  plan: ({ pid, backendStart }, { sessions }, look): Plan<PostgresAct> | PlanRefused => {
    const session = findCandidate(sessions, pid, backendStart);
    if ('refused' in session) return session;
    const names = protectedApplications(look.options['protect']);
    const refused = whyNot(session, names);
    if (refused !== undefined) return { refused };
    const about = backendEntity(look.target, session.pid, session.backendStart);
    return {
      operations: [operationFrom(session, names)],
      effect: effectOf(session, look.target),
      touches: [
        { name: 'statementsCancelled', about, value: 1 },
        { name: 'sessionsFreed', about, value: session.blocks },
      ],
      warnings: warningsOf(session),
    };
  },
});

function whyNot(session: SignalCandidate, names: readonly string[]): string | undefined {
  const { pid } = session;
  const spared = reasonToSpareBusy(session, names, 'cancel');
  if (spared !== undefined) return `the statement of pid ${pid} is not cancelled: ${spared}`;
  if (session.waitsForClient)
    return `pid ${pid} waits for the rest of its client’s request: a cancel does not reach it; db.terminate-session ends it`;
  if (session.state !== 'active')
    return `pid ${pid} is ${session.state}: there is no statement to cancel; db.terminate-session ends its transaction`;
  return undefined;
}

function operationFrom(
  session: SignalCandidate,
  protectedNames: readonly string[],
): Operation<PostgresAct> {
  const { pid, backendStart, statementStart } = session;
  return {
    act: {
      kind: 'cancel-statement',
      pid,
      backendStart,
      statementStart,
      protectedApplications: protectedNames,
    },
    says:
      `cancel the statement of pid ${pid} (${session.application === '' ? 'unnamed' : session.application}, role ${session.role}), ` +
      `running for ${durationText(session.statementMs)}: ${session.statement}`,
    byHand:
      `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = ${pid} AND backend_start = ${quoteLiteral(backendStart)}` +
      ` AND query_start = ${quoteLiteral(statementStart)} AND state = 'active';`,
    reversible: false,
    onRefused: 'stop',
    onFailed: 'stop',
  };
}

/** Those that waited for it go on, else no statement runs for too long any more. */
function effectOf(session: SignalCandidate, target: string): Effect {
  const blocked = session.blocks > 0;
  return {
    diagnostic: blocked ? 'db.lock-waits' : 'db.long-running-queries',
    about: serverEntity(target),
    measurement: blocked ? 'blockedSessions' : 'longestActiveMs',
    below: blocked ? session.blocks : longRunningQueries.thresholds.activeWarnMs.value,
    settleMs: 1000,
    holdMs: 15_000,
    withinMs: 60_000,
    onMiss: 'ask',
  };
}

function warningsOf(session: SignalCandidate): string[] {
  return [
    ...(session.hasWritten ? ['what its transaction wrote is rolled back'] : []),
    ...(session.waitsOn.length > 0
      ? [`it waits itself, for pid ${session.waitsOn.join(', ')}: what holds the lock stays`]
      : []),
    ...(session.isDdl ? ['it changes the schema; whoever runs it has to run it again'] : []),
    'a client that tries again starts it anew',
  ];
}
