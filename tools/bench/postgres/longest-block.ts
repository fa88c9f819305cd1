import type { Look, Read } from '@starr/kernel';
import { postgresCatalog } from '@starr/postgres';

const RECORDED_SESSIONS = 1000;
const QUEUE = 400;

/** The longest that parsing, relating and judging what one check saw keeps the event loop, by processor time. */
export interface LongestBlock {
  readonly check: string;
  readonly ms: number;
}

/** Recorded rows of a very bad night: as many busy sessions as a read brings, and a row queue of 400 with its 80,000 pairs. */
export function longestBlock(): LongestBlock {
  const look: Look = {
    now: new Date('2026-11-24T03:12:08Z'),
    windowMs: 600_000,
    version: '18.4',
    target: 'bench',
    options: {},
  };
  const answers: Readonly<Record<string, readonly object[]>> = {
    'postgres.busy-sessions': Array.from({ length: RECORDED_SESSIONS }, (_, n) => busyRow(n)),
    'postgres.lock-waits': Array.from({ length: QUEUE + 1 }, (_, n) => queueRow(n)),
  };
  const reads = new Map(
    postgresCatalog.diagnostics
      .flatMap((each) => Object.values(each.reads))
      .map((read): Read<unknown> => read.wrap?.inner ?? read)
      .map((read) => [read.id, read]),
  );
  const took = Object.entries(answers).map(([check, rows]) => {
    const read = reads.get(check);
    if (read === undefined) throw new Error(`no check asks ${check} any more`);
    const before = process.cpuUsage();
    const value = read.parse({ rows, truncated: false }, look);
    read.relate?.(value, look);
    const { user, system } = process.cpuUsage(before);
    return { check, ms: (user + system) / 1000 };
  });
  return took.reduce((worst, each) => (each.ms > worst.ms ? each : worst));
}

const WHO = {
  our_role: 'looker',
  hidden: false,
  backend_start: '2026-11-24T03:00:00.123456Z',
  application: 'checkout',
  address: '10.0.0.7',
  role: 'shop',
  database: 'shop',
} as const;

function busyRow(n: number): object {
  return {
    ...WHO,
    pid: n + 1000,
    state: 'active',
    wait_event_type: null,
    wait_event: null,
    transaction_ms: n * 100,
    statement_ms: n * 100,
    state_ms: n * 100,
    pins_horizon: n % 2 === 0,
    query: `SELECT * FROM orders WHERE id = ${n} AND note = 'call ${n}'`,
  };
}

function queueRow(n: number): object {
  const before = n <= 1 ? n : n - 1;
  return {
    ...WHO,
    pid: n + 1000,
    type: 'client backend',
    state: 'active',
    transaction_ms: 60_000,
    state_ms: 60_000,
    writes: n === 0,
    xid_age: n === 0 ? 4200 : null,
    query: `UPDATE orders SET status = 'paid' WHERE id = ${n}`,
    blockers:
      n === 0
        ? null
        : Array.from({ length: before }, (_, k) => k + (n === 1 ? 1000 : 1001)).join(','),
    wait_ms: n === 0 ? null : 60_000,
    mode: n === 0 ? null : 'ExclusiveLock',
    locktype: n === 0 ? null : 'tuple',
    schema: n === 0 ? null : 'public',
    table: n === 0 ? null : 'orders',
    prepared: null,
    holds: n === 0 ? 'ExclusiveLock' : null,
  };
}
