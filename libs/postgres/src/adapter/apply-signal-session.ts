import type { Json, Outcome } from '@starr/kernel';
import type { Client } from 'pg';
import type { CancelStatementAct, TerminateSessionAct } from '../acts/signal-session.ts';
import { quoteIdentifier } from '../quote-identifier.ts';
import type { ActContext, ActEvents } from './act-context.ts';
import { answeredWithin } from './answered-within.ts';
import { failed } from './failed.ts';
import { doctorErrorFromPg } from './pg-error.ts';
import { endedWithin, signalSession, type Signalled } from './signal-session.ts';

/** How long what was told may take to end: a statement looks for a cancel at every row, a rollback takes its time. */
const ENDS_WITHIN_MS = 5000;
const ANSWER_WITHIN_MS = 4000;

/** Cancels one statement, or ends one session. */
export async function* applySignalSession(
  act: CancelStatementAct | TerminateSessionAct,
  client: Client,
  context: ActContext,
): ActEvents {
  const what = act.kind === 'cancel-statement' ? 'the statement' : 'the session';
  try {
    if (context.isCancelled()) {
      yield failed('nothing was done: it was cancelled');
      return;
    }
    const signalled = await answeredWithin(signalSession(client, act), ANSWER_WITHIN_MS);
    if (signalled !== 'signalled') {
      yield notDone(signalled, what, quoteIdentifier(context.role.role));
      return;
    }
    yield { kind: 'progress', says: `${what} of pid ${act.pid} was told to end` };
    const ended = await answeredWithin(
      endedWithin(client, act, ENDS_WITHIN_MS),
      ENDS_WITHIN_MS + ANSWER_WITHIN_MS,
    );
    yield outcomeOf(act, what, ended);
  } catch (thrown) {
    const error = doctorErrorFromPg(thrown, context.role);
    yield {
      kind: 'outcome',
      outcome: 'indeterminate',
      says: `the server stopped answering: ${error.rawMessage}`,
    };
  }
}

function notDone(signalled: Exclude<Signalled, 'signalled'>, what: string, role: string): Outcome {
  switch (signalled) {
    case 'changed':
      return refused(`${what} is not as it was planned any more`);
    case 'gone':
      return refused(`${what} had ended already`);
    case 'denied':
      return failed(
        `nothing was done: ${role} may not signal this session`,
        `GRANT pg_signal_backend TO ${role};`,
      );
    case 'hidden':
      return failed(
        `nothing was done: the state of the session is hidden from ${role}`,
        `GRANT pg_read_all_stats TO ${role};`,
      );
  }
}

function refused(says: string): Outcome {
  return { kind: 'outcome', outcome: 'refused', says: `nothing was done: ${says}` };
}

function outcomeOf(
  act: CancelStatementAct | TerminateSessionAct,
  what: string,
  ended: boolean,
): Outcome {
  const before: Json = {
    pid: act.pid,
    backendStart: act.backendStart,
    statementStart: act.statementStart,
  };
  if (ended) return { kind: 'outcome', outcome: 'applied', before, after: { ended: true } };
  return {
    kind: 'outcome',
    outcome: 'partial',
    says: `${what} of pid ${act.pid} was told to end and is still there after ${ENDS_WITHIN_MS / 1000} s`,
    before,
    after: { ended: false },
  };
}
