import { openSession, waitUntil, type LabPostgres, type LabSession } from '@starr/lab';

export type QueueKind = 'table' | 'row';

const AT_ONCE = 50;
const HOLD = {
  table: 'LOCK TABLE queue IN ACCESS EXCLUSIVE MODE',
  row: 'UPDATE queue SET v = 1 WHERE id = 1',
} as const satisfies Record<QueueKind, string>;
const WAIT = {
  table: 'SELECT v FROM queue WHERE id = 1',
  row: 'UPDATE queue SET v = 2 WHERE id = 1',
} as const satisfies Record<QueueKind, string>;

/** One session that holds, and `waiters` that wait for it (or, for a row, for all before them); ends with the stack. */
export async function startQueue(
  server: LabPostgres,
  kind: QueueKind,
  waiters: number,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const holder = stack.use(await openSession(server, { applicationName: 'holder' }));
  await holder.query('BEGIN');
  await holder.query(HOLD[kind]);
  const waiting: LabSession[] = [];
  while (waiting.length < waiters) {
    const next = Math.min(AT_ONCE, waiters - waiting.length);
    const opened = await Promise.all(
      Array.from({ length: next }, () => openSession(server, { applicationName: 'waiter' })),
    );
    for (const session of opened) waiting.push(stack.use(session));
  }
  for (const session of waiting) session.query(WAIT[kind]).catch(() => undefined);
  await waitUntil(async () => (await countWaiting(holder)) === waiters || undefined, {
    what: `${waiters} sessions to wait`,
    withinMs: 30_000,
  });
  return stack.move();
}

async function countWaiting(session: LabSession): Promise<number> {
  const [row] = await session.query(
    `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
  );
  return Number(row?.['waiting']);
}

/** Resolves when all sessions but one (its own) have ended. */
export async function untilAlone(server: LabPostgres): Promise<void> {
  await waitUntil(
    async () =>
      (
        await server.query(
          `SELECT 1 FROM pg_stat_activity WHERE application_name IN ('holder', 'waiter', 'idle')`,
        )
      ).length === 0 || undefined,
    { what: 'the sessions to end', withinMs: 30_000 },
  );
}
