import type { Client } from 'pg';
import type { SessionSeal, TerminateSessionsAct } from '../postgres-act.ts';
import { holdsAdvisoryLock, LISTENS } from '../reads/idle-candidates.ts';
import { APPLICATION_NAME } from './connect.ts';
import { stateOf } from './pg-error.ts';

/** How long sessions may take to end once they are told: a backend that is stuck in the kernel takes longer. */
const GONE_WITHIN_MS = 2000;
const POLL_MS = 10;

/** What became of one session. */
export type SessionEnd =
  /** Ended by us and seen to be gone. */
  | 'ended'
  /** Told to end, and still there after a while. */
  | 'signalled'
  /** It was used, or protected itself, since the plan was made. Left alone. */
  | 'changed'
  /** Not there any more when we came. */
  | 'gone'
  /** The acting role may not end it. */
  | 'denied'
  /** The acting role cannot see its state, so its guard holds nothing. */
  | 'hidden';

/** What one session said to being told: `told` is not yet gone. */
export type Told = 'told' | Exclude<SessionEnd, 'ended' | 'signalled'>;

/**
 * Every guard stands in the one statement that signals, outside any transaction that listed the session: pg_stat_activity is
 * frozen within a transaction, so each of these statements is its own. The call stands in the SELECT list, since a WHERE
 * clause is evaluated in any order. Without the timeout argument of 14 and newer: it looks every 100 ms, one session at a
 * time; {@link endsOf} looks at all of them at once.
 */
export async function tellSession(
  client: Client,
  seal: SessionSeal,
  { protectedApplications }: TerminateSessionsAct,
): Promise<Told> {
  try {
    const { rows } = await client.query(
      `SELECT pg_catalog.pg_terminate_backend(a.pid)
         FROM pg_catalog.pg_stat_activity a
        WHERE a.pid = $1 AND a.backend_start = $2::timestamptz
          AND a.state = 'idle' AND a.state_change = $3::timestamptz
          AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
          AND a.application_name <> ALL ($4::text[])
          AND NOT ${holdsAdvisoryLock('a.pid')}
          AND NOT a.${LISTENS}`,
      [seal.pid, seal.backendStart, seal.stateChange, protectedApplications],
    );
    return rows.length === 0 ? await whyNot(client, seal) : 'told';
  } catch (thrown) {
    if (stateOf(thrown) === '42501') return 'denied';
    throw thrown;
  }
}

/** `true` from pg_terminate_backend only means that the signal was sent: waits until those that were told are gone. */
export async function endsOf(
  client: Client,
  seals: readonly SessionSeal[],
  told: readonly Told[],
): Promise<SessionEnd[]> {
  const ending = seals.filter((_, index) => told[index] === 'told');
  const giveUpAtMs = performance.now() + GONE_WITHIN_MS;
  let there = await pidsThere(client, ending);
  while (there.size > 0 && performance.now() < giveUpAtMs) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    there = await pidsThere(client, ending);
  }
  return told.map((end, index) => {
    if (end !== 'told') return end;
    return there.has(seals[index]?.pid ?? 0) ? 'signalled' : 'ended';
  });
}

async function pidsThere(client: Client, seals: readonly SessionSeal[]): Promise<Set<number>> {
  if (seals.length === 0) return new Set();
  return new Set((await stillThere(client, seals)).map(({ pid }) => pid));
}

/** The sessions of these seals that are still there, by pid and start. `hidden`: whether it is the same session cannot be seen. */
export async function stillThere(
  client: Client,
  seals: readonly SessionSeal[],
): Promise<readonly { readonly pid: number; readonly hidden: boolean }[]> {
  const { rows } = await client.query<{ pid: number; hidden: boolean }>(
    `SELECT a.pid, a.backend_start IS NULL AS hidden
       FROM unnest($1::int[], $2::text[]) AS s (pid, backend_start)
       JOIN pg_catalog.pg_stat_activity a ON a.pid = s.pid
        AND (a.backend_start = s.backend_start::timestamptz OR a.backend_start IS NULL AND a.usesysid IS NOT NULL)`,
    [seals.map(({ pid }) => pid), seals.map(({ backendStart }) => backendStart)],
  );
  return rows;
}

/**
 * Whether a session of ours is still at it: one whose process died, or that the server had stopped, carries its last
 * statement out later. As long as it is there, nobody can say that nothing was done.
 */
export async function isStillTold(client: Client): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT FROM pg_catalog.pg_stat_activity
      WHERE application_name = $1 AND pid <> pg_backend_pid() AND query LIKE ANY ('{%pg_terminate_backend(a.pid)%,%pg_cancel_backend(a.pid)%}') LIMIT 1`,
    [APPLICATION_NAME],
  );
  return rows.length > 0;
}

async function whyNot(client: Client, seal: SessionSeal): Promise<Told> {
  const [there] = await stillThere(client, [seal]);
  if (there === undefined) return 'gone';
  return there.hidden ? 'hidden' : 'changed';
}
