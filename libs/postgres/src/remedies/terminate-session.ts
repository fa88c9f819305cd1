import {
  defineRemedy,
  durationText,
  type Effect,
  type Operation,
  type Plan,
  type PlanRefused,
} from '@starr/kernel';
import { z } from 'zod';
import type { TerminateSessionAct } from '../acts/signal-session.ts';
import { backendEntity, serverEntity } from '../entities.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { quoteLiteral } from '../quote-identifier.ts';
import { signalCandidatesRead, type SignalCandidate } from '../reads/signal-candidates.ts';
import { idleInTransaction } from '../diagnostics/idle-in-transaction.ts';
import { lockWaits } from '../diagnostics/lock-waits.ts';
import { wedgedSessions } from '../diagnostics/wedged-sessions.ts';
import { findCandidate } from './find-candidate.ts';
import { protectedApplications, reasonToSpareBusy } from './protection.ts';

/** A client that only just paused may be about to go on. */
const WEDGED_MS = 60_000;
const IDLE_IN_TRANSACTION_MS = 60_000;

const paramsSchema = z.strictObject({
  /** The session to end. */
  pid: z.int().min(1),
  /** Its start, when the pid was seen some time ago. Absent: whoever has the pid now. */
  backendStart: z.string().max(40).optional(),
});

/** Irreversible: a session that is ended is gone, and its transaction is rolled back. */
export const terminateSession = defineRemedy({
  id: 'db.terminate-session',
  title: 'End a session that holds others up',
  explains:
    'Ends one session that no cancel reaches: the root of a queue of waiters that sits idle in its transaction, a transaction in which nothing happens for a minute, ' +
    'or a client that stopped in the middle of a request. Sealed by pid, start and transaction, and only while what speaks against it still holds. ' +
    'Refused for one that itself waits (the one it waits for is named), for a running statement (db.cancel-query is milder), for replication, superusers, holders of advisory locks, ' +
    'listeners, migrations, index builds and protected applications.',
  params: paramsSchema,
  reads: { sessions: signalCandidatesRead },
  plan: ({ pid, backendStart }, { sessions }, look): Plan<PostgresAct> | PlanRefused => {
    const session = findCandidate(sessions, pid, backendStart);
    if ('refused' in session) return session;
    const names = protectedApplications(look.options['protect']);
    const because = becauseOf(session, names);
    if (typeof because !== 'string') return because;
    const about = backendEntity(look.target, session.pid, session.backendStart);
    return {
      operations: [operationFrom(session, because, names)],
      effect: effectOf(session, because, look.target),
      touches: [
        { name: 'sessionsEnded', about, value: 1 },
        { name: 'sessionsFreed', about, value: session.blocks },
      ],
      warnings: warningsOf(session, sessions),
    };
  },
});

type Because = TerminateSessionAct['because'];

function becauseOf(session: SignalCandidate, names: readonly string[]): Because | PlanRefused {
  const { pid } = session;
  if (session.waitsOn.length > 0)
    return {
      refused: `pid ${pid} itself waits: what holds it up is ${session.waitsOn.map(inWords).join(', ')}`,
    };
  const spared = reasonToSpareBusy(session, names, 'end');
  if (spared !== undefined) return { refused: `pid ${pid} is not ended: ${spared}` };
  if (session.waitsForClient)
    return session.blocks > 0
      ? 'blocks'
      : aged(session, 'wedged', session.stateMs, WEDGED_MS, 'has waited for its client');
  if (session.state === 'active')
    return {
      refused: `pid ${pid} is in the middle of a statement: db.cancel-query frees what it holds and leaves the connection`,
    };
  if (!session.state.startsWith('idle in transaction'))
    return { refused: `pid ${pid} is ${session.state}, and holds nobody up` };
  if (session.blocks > 0) return 'blocks';
  return aged(
    session,
    'idle-in-transaction',
    session.stateMs,
    IDLE_IN_TRANSACTION_MS,
    'has been idle in its transaction',
  );
}

function inWords(pid: number): string {
  return pid === 0 ? 'a prepared transaction (ROLLBACK PREPARED ends it)' : `pid ${pid}`;
}

function aged(
  { pid }: SignalCandidate,
  because: Because,
  ms: number,
  leastMs: number,
  says: string,
): Because | PlanRefused {
  if (ms >= leastMs) return because;
  return {
    refused: `pid ${pid} ${says} for ${durationText(ms)} and holds nobody up; from ${durationText(leastMs)} on it can be ended`,
  };
}

const REASONS = {
  blocks: 'others wait for it',
  wedged: 'its client stopped in the middle of a request',
  'idle-in-transaction': 'nothing happens in its transaction',
} as const satisfies Record<Because, string>;

function operationFrom(
  session: SignalCandidate,
  because: Because,
  protectedNames: readonly string[],
): Operation<PostgresAct> {
  const { pid, backendStart, statementStart, transactionStart } = session;
  return {
    act: {
      kind: 'terminate-session',
      because,
      pid,
      backendStart,
      statementStart,
      ...(transactionStart !== undefined && { transactionStart }),
      protectedApplications: protectedNames,
    },
    says:
      `end pid ${pid} (${session.application === '' ? 'unnamed' : session.application}, role ${session.role}, ${session.state} for ` +
      `${durationText(session.stateMs)}), since ${REASONS[because]}; its last statement: ${session.statement}`,
    byHand:
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ${pid} AND backend_start = ${quoteLiteral(backendStart)}` +
      ` AND query_start = ${quoteLiteral(statementStart)};`,
    reversible: false,
    onRefused: 'stop',
    onFailed: 'stop',
  };
}

function effectOf(session: SignalCandidate, because: Because, target: string): Effect {
  const moves = {
    blocks: {
      diagnostic: lockWaits.id,
      measurement: 'blockedSessions',
      below: Math.max(1, session.blocks),
    },
    wedged: {
      diagnostic: wedgedSessions.id,
      measurement: 'longestWedgedMs',
      below: wedgedSessions.thresholds.wedgedWarnMs.value,
    },
    'idle-in-transaction': {
      diagnostic: idleInTransaction.id,
      measurement: 'longestIdleInTransactionMs',
      below: idleInTransaction.thresholds.idleInTransactionWarnMs.value,
    },
  } as const satisfies Record<Because, Pick<Effect, 'diagnostic' | 'measurement' | 'below'>>;
  return {
    about: serverEntity(target),
    ...moves[because],
    settleMs: 1000,
    holdMs: 15_000,
    withinMs: 60_000,
    onMiss: 'ask',
  };
}

function warningsOf(session: SignalCandidate, sessions: readonly SignalCandidate[]): string[] {
  const ddl = sessions.filter(({ waitsOn, isDdl }) => isDdl && waitsOn.includes(session.pid));
  return [
    ...(session.hasWritten
      ? ['what its transaction wrote is rolled back']
      : ['its transaction has written nothing']),
    ...(ddl.length > 0
      ? [
          `pid ${ddl.map(({ pid }) => pid).join(', ')} waits for it with a change of the schema, which then goes on`,
        ]
      : []),
    'an application that leaves its transactions open does so again until its cause is cured',
  ];
}
