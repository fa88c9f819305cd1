import pg from 'pg';
import type { FaultSwitch } from '../faults.ts';
import { type Log, errorFields } from '../log.ts';

/**
 * A report that reads from one snapshot, as reports should, and whose end nobody took care of: the transaction stays
 * open, its sessions are idle in it, and nobody feels it. Returns how to stop it.
 */
export function startForgottenTransactions(
  databaseUrl: string,
  faults: FaultSwitch,
  log: Log,
): () => Promise<void> {
  let sessions: readonly pg.Client[] = [];
  const end = async () => {
    const ending = sessions;
    sessions = [];
    await Promise.allSettled(ending.map((session) => session.end()));
  };
  const begin = (count: number) => {
    sessions = Array.from({ length: count }, () => forget(databaseUrl, log));
  };
  const amount = faults.amount('forgotten-transaction');
  if (amount !== undefined) begin(amount);
  faults.onSwitch((fault, is) => {
    if (fault.name !== 'forgotten-transaction') return;
    void end();
    if (is === 'on') begin(fault.amount);
  });
  return end;
}

function forget(databaseUrl: string, log: Log): pg.Client {
  const session = new pg.Client({ connectionString: databaseUrl, application_name: 'checkout' });
  session.on('error', (error) => {
    log.warn('report was ended', errorFields(error));
  });
  const report = async () => {
    await session.connect();
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await session.query('SELECT count(*) FROM customers');
  };
  report().catch((error: unknown) => {
    log.warn('report failed', errorFields(error));
  });
  return session;
}
