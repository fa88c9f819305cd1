import { defineRemedy, type Effect, type Look, type Plan, type PlanRefused } from '@starr/kernel';
import { z } from 'zod';
import type { SetPoolSizeAct } from '../acts/pooler.ts';
import { allowedBy, sumsOf } from '../diagnostics/pooler-sums.ts';
import { poolerPoolEntity, serverEntity } from '../entities.ts';
import type { PostgresAct } from '../postgres-act.ts';
import { poolersRead, type PoolerState, type PoolerStates } from '../reads/poolers.ts';
import { slotsRead, type Slots } from '../reads/slots.ts';
import { findPool, type FoundPool } from './find-pooler.ts';

const MOST = 10_000;

const paramsSchema = z.strictObject({
  /** Its name in starr.yaml. Absent: the only one. */
  pooler: z.string().max(63).optional(),
  /** The pool that it is for. Absent: the one with the most waiting clients. */
  database: z.string().max(63).optional(),
  user: z.string().max(63).optional(),
  /** Connections to the server that each pool may hold. Absent: as many more as clients wait, at most what fits. */
  size: z.int().min(1).max(MOST).optional(),
});

/** Before the act, as its receipt keeps it. */
const receiptSchema = z.object({ defaultPoolSize: z.int().min(1) });
const actSchema = z.object({ pooler: z.string(), databases: z.array(z.string()).min(1) });

interface State {
  readonly poolers: PoolerStates;
  readonly slots: Slots;
}

export const resizePgbouncerPool = defineRemedy({
  id: 'db.resize-pgbouncer-pool',
  title: 'Change the pool size of a PgBouncer',
  explains:
    'Sets default_pool_size on the console of a PgBouncer: at once, without a restart, and for every database of it without a pool_size of its own. ' +
    'Never more than the server has slots for, all pools and all sessions beside them counted. It is not written to pgbouncer.ini: the line for it is printed. ' +
    'A larger pool helps where work is short and many wait; where connections are leaked or a lock is held it fills as the smaller one did.',
  params: paramsSchema,
  reads: { poolers: poolersRead, slots: slotsRead },
  plan: (params, seen, look): Plan<PostgresAct> | PlanRefused => {
    const found = findPool(params, seen.poolers);
    if ('refused' in found) return found;
    return resize(found, params.size, seen, look);
  },
  undo: (receipts, seen, look): Plan<PostgresAct> | PlanRefused => {
    const [receipt] = receipts;
    const before = receiptSchema.safeParse(receipt?.before);
    const act = actSchema.safeParse(receipt?.act);
    if (!before.success || !act.success) return { refused: 'the receipt holds no former size' };
    const { pooler, databases } = act.data;
    const found = findPool({ pooler, database: databases[0] }, seen.poolers);
    if ('refused' in found) return found;
    return resize(found, before.data.defaultPoolSize, seen, look);
  },
});

function resize(
  found: FoundPool,
  asked: number | undefined,
  { poolers, slots }: State,
  look: Look,
): Plan<PostgresAct> | PlanRefused {
  const { pooler, database, pool } = found;
  const from = pooler.defaultPoolSize;
  if (database.poolSize !== from) return { refused: ownSize(found) };
  if (asked === undefined && pool.waiting === 0)
    return { refused: `nobody waits for pool ${pool.database}/${pool.user}; a size must be given` };
  const most = mostThatFits(pooler, poolers, slots);
  const to = asked ?? Math.min(from + pool.waiting, most);
  if (to === from && asked !== undefined) return { refused: `it is ${from} already` };
  if (to > from && to > most) return { refused: tooLarge(most, from, found, { poolers, slots }) };
  if (to <= from && asked === undefined)
    return { refused: tooLarge(most, from, found, { poolers, slots }) };
  if (database.maxConnections > 0 && to > database.maxConnections)
    return {
      refused: `${database.name} takes at most ${database.maxConnections} connections (max_db_connections): a larger pool changes nothing`,
    };
  const act: SetPoolSizeAct = {
    kind: 'set-pool-size',
    pooler: pooler.name,
    from,
    to,
    databases: [database.name],
  };
  return planOf(act, found, { poolers, slots }, look);
}

