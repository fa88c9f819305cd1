import type { Client } from 'pg';
import type { CancelStatementAct, TerminateSessionAct } from '../acts/signal-session.ts';
import { stateOf } from './pg-error.ts';

const POLL_MS = 10;

/** What one signal came to. */
export type Signalled = 'signalled' | 'changed' | 'gone' | 'denied' | 'hidden';

type SignalAct = CancelStatementAct | TerminateSessionAct;

/**
 * Every guard stands in the one statement that signals, outside any transaction that listed the session: pg_stat_activity
 * is frozen within a transaction. The call stands in the SELECT list, since a WHERE clause is evaluated in any order.
 */
export async function signalSession(client: Client, act: SignalAct): Promise<Signalled> {
  const { signal, where } = guardOf(act);
  try {
    const { rows } = await client.query(
      `SELECT pg_catalog.${signal}(a.pid)
         FROM pg_catalog.pg_stat_activity a
        WHERE a.pid = $1 AND a.backend_start = $2::timestamptz AND a.query_start = $3::timestamptz
          AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
          AND a.application_name <> ALL ($4::text[])
          AND ${where}`,
      [act.pid, act.backendStart, act.statementStart, act.protectedApplications].concat(
        act.kind === 'terminate-session' && act.transactionStart !== undefined
          ? [act.transactionStart]
          : [],
      ),
    );
    return rows.length === 0 ? await whyNot(client, act) : 'signalled';
  } catch (thrown) {
    if (stateOf(thrown) === '42501') return 'denied';
    throw thrown;
  }
}

interface SignalGuard {
  readonly signal: 'pg_cancel_backend' | 'pg_terminate_backend';
  readonly where: string;
}

function guardOf(act: SignalAct): SignalGuard {
  if (act.kind === 'cancel-statement')
    return { signal: 'pg_cancel_backend', where: `a.state = 'active'` };
  const sameTransaction =
    act.transactionStart === undefined ? 'true' : 'a.xact_start = $5::timestamptz';
  return { signal: 'pg_terminate_backend', where: `${sameTransaction} AND ${stillSo(act)}` };
}

function stillSo({ because }: TerminateSessionAct): string {
  switch (because) {
    case 'blocks':
      return `EXISTS (SELECT FROM pg_catalog.pg_stat_activity w WHERE w.wait_event_type = 'Lock'
                      AND a.pid = ANY (pg_catalog.pg_blocking_pids(w.pid)))`;
    case 'wedged':
      return `a.state = 'active' AND a.wait_event = 'ClientRead'`;
    case 'idle-in-transaction':
      return `a.state LIKE 'idle in transaction%'`;
  }
}

/** `true` of the signal functions only means that it was sent: waits until what was told to end has ended. */
export async function endedWithin(client: Client, act: SignalAct, ms: number): Promise<boolean> {
  const giveUpAtMs = performance.now() + ms;
  while (await isStillAtIt(client, act)) {
    if (performance.now() > giveUpAtMs) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

/** The session, or for a cancel the statement of it, is still there. A row that is hidden counts as there. */
export async function isStillAtIt(client: Client, act: SignalAct): Promise<boolean> {
  const statement =
    act.kind === 'cancel-statement'
      ? `AND (a.state = 'active' AND a.query_start = $3::timestamptz OR a.state IS NULL)`
      : '';
  const { rows } = await client.query(
    `SELECT FROM pg_catalog.pg_stat_activity a
      WHERE a.pid = $1 AND (a.backend_start = $2::timestamptz OR a.backend_start IS NULL AND a.usesysid IS NOT NULL) ${statement}`,
    [act.pid, act.backendStart, ...(statement === '' ? [] : [act.statementStart])],
  );
  return rows.length > 0;
}

async function whyNot(client: Client, act: SignalAct): Promise<Signalled> {
  const { rows } = await client.query<{ hidden: boolean }>(
    `SELECT a.backend_start IS NULL AS hidden FROM pg_catalog.pg_stat_activity a
      WHERE a.pid = $1 AND (a.backend_start = $2::timestamptz OR a.backend_start IS NULL AND a.usesysid IS NOT NULL)`,
    [act.pid, act.backendStart],
  );
  const [there] = rows;
  if (there === undefined) return 'gone';
  return there.hidden ? 'hidden' : 'changed';
}
