import { blindSpot, type BlindSpot, type Read, type Relation } from '@starr/kernel';
import { z } from 'zod';
import { poolerEntity, poolerPoolEntity, serverEntity } from '../entities.ts';
import type { ConsoleRow, PoolersAnswer, PoolerLook, ServerPlace } from '../pooler-request.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { consoleRows, numberOf, textOf, waitMsOf } from './console-row.ts';

/** The console itself is a database of that name; nobody waits there. */
const CONSOLE = 'pgbouncer';

/** A database of a pooler's configuration that leads to this server. */
export interface PoolerDatabase {
  readonly name: string;
  /** Connections to the server that each of its pools may hold, its own size or the default. */
  readonly poolSize: number;
  /** More that it may take for a while when clients wait. */
  readonly reserve: number;
  /** Over all its pools; 0: unlimited. */
  readonly maxConnections: number;
  readonly paused: boolean;
}

/** The pool of one database and user. */
export interface PoolerPool {
  readonly database: string;
  readonly user: string;
  /** session, transaction, statement. */
  readonly mode: string;
  /** Clients that are served, or idle. */
  readonly clients: number;
  readonly waiting: number;
  /** How long the first of them has waited; 0 when none does. */
  readonly longestWaitMs: number;
  /** Connections to the server that a client has. */
  readonly busy: number;
  /** Connections to the server that a client could have. */
  readonly idle: number;
  /** All of them, those on their way included. */
  readonly servers: number;
}

export interface PoolerState {
  readonly name: string;
  /** `PgBouncer 1.18.0`. */
  readonly version: string;
  readonly defaultPoolSize: number;
  readonly maxClients: number;
  /** 0: for ever. */
  readonly queryWaitTimeoutMs: number;
  readonly databases: readonly PoolerDatabase[];
  readonly pools: readonly PoolerPool[];
}

export interface PoolerStates {
  readonly poolers: readonly PoolerState[];
  /** Poolers that did not answer. */
  readonly blind: readonly BlindSpot[];
}

const placeSchema = z.object({ host: z.string(), port: z.number() });
const seenSchema = z.object({
  version: consoleRows,
  config: consoleRows,
  databases: consoleRows,
  pools: consoleRows,
});
const answerSchema = z.object({
  server: placeSchema,
  poolers: z.array(
    z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('seen'),
        pooler: z.string(),
        place: placeSchema,
        seen: seenSchema,
      }),
      z.object({
        kind: z.literal('unseen'),
        pooler: z.string(),
        place: placeSchema,
        blind: z.custom<BlindSpot>(),
      }),
    ]),
  ),
}) satisfies z.ZodType<PoolersAnswer>;

/** Pools, waiting clients and sizes of each pooler before this server. Costs the server nothing. */
export const poolersRead: Read<PoolerStates, PostgresRequest> = {
  id: 'pgbouncer.pools',
  timeoutMs: 1000,
  maxRows: 1000,
  request: () => ({ kind: 'poolers' }),
  parse: (raw) => {
    const answer = answerSchema.safeParse(raw);
    if (!answer.success)
      return blindSpot(
        'unsupported',
        'pgbouncer.pools: the console answered in an unexpected form',
      );
    const { server, poolers } = answer.data;
    return {
      poolers: poolers.flatMap((each) =>
        each.kind === 'seen' ? [stateFrom(each.pooler, each.seen, server, each.place)] : [],
      ),
      blind: poolers.flatMap((each) => (each.kind === 'unseen' ? [each.blind] : [])),
    };
  },
  relate: ({ poolers }, look) => poolers.flatMap((state) => relationsOf(state, look.target)),
};

function stateFrom(
  name: string,
  { version, config, databases, pools }: PoolerLook,
  server: ServerPlace,
  place: ServerPlace,
): PoolerState {
  const setting = (key: string) =>
    numberOf(config.find((row) => row['key'] === key) ?? {}, 'value');
  const ours = databases.filter(
    (row) => textOf(row, 'name') !== CONSOLE && leadsTo(row, server, place),
  );
  const names = new Set(ours.map((row) => textOf(row, 'name')));
  return {
    name,
    version: version.map((row) => textOf(row, 'version')).join(' '),
    defaultPoolSize: setting('default_pool_size'),
    maxClients: setting('max_client_conn'),
    queryWaitTimeoutMs: setting('query_wait_timeout') * 1000,
    databases: ours.map(databaseFrom),
    pools: pools.filter((row) => names.has(textOf(row, 'database'))).map(poolFrom),
  };
}

/**
 * Whether a database of the pooler is on this server. A name and an address may be the same host: only two addresses that
 * differ, or two ports, tell that it is not. A target that is reached through the pooler is what the pooler leads to.
 */
function leadsTo(row: ConsoleRow, server: ServerPlace, place: ServerPlace): boolean {
  if (server.host === place.host && server.port === place.port) return true;
  if (numberOf(row, 'port') !== server.port) return false;
  const host = textOf(row, 'host');
  return !isAddress(host) || !isAddress(server.host) || host === server.host;
}

function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':');
}

function databaseFrom(row: ConsoleRow): PoolerDatabase {
  return {
    name: textOf(row, 'name'),
    poolSize: numberOf(row, 'pool_size'),
    reserve: numberOf(row, 'reserve_pool', 'reserve_pool_size'),
    maxConnections: numberOf(row, 'max_connections'),
    paused: numberOf(row, 'paused') > 0,
  };
}

function poolFrom(row: ConsoleRow): PoolerPool {
  const busy = numberOf(row, 'sv_active') + numberOf(row, 'sv_active_cancel');
  const idle = numberOf(row, 'sv_idle') + numberOf(row, 'sv_used') + numberOf(row, 'sv_tested');
  const waiting = numberOf(row, 'cl_waiting');
  return {
    database: textOf(row, 'database'),
    user: textOf(row, 'user'),
    mode: textOf(row, 'pool_mode'),
    clients: numberOf(row, 'cl_active'),
    waiting,
    longestWaitMs: waiting === 0 ? 0 : waitMsOf(row, 'maxwait', 'maxwait_us'),
    busy,
    idle,
    servers: busy + idle + numberOf(row, 'sv_login') + numberOf(row, 'sv_being_canceled'),
  };
}

/** Of the server too: what stands before it stands before its poolers and their pools. */
function relationsOf({ name, pools }: PoolerState, target: string): Relation[] {
  const pooler = poolerEntity(target, name);
  const server = serverEntity(target);
  return [
    { from: pooler, is: 'of', to: server },
    ...pools.flatMap(({ database, user }) => {
      const pool = poolerPoolEntity(target, name, database, user);
      return [
        { from: pool, is: 'of', to: pooler },
        { from: pool, is: 'of', to: server },
      ];
    }),
  ];
}
