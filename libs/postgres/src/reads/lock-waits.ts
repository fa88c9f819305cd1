import { maskSql, maskText, type Read } from '@starr/kernel';
import { z } from 'zod';
import { relationsOfLocks } from '../lock-relations.ts';
import type { LockParty, LockTarget, LockWait, LockWaits } from '../lock-party.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { lockWaitsSql, MOST_WAITERS } from './lock-waits-sql.ts';
import { redacted, rowsRead } from './rows-read.ts';

const STATEMENT_CHARACTERS = 200;

const preparedSchema = z.object({
  gid: z.string(),
  owner: z.string(),
  database: z.string(),
  ms: z.number(),
});

const rowSchema = z.object({
  our_role: z.string(),
  hidden: z.boolean(),
  pid: z.int(),
  backend_start: z.string().nullable(),
  type: z.string().nullable(),
  state: z.string().nullable(),
  application: z.string(),
  address: z.string().nullable(),
  role: z.string().nullable(),
  database: z.string().nullable(),
  transaction_ms: z.number().nullable(),
  state_ms: z.number().nullable(),
  writes: z.boolean(),
  xid_age: z.number().nullable(),
  query: z.string().nullable(),
  /** pids, separated by commas: an array of 80,000 takes the driver ten times as long. */
  blockers: z.string().nullable(),
  wait_ms: z.number().nullable(),
  mode: z.string().nullable(),
  locktype: z.string().nullable(),
  schema: z.string().nullable(),
  table: z.string().nullable(),
  prepared: z.array(preparedSchema).nullable(),
  holds: z.string().nullable(),
});
type LockRow = z.infer<typeof rowSchema>;

/** Who waits for a heavyweight lock, for whom, and what those are at. Waits for no lock itself. */
export const lockWaitsRead: Read<LockWaits, PostgresRequest> = rowsRead({
  id: 'postgres.lock-waits',
  timeoutMs: 2000,
  // each waiter may have a blocker of its own
  maxRows: MOST_WAITERS * 2,
  row: rowSchema,
  sql: lockWaitsSql,
  valueOf: (rows, truncated) => {
    const hidden = rows.filter((row) => row.hidden);
    if (hidden[0] !== undefined) return redacted(hidden.length, hidden[0].our_role);
    const masked = maskedOnce();
    const parties = rows.map((row) => partyFromRow(row, masked));
    const waiting = parties.filter(({ waits }) => waits !== undefined).length;
    return { parties, truncated: truncated || waiting >= MOST_WAITERS };
  },
  relate: (value, look) => relationsOfLocks(value, look.target),
});

/** Those who wait in one queue mostly ask the same. */
function maskedOnce(): (query: string) => string {
  const known = new Map<string, string>();
  return (query) => {
    const masked = known.get(query) ?? maskSql(query).slice(0, STATEMENT_CHARACTERS);
    known.set(query, masked);
    return masked;
  };
}

function partyFromRow(row: LockRow, masked: (query: string) => string): LockParty {
  const waits = waitFromRow(row);
  return {
    pid: row.pid,
    backendStart: row.backend_start ?? '',
    type: row.type ?? 'client backend',
    state: row.state ?? '',
    application: row.application,
    ...(row.address !== null && { address: row.address }),
    role: row.role ?? '',
    database: row.database ?? '',
    ...(row.transaction_ms !== null && { transactionMs: row.transaction_ms }),
    stateMs: row.state_ms ?? 0,
    writes: row.writes,
    ...(row.xid_age !== null && { xidAge: row.xid_age }),
    statement: masked(row.query ?? ''),
    ...(row.holds !== null && { holds: row.holds }),
    ...(waits !== undefined && { waits }),
  };
}

/** Undefined: it is waited for and waits for nobody itself, or its wait has ended since. */
function waitFromRow(row: LockRow): LockWait | undefined {
  if (row.blockers === null || row.blockers === '') return undefined;
  return {
    blockers: [...new Set(row.blockers.split(',').map(Number))],
    prepared: (row.prepared ?? []).map(({ gid, ...more }) => ({ gid: maskText(gid), ...more })),
    ms: row.wait_ms ?? 0,
    mode: row.mode ?? '',
    target: targetOf(row.locktype),
    ...(row.schema !== null &&
      row.table !== null && { table: { schema: row.schema, name: row.table } }),
  };
}

function targetOf(locktype: string | null): LockTarget {
  switch (locktype) {
    case 'relation':
      return 'table';
    case 'tuple':
    case 'transactionid':
      return 'row';
    case 'advisory':
      return 'advisory lock';
    case 'virtualxid':
      return 'transaction';
    default:
      return 'other';
  }
}
