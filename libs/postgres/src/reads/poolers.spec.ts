import { describe, expect, it } from '@jest/globals';
import { isBlindSpot } from '@starr/kernel';
import type { ConsoleRow, PoolerLook } from '../pooler-request.ts';
import { lookOf } from '../test/lab-target.ts';
import { poolersRead, type PoolerStates } from './poolers.ts';

const look: PoolerLook = {
  version: [{ version: 'PgBouncer 1.18.0' }],
  config: [
    { key: 'default_pool_size', value: '20' },
    { key: 'max_client_conn', value: '100' },
    { key: 'query_wait_timeout', value: '120' },
  ],
  databases: [
    { name: 'pgbouncer', host: null, port: 6432, pool_size: 2, paused: 0 },
    { name: 'orders', host: '10.0.0.5', port: 5432, pool_size: 20, reserve_pool: 3, paused: 0 },
  ],
  pools: [
    { database: 'pgbouncer', user: 'pgbouncer', cl_active: 1 },
    {
      database: 'orders',
      user: 'checkout',
      cl_active: 9,
      cl_waiting: 4,
      sv_active: 18,
      sv_idle: 1,
      sv_used: 1,
      sv_tested: 0,
      sv_login: 2,
      maxwait: 3,
      maxwait_us: 250_000,
      pool_mode: 'transaction',
    },
  ],
};

function parse(
  seen: Partial<PoolerLook> = {},
  server = { host: '10.0.0.5', port: 5432 },
  place = { host: '10.0.0.9', port: 6432 },
): PoolerStates {
  const parsed = poolersRead.parse(
    { server, poolers: [{ kind: 'seen', pooler: 'bouncer', place, seen: { ...look, ...seen } }] },
    lookOf(),
  );
  if (isBlindSpot(parsed)) throw new Error(parsed.detail);
  return parsed;
}

const databasesOf = (states: PoolerStates) =>
  states.poolers.flatMap(({ databases }) => databases.map(({ name }) => name));

describe('what the console says of pools', () => {
  it('is read by name; the console itself is no pool', () => {
    expect(parse().poolers).toEqual([
      {
        name: 'bouncer',
        version: 'PgBouncer 1.18.0',
        defaultPoolSize: 20,
        maxClients: 100,
        queryWaitTimeoutMs: 120_000,
        databases: [{ name: 'orders', poolSize: 20, reserve: 3, maxConnections: 0, paused: false }],
        pools: [
          {
            database: 'orders',
            user: 'checkout',
            mode: 'transaction',
            clients: 9,
            waiting: 4,
            longestWaitMs: 3250,
            busy: 18,
            idle: 2,
            servers: 22,
          },
        ],
      },
    ]);
  });

  // 1.15 has no sv_active_cancel; 1.24 names the reserve anew and counts clients of a database; int8 comes as text.
  it.each<[string, Partial<PoolerLook>, object]>([
    [
      'older columns',
      { pools: [{ database: 'orders', user: 'a', cl_active: 1, cl_cancel_req: 0, sv_active: 1 }] },
      { waiting: 0, busy: 1, idle: 0, longestWaitMs: 0, mode: '' },
    ],
    [
      'newer columns',
      {
        pools: [
          {
            database: 'orders',
            user: 'a',
            cl_active: '7',
            cl_waiting: '1',
            sv_active: '1',
            sv_active_cancel: '1',
            sv_being_canceled: '2',
            maxwait: '0',
            maxwait_us: '1500',
            load_balance_hosts: null,
          },
        ],
      },
      { clients: 7, waiting: 1, busy: 2, servers: 4, longestWaitMs: 1.5 },
    ],
    [
      'a wait of nobody',
      { pools: [{ database: 'orders', user: 'a', cl_waiting: 0, maxwait: 9 }] },
      { waiting: 0, longestWaitMs: 0 },
    ],
  ])('with %s', (_, seen, pool) => {
    expect(parse(seen).poolers[0]?.pools[0]).toMatchObject(pool);
  });

  it('finds the reserve under its newer name, and a pause that is not over yet', () => {
    const row: ConsoleRow = {
      ...look.databases[1],
      reserve_pool: undefined,
      reserve_pool_size: '5',
      paused: '1',
    };
    expect(parse({ databases: [row] }).poolers[0]?.databases).toMatchObject([
      { reserve: 5, paused: true },
    ]);
  });

  it.each<[string, Parameters<typeof parse>[1], Parameters<typeof parse>[2], boolean]>([
    ['the same address and port', { host: '10.0.0.5', port: 5432 }, undefined, true],
    ['another address', { host: '10.0.0.6', port: 5432 }, undefined, false],
    ['another port', { host: '10.0.0.5', port: 5433 }, undefined, false],
    ['a name that may be that address', { host: 'db.example', port: 5432 }, undefined, true],
    ['the pooler itself', { host: '10.0.0.9', port: 6432 }, { host: '10.0.0.9', port: 6432 }, true],
  ])('a database of the pooler leads to the target at %s', (_, server, place, leads) => {
    expect(databasesOf(parse({}, server, place))).toEqual(leads ? ['orders'] : []);
  });

  it.each([undefined, [], { poolers: 'x' }, { server: { host: 'h', port: 1 }, poolers: [{}] }])(
    'is blind when the answer is %j',
    (raw) => {
      expect(poolersRead.parse(raw, lookOf())).toMatchObject({ kind: 'blind', why: 'unsupported' });
    },
  );
});
