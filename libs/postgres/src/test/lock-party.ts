import type { LockParty, LockWait, LockWaits } from '../lock-party.ts';

/** A session that waits for nobody; the rest as a spec wants it. */
export function lockParty(pid: number, more: Partial<LockParty> = {}): LockParty {
  return {
    pid,
    backendStart: '2026-11-24T03:00:00.123456Z',
    type: 'client backend',
    state: 'active',
    application: 'checkout',
    address: '127.0.3.7',
    role: 'shop',
    database: 'shop',
    transactionMs: 90_000,
    stateMs: 90_000,
    writes: false,
    statement: 'SELECT ?',
    ...more,
  };
}

/** One that waits for `blockers` to let go of a table. */
export function waitingParty(
  pid: number,
  blockers: readonly number[],
  more: Partial<LockWait> = {},
): LockParty {
  return lockParty(pid, {
    waits: {
      blockers,
      prepared: [],
      ms: 90_000,
      mode: 'AccessShareLock',
      target: 'table',
      table: { schema: 'public', name: 'orders' },
      ...more,
    },
  });
}

/** `waiters` sessions wait for the one with this pid. Without one: nobody waits. */
export function blockedBy(pid?: number, waiters = 1): LockWaits {
  const parties =
    pid === undefined
      ? []
      : Array.from({ length: waiters }, (_, n) => waitingParty(10_000 + n, [pid]));
  return { parties, truncated: false };
}
