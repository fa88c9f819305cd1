import { blindSpot, isBlindSpot, type BlindSpot, type Read } from '@starr/kernel';
import { z } from 'zod';
import type { ConsoleRow, PooledLook, PooledSessionsAnswer } from '../pooler-request.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { clientGroups, type ClientGroup } from './client-groups.ts';
import { consoleRows, numberOf, textOf, waitMsOf, wallClockMs } from './console-row.ts';
import { relationsOfPooled } from './pooled-relations.ts';
import { redacted } from './rows-read.ts';
import { utcText } from './utc-text.ts';

/** Who is on the other side of a pooler. */
export interface PooledClient {
  /** '' when it gives none. Chosen by the client: untrusted. */
  readonly application: string;
  /** Absent: a local socket of the pooler's host. */
  readonly address?: string;
  readonly port: number;
  /** Since it connected to the pooler; to the second. */
  readonly ageMs: number;
  /** From its connecting to its last request; to the second. */
  readonly usedMs: number;
}

/** One backend that a pooler holds, and which client has it at this moment. */
export interface PooledSession {
  readonly pooler: string;
  readonly database: string;
  readonly user: string;
  readonly pid: number;
  /** RFC 3339 with microseconds. */
  readonly backendStart: string;
  /** As pg_stat_activity says: the pooler passes the client's name on, or gives its own. */
  readonly serverApplication: string;
  readonly serverAddress?: string;
  /** active, idle, idle in transaction … */
  readonly state: string;
  /** Since the state was entered, by the server's clock. */
  readonly stateMs: number;
  readonly backendAgeMs: number;
  /** From its start to its last change of state. */
  readonly backendUsedMs: number;
  /** Absent: no client has it. */
  readonly client?: PooledClient;
}

/** A client that waits for a connection to the server. */
export interface WaitingClient {
  readonly pooler: string;
  readonly database: string;
  readonly user: string;
  readonly application: string;
  readonly address?: string;
  readonly waitMs: number;
}

export interface PooledSessions {
  readonly sessions: readonly PooledSession[];
  /** Longest first. */
  readonly waiting: readonly WaitingClient[];
  /** All clients, those without a connection too; those with the most first. */
  readonly clients: readonly ClientGroup[];
  readonly blind: readonly BlindSpot[];
}

const MOST_SESSIONS = 2000;
const MOST_WAITING = 500;

const answerSchema = z.object({
  poolers: z.array(
    z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('seen'),
        pooler: z.string(),
        seen: z.object({ servers: consoleRows, clients: consoleRows }),
      }),
      z.object({ kind: z.literal('unseen'), pooler: z.string(), blind: z.custom<BlindSpot>() }),
    ]),
  ),
  backends: z.union([
    z.object({ rows: consoleRows, truncated: z.boolean() }),
    z.custom<BlindSpot>((value) => isBlindSpot(value)),
  ]),
}) satisfies z.ZodType<PooledSessionsAnswer>;

const backendSchema = z.object({
  our_role: z.string(),
  hidden: z.boolean(),
  pid: z.int(),
  backend_start: z.string().nullable(),
  client_port: z.int().nullable(),
  application: z.string(),
  address: z.string().nullable(),
  state: z.string().nullable(),
  state_ms: z.number().nullable(),
  age_ms: z.number().nullable(),
  used_ms: z.number().nullable(),
});
type BackendRow = z.infer<typeof backendSchema>;

/**
 * Who is behind a backend of a pooler: remote_pid of its connection is the backend's pid, and the port that the pooler
 * connects from is the one that the server sees, so that a pid of another server is not taken for one of this. Client and
 * connection must name each other, since pointers are used again after a disconnect.
 */
export const pooledSessionsRead: Read<PooledSessions, PostgresRequest> = {
  id: 'pgbouncer.sessions',
  timeoutMs: 1000,
  maxRows: MOST_SESSIONS,
  request: () => ({
    kind: 'pooled-sessions',
    sql: `
    SELECT quote_ident(current_user) AS our_role, backend_type IS NULL AS hidden, pid, ${utcText('backend_start')} AS backend_start, client_port, application_name AS application,
           host(client_addr) AS address, state,
           extract(epoch FROM clock_timestamp() - state_change)::float8 * 1000 AS state_ms,
           extract(epoch FROM clock_timestamp() - backend_start)::float8 * 1000 AS age_ms,
           extract(epoch FROM state_change - backend_start)::float8 * 1000 AS used_ms
      FROM pg_stat_activity
     WHERE pid = ANY (ARRAY[{pids}]::int[])
       AND (backend_type = 'client backend' OR backend_type IS NULL AND usesysid IS NOT NULL)`,
  }),
  parse: (raw) => {
    const answer = answerSchema.safeParse(raw);
    if (!answer.success)
      return blindSpot(
        'unsupported',
        'pgbouncer.sessions: the console answered in an unexpected form',
      );
    const { poolers, backends } = answer.data;
    const { known, blind } = backendsByPid(backends);
    const looks = poolers.flatMap((each) =>
      each.kind === 'seen' ? [{ pooler: each.pooler, ...each.seen }] : [],
    );
    return {
      sessions: looks.flatMap((look) => sessionsOf(look, known)),
      waiting: looks
        .flatMap(waitingOf)
        .toSorted((a, b) => b.waitMs - a.waitMs)
        .slice(0, MOST_WAITING),
      clients: looks.flatMap((each) =>
        clientGroups(each, latest([...each.servers, ...each.clients])),
      ),
      blind: [...poolers.flatMap((each) => (each.kind === 'unseen' ? [each.blind] : [])), ...blind],
    };
  },
  relate: (value, look) => relationsOfPooled(value, look.target),
};

