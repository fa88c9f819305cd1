import {
  defineRemedy,
  durationText,
  isBlindSpot,
  optional,
  type BlindSpot,
  type Look,
  type Plan,
  type PlanRefused,
} from '@starr/kernel';
import { z } from 'zod';
import { clientEntity, poolerPoolEntity } from '../entities.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { quoteIdentifier } from '../quote-identifier.ts';
import { pooledSessionsRead, type PooledSessions } from '../reads/pooled-sessions.ts';
import { poolersRead } from '../reads/poolers.ts';
import { findPool, type FoundPool } from './find-pooler.ts';
import { resumePlan } from './resume-plan.ts';

const DEFAULT_WITHIN_MS = 10_000;
const LONGEST_MS = 60_000;

const paramsSchema = z.strictObject({
  /** Its name in starr.yaml. Absent: the only one. */
  pooler: z.string().max(63).optional(),
  /** As the pooler calls it. */
  database: z.string().min(1).max(63),
  /** How long work in progress may take to end; then it is undone. Default 10000. */
  withinMs: z.int().min(100).max(LONGEST_MS).default(DEFAULT_WITHIN_MS),
});

export const pausePgbouncer = defineRemedy({
  id: 'db.pause-pgbouncer',
  title: 'Pause a database of a PgBouncer',
  explains:
    'Lets the clients of a database wait in the pooler once their work in progress has ended, and closes its connections to the server: for a restart, a switch-over, or to give a server air. ' +
    'Refused in session mode, where it would wait until every client disconnects, and while a transaction is left open. Undone by itself when work in progress does not end in time; ' +
    'its undo is RESUME. Clients that wait longer than query_wait_timeout are turned away.',
  params: paramsSchema,
  reads: { poolers: poolersRead, sessions: optional(pooledSessionsRead) },
  plan: (params, { poolers, sessions }, look): Plan<PostgresAct> | PlanRefused => {
    const found = findPool(params, poolers);
    if ('refused' in found) return found;
    const why = whyNot(found, sessions, params.withinMs);
    return why === undefined ? planOf(found, params.withinMs, look) : { refused: why };
  },
  undo: (receipts, { poolers }, look): Plan<PostgresAct> | PlanRefused =>
    resumePlan(receipts[0]?.act, poolers, look),
});

function whyNot(
  { pooler, database, pool }: FoundPool,
  sessions: PooledSessions | BlindSpot,
  withinMs: number,
): string | undefined {
  if (database.paused) return `${database.name} is paused already on ${pooler.name}`;
  const inSession = pooler.pools.filter(
    (each) => each.database === database.name && each.mode === 'session' && each.busy > 0,
  );
  if (inSession.length > 0)
    return (
      `pool ${database.name}/${inSession.map(({ user }) => user).join(', ')} is in session mode: ` +
      'it would wait until every client that has a connection disconnects'
    );
  if (isBlindSpot(sessions) || sessions.blind.length > 0) {
    return pool.busy === 0
      ? undefined
      : 'whether a transaction is left open cannot be seen, and it would be waited for';
  }
  const open = sessions.sessions.find(
    (each) =>
      each.pooler === pooler.name &&
      each.database === database.name &&
      each.state.startsWith('idle in transaction') &&
      each.stateMs >= withinMs,
  );
  if (open === undefined) return undefined;
  const { application = '', address } = open.client ?? {};
  return `it would wait for pid ${open.pid} of ${clientEntity('', application, address).name}, which has left a transaction open for ${durationText(open.stateMs)}`;
}

function planOf(
  { pooler, database, pool }: FoundPool,
  withinMs: number,
  look: Look,
): Plan<PostgresAct> {
  const about = poolerPoolEntity(look.target, pooler.name, pool.database, pool.user);
  const name = quoteIdentifier(database.name);
  const pools = pooler.pools.filter((each) => each.database === database.name);
  const clients = pools.reduce((sum, each) => sum + each.clients + each.waiting, 0);
  return {
    operations: [
      {
        act: {
          kind: 'pause-pooler',
          pooler: pooler.name,
          database: database.name,
          withinMs,
        },
        says: `pause ${database.name} on ${pooler.name}: ${clients} clients wait from then on; undone when work in progress takes longer than ${durationText(withinMs)}`,
        byHand: `PAUSE ${name};`,
        reversible: true,
        onRefused: 'stop',
        onFailed: 'stop',
      },
    ],
    effect: {
      diagnostic: 'db.pgbouncer-pools',
      about,
      measurement: 'busyServers',
      below: 1,
      settleMs: 500,
      holdMs: 2000,
      withinMs: 15_000,
      onMiss: 'ask',
    },
    touches: [{ name: 'clientsWaiting', about, value: clients }],
    warnings: [
      `nobody of ${database.name} is served through ${pooler.name} until RESUME ${name};`,
      pooler.queryWaitTimeoutMs === 0
        ? 'clients wait for as long as it takes (query_wait_timeout is 0)'
        : `clients that wait longer than ${durationText(pooler.queryWaitTimeoutMs)} are turned away (query_wait_timeout)`,
    ],
  };
}
