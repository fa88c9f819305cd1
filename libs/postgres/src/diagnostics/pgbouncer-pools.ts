import {
  defineDiagnostic,
  isBlindSpot,
  optional,
  type BlindSpot,
  type Finding,
  type Limits,
  type Look,
  type Measurement,
} from '@starr/kernel';
import { poolerEntity, poolerPoolEntity, serverEntity } from '../entities.ts';
import { pooledSessionsRead, type PooledSessions } from '../reads/pooled-sessions.ts';
import { poolersRead, type PoolerPool, type PoolerState } from '../reads/poolers.ts';
import { slotsRead, type Slots } from '../reads/slots.ts';
import { holdersOf } from './pool-holders.ts';
import { pausedText, waitText } from './pool-wait-text.ts';
import { clientFinding, clientMeasurement } from './pooler-clients.ts';
import { sumsOf, type PoolerSums } from './pooler-sums.ts';
import { SLOT_THRESHOLDS } from './slot-pressure.ts';

const thresholds = {
  warnWaitMs: {
    value: 1000,
    unit: 'ms',
    says: 'a wait for a connection to the server that users feel',
    source: 'postgres.md section 7: PgBouncer maxwait 1 s',
  },
  criticalWaitMs: {
    value: 15_000,
    unit: 'ms',
    says: 'a wait after which requests have failed already',
    source: 'samber/awesome-prometheus-alerts _data/rules.yml, PgBouncer maxwait > 15 s',
  },
  warnClientRatio: {
    value: 0.8,
    unit: 'ratio',
    says: 'share of max_client_conn in use that is worth a look',
    source: 'bucardo/check_postgres pgbouncer_backends (90 %), a step earlier as for slots',
  },
  criticalClientRatio: {
    value: 0.95,
    unit: 'ratio',
    says: 'share of max_client_conn in use after which clients are turned away soon',
    source: 'bucardo/check_postgres pgbouncer_backends (95 %)',
  },
  warnSlotRatio: SLOT_THRESHOLDS.warnRatio,
} as const;

type PoolLimits = Limits<typeof thresholds>;

export const pgbouncerPools = defineDiagnostic({
  id: 'db.pgbouncer-pools',
  title: 'PgBouncer: waiting clients and pools',
  explains:
    'Asks the console of each PgBouncer before the server: who waits for a connection and for how long, which databases are paused, how many clients it still takes, ' +
    'and whether its pools together may open more connections than the server has slots. Says which clients hold the connections of a pool that has none left, and who fills a pooler with clients. ' +
    'By hand: SHOW POOLS and SHOW CLIENTS on its console; RESUME what is paused; end what holds the pool before making it larger, since the server may have no more.',
  replaces: ['SHOW POOLS;', 'SHOW CLIENTS;', 'SHOW SERVERS;', 'SHOW DATABASES;', 'SHOW CONFIG;'],
  reads: {
    poolers: poolersRead,
    sessions: optional(pooledSessionsRead),
    slots: optional(slotsRead),
  },
  thresholds,
  measures: {
    poolers: { unit: 'count', says: 'poolers that answered; 0 where none is configured' },
    waitingClients: { unit: 'count', says: 'clients of a pool that wait for a connection' },
    longestWaitMs: { unit: 'ms', says: 'how long the first of them has waited' },
    busyServers: { unit: 'count', says: 'connections to the server that clients have' },
    idleServers: { unit: 'count', says: 'connections to the server that clients could have' },
    paused: { unit: 'count', says: '1 while its database is paused, else 0' },
    clientUseRatio: { unit: 'ratio', says: 'clients / max_client_conn of a pooler' },
    pooledServers: { unit: 'count', says: 'connections to the server that all poolers hold' },
    allowedServers: { unit: 'count', says: 'connections that the pools of all poolers may open' },
  },
  judge: ({ poolers, sessions, slots }, limits, look) => {
    const seen = isBlindSpot(sessions) ? undefined : sessions;
    const usable = isBlindSpot(slots) ? undefined : slots;
    const sums = sumsOf(poolers);
    if (poolers.poolers.length === 0 && poolers.blind.length > 0)
      return { measured: [], blind: blindOf([...poolers.blind, sessions, slots]) };
    return {
      measured: [
        ...poolers.poolers.flatMap((pooler) => measurementsOf(pooler, limits, look)),
        ...sumMeasurements(poolers.poolers.length, sums, usable, look),
      ],
      findings: [
        ...poolers.poolers.flatMap((pooler) =>
          pooler.pools.flatMap((pool) =>
            poolFinding({ pooler, pool, sessions: seen }, limits, look),
          ),
        ),
        ...poolers.poolers.flatMap((pooler) => clientFinding(pooler, seen, limits, look)),
        ...overbooked(sums, usable, limits, look),
      ],
      blind: poolers.poolers.length === 0 ? [] : blindOf([...poolers.blind, sessions, slots]),
    };
  },
});