function planOf(
  act: SetPoolSizeAct,
  { pooler, pool }: FoundPool,
  { poolers, slots }: State,
  look: Look,
): Plan<PostgresAct> {
  const about = poolerPoolEntity(look.target, pooler.name, pool.database, pool.user);
  const allowed = sumsOf(poolers).allowed;
  const after = allowed - allowedBy(pooler) + allowedBy(pooler, act.to);
  const followers = pooler.databases.filter(({ poolSize }) => poolSize === act.from);
  return {
    operations: [
      {
        act,
        says: `set default_pool_size of ${pooler.name} from ${act.from} to ${act.to}; the pools before ${look.target} may then open ${after} connections, ${slots.usable} are usable`,
        byHand: `SET default_pool_size = ${act.to};`,
        reversible: true,
        onRefused: 'stop',
        onFailed: 'stop',
      },
    ],
    effect:
      act.to > act.from && pool.waiting > 0
        ? { ...EFFECT, about, measurement: 'waitingClients', below: 1 }
        : allowedEffect(allowed, after, look),
    touches: [
      { name: 'poolSize', about, value: act.to },
      {
        name: 'allowedServers',
        about: serverEntity(look.target),
        value: after,
        limit: slots.usable,
      },
    ],
    warnings: [
      `until its next restart or RELOAD only; to keep it, in pgbouncer.ini: default_pool_size = ${act.to}`,
      ...(followers.length > 1
        ? [
            `follows for each database without a pool_size of its own: ${followers.map(({ name }) => name).join(', ')}`,
          ]
        : []),
      ...(act.to < act.from
        ? ['connections beyond the new size are closed as clients give them back']
        : ['where connections are leaked or a lock is held, the larger pool fills too']),
    ],
  };
}

const EFFECT = {
  diagnostic: 'db.pgbouncer-pools',
  settleMs: 2000,
  holdMs: 10_000,
  withinMs: 60_000,
  onMiss: 'ask',
} as const;

function allowedEffect(before: number, after: number, look: Look): Effect {
  const about = serverEntity(look.target);
  const bound = after > before ? { above: before } : { below: before };
  return { ...EFFECT, about, measurement: 'allowedServers', ...bound };
}

/** The largest default with which all pools together, and all sessions beside them, have a slot. */
function mostThatFits(pooler: PoolerState, poolers: PoolerStates, slots: Slots): number {
  const room = slots.usable - besidesPools(poolers, slots) - allowedByOthers(pooler, poolers);
  let most = pooler.defaultPoolSize;
  while (most < MOST && allowedBy(pooler, most + 1) <= room) most += 1;
  while (most > 0 && allowedBy(pooler, most) > room) most -= 1;
  return most;
}

function allowedByOthers(pooler: PoolerState, { poolers }: PoolerStates): number {
  return sumsOf({ poolers: poolers.filter((each) => each !== pooler) }).allowed;
}

/** Sessions that come to the server without a pooler. */
function besidesPools(poolers: PoolerStates, { used }: Slots): number {
  return Math.max(0, used - sumsOf(poolers).servers);
}

function ownSize({ pooler, database }: FoundPool): string {
  return (
    `${database.name} has a pool_size of ${database.poolSize} of its own on ${pooler.name} (the default is ${pooler.defaultPoolSize}), which no command changes: ` +
    `change its line in pgbouncer.ini, then RELOAD;`
  );
}

function tooLarge(
  most: number,
  from: number,
  { pooler }: FoundPool,
  { poolers, slots }: State,
): string {
  const taken = `${slots.usable} slots are usable, ${besidesPools(poolers, slots)} held beside the poolers`;
  const pools = `${pooler.pools.length} pools of ${pooler.name} share the rest`;
  return most > from
    ? `at most ${most} fit: ${taken}, ${pools}`
    : `no more than ${from} fit: ${taken}, ${pools}; first end what holds the connections`;
}
