import type { SignalCandidate } from '../reads/signal-candidates.ts';

/** A session in a statement for two minutes, with whatever a spec wants otherwise. */
export function candidate(more: Partial<SignalCandidate> = {}): SignalCandidate {
  return {
    pid: 4711,
    backendStart: '2026-11-24T03:00:00.123456Z',
    transactionStart: '2026-11-24T03:10:08.000001Z',
    statementStart: '2026-11-24T03:10:08.000001Z',
    state: 'active',
    application: 'report',
    address: '127.0.3.2',
    role: 'shop',
    database: 'shop',
    kind: 'client backend',
    waitsForClient: false,
    waitsOn: [],
    blocks: 0,
    transactionMs: 120_000,
    statementMs: 120_000,
    stateMs: 120_000,
    hasWritten: false,
    pinsHorizon: true,
    isSuperuser: false,
    holdsAdvisoryLock: false,
    listens: false,
    isDdl: false,
    isAgainstWraparound: false,
    statement: 'SELECT count(*) FROM orders WHERE total > ?',
    ...more,
  };
}