interface PoolInQuestion {
  readonly pooler: PoolerState;
  readonly pool: PoolerPool;
  readonly sessions: PooledSessions | undefined;
}

/** A pool where somebody waits for too long, or must: it is paused. */
function poolFinding(question: PoolInQuestion, limits: PoolLimits, look: Look): Finding[] {
  const { pooler, pool, sessions } = question;
  const database = pooler.databases.find(({ name }) => name === pool.database);
  const paused = isPaused(pooler, pool);
  const isLate = pool.waiting > 0 && pool.longestWaitMs >= limits.warnWaitMs;
  const siblings = paused ? pooler.pools.filter((each) => each.database === pool.database) : [pool];
  // A database is paused with all its pools: one finding, about the one that most clients wait for.
  if (paused ? mostWaitedFor(siblings) !== pool : !isLate) return [];
  const waiting = siblings.reduce((sum, each) => sum + each.waiting, 0);
  const about = poolerPoolEntity(look.target, pooler.name, pool.database, pool.user);
  const holders = sessions === undefined ? [] : holdersOf(sessions, pooler.name, pool);
  return [
    {
      severity: isCritical(pool, paused, limits) ? 'critical' : 'warning',
      about,
      says: paused ? pausedText(pooler, { ...pool, waiting }) : waitText(pooler, pool, database),
      ...(pool.waiting > 0 && { since: new Date(look.now.getTime() - pool.longestWaitMs) }),
      measured: poolMeasurements(pooler, pool, limits, look),
      rows: holders.map(({ row }) => row),
      involves: [
        poolerEntity(look.target, pooler.name),
        ...siblings
          .filter((each) => each !== pool)
          .map(({ database: of, user }) => poolerPoolEntity(look.target, pooler.name, of, user)),
        ...holders.flatMap(({ entitiesIn }) => entitiesIn(look.target)),
      ],
    },
  ];
}

function mostWaitedFor(pools: readonly PoolerPool[]): PoolerPool | undefined {
  return pools.toSorted((a, b) => b.waiting - a.waiting)[0];
}

function isPaused({ databases }: PoolerState, { database }: PoolerPool): boolean {
  return databases.some(({ name, paused }) => paused && name === database);
}

/** Without a single connection to the server nobody is served at all. */
function isCritical(pool: PoolerPool, paused: boolean, limits: PoolLimits): boolean {
  if (pool.waiting === 0) return false;
  return paused || pool.servers === 0 || pool.longestWaitMs >= limits.criticalWaitMs;
}

/** More promised than there is: worth a word once most of the slots are taken. */
function overbooked(
  { allowed, servers }: PoolerSums,
  slots: Slots | undefined,
  limits: PoolLimits,
  look: Look,
): Finding[] {
  if (slots === undefined || servers === 0 || allowed <= slots.usable) return [];
  if (slots.used < slots.usable * limits.warnSlotRatio) return [];
  return [
    {
      severity: 'warning',
      about: serverEntity(look.target),
      says: `the pools before ${look.target} may open ${allowed} connections, and ${slots.usable} are usable: ${slots.used} are in use, ${servers} of them by poolers`,
      measured: sumMeasurements(1, { allowed, servers }, slots, look),
    },
  ];
}

function measurementsOf(pooler: PoolerState, limits: PoolLimits, look: Look): Measurement[] {
  return [
    ...pooler.pools.flatMap((pool) => poolMeasurements(pooler, pool, limits, look)),
    clientMeasurement(pooler, limits, look),
  ];
}

function poolMeasurements(
  pooler: PoolerState,
  pool: PoolerPool,
  limits: PoolLimits,
  look: Look,
): Measurement[] {
  const about = poolerPoolEntity(look.target, pooler.name, pool.database, pool.user);
  return [
    { name: 'waitingClients', about, value: pool.waiting },
    { name: 'longestWaitMs', about, value: pool.longestWaitMs, limit: limits.warnWaitMs },
    { name: 'busyServers', about, value: pool.busy },
    { name: 'idleServers', about, value: pool.idle },
    { name: 'paused', about, value: isPaused(pooler, pool) ? 1 : 0 },
  ];
}

function sumMeasurements(
  poolers: number,
  { servers, allowed }: PoolerSums,
  slots: Slots | undefined,
  look: Look,
): Measurement[] {
  const about = serverEntity(look.target);
  const limit = slots && { limit: slots.usable };
  return [
    { name: 'poolers', about, value: poolers },
    ...(poolers === 0
      ? []
      : [
          { name: 'pooledServers', about, value: servers, ...limit },
          { name: 'allowedServers', about, value: allowed, ...limit },
        ]),
  ];
}

function blindOf(all: readonly unknown[]): BlindSpot[] {
  const spots = all.flatMap((each) =>
    isBlindSpot(each) ? [each] : isPooled(each) ? [...each.blind] : [],
  );
  return [...new Map(spots.map((spot) => [spot.detail, spot])).values()];
}

function isPooled(value: unknown): value is PooledSessions {
  return typeof value === 'object' && value !== null && 'sessions' in value;
}
