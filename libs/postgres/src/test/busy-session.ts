import type { BusySession } from '../reads/busy-sessions.ts';

/** A session in a short statement; the rest as a spec wants it. */
export function busySession(more: Partial<BusySession> = {}): BusySession {
  return {
    pid: 4711,
    backendStart: '2026-11-24T03:00:00.123456Z',
    state: 'active',
    application: 'reports',
    address: '127.0.3.7',
    role: 'shop',
    database: 'shop',
    transactionMs: 10,
    statementMs: 10,
    stateMs: 10,
    pinsHorizon: false,
    statement: 'SELECT * FROM orders WHERE id = ?',
    ...more,
  };
}