interface KnownBackends {
  readonly known: ReadonlyMap<number, BackendRow>;
  readonly blind: readonly BlindSpot[];
}

function backendsByPid(answer: PooledSessionsAnswer['backends']): KnownBackends {
  if (isBlindSpot(answer)) return { known: new Map(), blind: [answer] };
  const seen = answer.rows.flatMap((row) => backendSchema.safeParse(row).data ?? []);
  const hidden = seen.filter((row) => row.hidden);
  const malformed = answer.rows.length - seen.length;
  return {
    known: new Map(seen.filter((row) => !row.hidden).map((row) => [row.pid, row])),
    blind: [
      ...(hidden[0] === undefined ? [] : [redacted(hidden.length, hidden[0].our_role)]),
      ...(answer.truncated
        ? [blindSpot('truncated', `more than ${MOST_SESSIONS} backends of poolers`)]
        : []),
      ...(malformed > 0
        ? [blindSpot('unsupported', `${malformed} backends were answered in an unexpected form`)]
        : []),
    ],
  };
}

type NamedLook = PooledLook & { readonly pooler: string };

function sessionsOf(
  { pooler, servers, clients }: NamedLook,
  known: ReadonlyMap<number, BackendRow>,
): PooledSession[] {
  const byPointer = new Map(clients.map((row) => [textOf(row, 'ptr'), row]));
  const nowMs = latest([...servers, ...clients]);
  return servers.flatMap((server) => {
    const backend = known.get(numberOf(server, 'remote_pid'));
    if (backend === undefined || !isSameSocket(server, backend)) return [];
    const linked = byPointer.get(textOf(server, 'link'));
    const client =
      linked !== undefined && textOf(linked, 'link') === textOf(server, 'ptr') ? linked : undefined;
    return {
      pooler,
      database: textOf(server, 'database'),
      user: textOf(server, 'user'),
      pid: backend.pid,
      backendStart: backend.backend_start ?? '',
      serverApplication: backend.application,
      ...(backend.address !== null && { serverAddress: backend.address }),
      state: backend.state ?? 'disabled',
      stateMs: backend.state_ms ?? 0,
      backendAgeMs: backend.age_ms ?? 0,
      backendUsedMs: backend.used_ms ?? 0,
      ...(client !== undefined && { client: clientFrom(client, backend, nowMs) }),
    };
  });
}

/** A local socket has no port (-1): the pid alone must do. */
function isSameSocket(server: ConsoleRow, { client_port: port }: BackendRow): boolean {
  return port === null || port < 0 || port === numberOf(server, 'local_port');
}

/** The latest moment of all is the pooler's now: our own question is among them. As text they sort as in time. */
function latest(all: readonly ConsoleRow[]): number {
  let last = '';
  for (const row of all) {
    const moment = textOf(row, 'request_time');
    if (moment > last) last = moment;
  }
  return wallClockMs(last) ?? 0;
}

function clientFrom(row: ConsoleRow, backend: BackendRow, nowMs: number): PooledClient {
  const connectedMs = wallClockMs(textOf(row, 'connect_time')) ?? nowMs;
  const requestedMs = wallClockMs(textOf(row, 'request_time')) ?? connectedMs;
  return {
    ...whoFrom(row, backend.application),
    port: numberOf(row, 'port'),
    ageMs: Math.max(0, nowMs - connectedMs),
    usedMs: Math.max(0, requestedMs - connectedMs),
  };
}

/** Before 1.18 the pooler does not show the name; the server does then, as it was passed on. */
function whoFrom(row: ConsoleRow, otherwise: string): { application: string; address?: string } {
  const address = textOf(row, 'addr');
  return {
    application: 'application_name' in row ? textOf(row, 'application_name') : otherwise,
    ...(address !== '' && address !== 'unix' && { address }),
  };
}

function waitingOf({ pooler, clients }: NamedLook): WaitingClient[] {
  return clients
    .filter((row) => textOf(row, 'state') === 'waiting')
    .map((row) => ({
      pooler,
      database: textOf(row, 'database'),
      user: textOf(row, 'user'),
      ...whoFrom(row, ''),
      waitMs: waitMsOf(row, 'wait', 'wait_us'),
    }));
}
