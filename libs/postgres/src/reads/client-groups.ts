import type { ConsoleRow, PooledLook } from '../pooler-request.ts';
import { textOf, wallClockMs } from './console-row.ts';
import { SETTLED_MS, USED_ONCE_MS } from './session-groups.ts';

/** The clients of a pooler of one application at one address, whether they have a connection to the server or not. */
export interface ClientGroup {
  readonly pooler: string;
  readonly application: string;
  /** Absent: a local socket of the pooler's host. */
  readonly address?: string;
  readonly clients: number;
  /** Of them, used within their first second and never since, by the pooler's clock to the second. */
  readonly usedOnce: number;
}

const CONSOLE = 'pgbouncer';
const MOST_GROUPS = 200;

/** Those with the most clients first; the console's own are nobody's. */
export function clientGroups(
  { pooler, clients }: PooledLook & { readonly pooler: string },
  nowMs: number,
): ClientGroup[] {
  const ours = clients.filter((row) => textOf(row, 'database') !== CONSOLE);
  const groups = Map.groupBy(ours, (row) =>
    [textOf(row, 'application_name'), textOf(row, 'addr')].join('\n'),
  );
  return [...groups.values()]
    .map((rows) => groupFrom(pooler, rows, nowMs))
    .toSorted((a, b) => b.clients - a.clients)
    .slice(0, MOST_GROUPS);
}

function groupFrom(pooler: string, rows: readonly ConsoleRow[], nowMs: number): ClientGroup {
  const [first = {}] = rows;
  const address = textOf(first, 'addr');
  return {
    pooler,
    application: textOf(first, 'application_name'),
    ...(address !== '' && address !== 'unix' && { address }),
    clients: rows.length,
    usedOnce: rows.filter((row) => wasUsedOnce(row, nowMs)).length,
  };
}

function wasUsedOnce(row: ConsoleRow, nowMs: number): boolean {
  const connectedMs = wallClockMs(textOf(row, 'connect_time'));
  const requestedMs = wallClockMs(textOf(row, 'request_time'));
  if (connectedMs === undefined || requestedMs === undefined) return false;
  return requestedMs - connectedMs <= USED_ONCE_MS && nowMs - requestedMs >= SETTLED_MS;
}
