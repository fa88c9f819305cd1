import type { Json, Outcome, Progress } from '@starr/kernel';
import type { Client } from 'pg';
import type { TerminateSessionsAct } from '../postgres-act.ts';
import type { ActContext, ActEvents } from './act-context.ts';
import { answeredWithin } from './answered-within.ts';
import { failed } from './failed.ts';
import { doctorErrorFromPg } from './pg-error.ts';
import { endsOf, tellSession, type SessionEnd, type Told } from './terminate-sessions.ts';

/** A statement that signals or looks takes milliseconds; waiting for the ends takes two seconds at most. */
const ANSWER_WITHIN_MS = 4000;
/** Between two lines of progress. */
const PROGRESS_EVERY = 10;

/** One session after the other, each under its own guard. */
export async function* applyTerminateSessions(
  act: TerminateSessionsAct,
  client: Client,
  context: ActContext,
): ActEvents {
  const startedAtMs = performance.now();
  const told: Told[] = [];
  let stop: string | undefined;
  try {
    for (const seal of act.sessions) {
      if (context.isCancelled()) stop = 'it was cancelled';
      if (performance.now() - startedAtMs > context.limit.timeoutMs) stop = 'its time was up';
      if (stop !== undefined) break;
      told.push(await answeredWithin(tellSession(client, seal, act), ANSWER_WITHIN_MS));
      if (told.length % PROGRESS_EVERY === 0) yield progressOf(told, act);
    }
    const ends = await answeredWithin(endsOf(client, act.sessions, told), ANSWER_WITHIN_MS);
    yield stop === undefined ? outcomeOf(act, ends, context.role.role) : stopped(act, ends, stop);
  } catch (thrown) {
    const error = doctorErrorFromPg(thrown, context.role);
    yield {
      kind: 'outcome',
      outcome: 'indeterminate',
      says: `the server stopped answering after ${countTold(told)} of ${act.sessions.length} sessions were told to end: ${error.rawMessage}`,
    };
  }
}

function progressOf(told: readonly Told[], { sessions }: TerminateSessionsAct): Progress {
  return {
    kind: 'progress',
    says: `${countTold(told)} of ${sessions.length} sessions told to end`,
    ratio: told.length / sessions.length,
  };
}

function countTold(told: readonly Told[]): number {
  return told.filter((each) => each === 'told').length;
}

function outcomeOf(act: TerminateSessionsAct, ends: readonly SessionEnd[], role: string): Outcome {
  const count = countOf(ends);
  if (count.denied + count.hidden === ends.length && ends.length > 0) {
    return count.hidden > 0
      ? failed(
          `nothing was done: the state of the sessions is hidden from ${role}`,
          `GRANT pg_read_all_stats TO ${role};`,
        )
      : failed(
          `nothing was done: ${role} may not end these sessions`,
          `GRANT pg_signal_backend TO ${role};`,
        );
  }
  if (count.ended + count.signalled === 0) {
    return {
      kind: 'outcome',
      outcome: 'refused',
      says: `nothing was done, since none is as it was planned: ${inWords(count)}`,
    };
  }
  const values = { before: beforeOf(act), after: afterOf(act, ends) };
  return count.denied + count.hidden + count.signalled > 0
    ? { kind: 'outcome', outcome: 'partial', says: inWords(count), ...values }
    : { kind: 'outcome', outcome: 'applied', ...values };
}

function stopped(act: TerminateSessionsAct, ends: readonly SessionEnd[], why: string): Outcome {
  const count = countOf(ends);
  if (count.ended + count.signalled === 0) return failed(`nothing was done: ${why}`);
  return {
    kind: 'outcome',
    outcome: 'partial',
    says: `${why} after ${ends.length} of ${act.sessions.length} sessions: ${inWords(count)}`,
    before: beforeOf(act),
    after: afterOf(act, ends),
  };
}

type Counts = Readonly<Record<SessionEnd, number>>;

function countOf(ends: readonly SessionEnd[]): Counts {
  const count = (kind: SessionEnd) => ends.filter((end) => end === kind).length;
  return {
    ended: count('ended'),
    signalled: count('signalled'),
    changed: count('changed'),
    gone: count('gone'),
    denied: count('denied'),
    hidden: count('hidden'),
  };
}

function inWords(count: Counts): string {
  return Object.entries(count)
    .filter(([, sessions]) => sessions > 0)
    .map(([end, sessions]) => `${sessions} ${end}`)
    .join(', ');
}

function beforeOf({ sessions }: TerminateSessionsAct): Json {
  return { sessions: sessions.map(({ pid, backendStart }) => ({ pid, backendStart })) };
}

/** Counts, and the pids by what became of them. */
function afterOf({ sessions }: TerminateSessionsAct, ends: readonly SessionEnd[]): Json {
  const pids = Map.groupBy(sessions.slice(0, ends.length), (_, index) => ends[index] ?? 'gone');
  return {
    counts: { ...countOf(ends), untouched: sessions.length - ends.length },
    pids: Object.fromEntries([...pids].map(([end, seals]) => [end, seals.map(({ pid }) => pid)])),
  };
}
