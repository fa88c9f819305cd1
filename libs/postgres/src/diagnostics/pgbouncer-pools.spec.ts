import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { statusOf, type BlindSpot, type Limits, type Severity } from '@starr/kernel';
import { startPgBouncer, startPostgres, type LabPgBouncer, type LabPostgres } from '@starr/lab';
import pg from 'pg';
import { createPostgresAdapter } from '../adapter/create-postgres-adapter.ts';
import type { PooledSessions } from '../reads/pooled-sessions.ts';
import type { PoolerState } from '../reads/poolers.ts';
import type { Slots } from '../reads/slots.ts';
import { examineOnce } from '../test/examine-once.ts';
import { configOf, createRoles, eventually, lookOf } from '../test/lab-target.ts';
import {
  describeWithPgBouncer,
  pooledSession,
  poolerConfig,
  poolerOf,
  poolOf,
} from '../test/pooled.ts';
import { pgbouncerPools } from './pgbouncer-pools.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const limits = Object.fromEntries(
  Object.entries(pgbouncerPools.thresholds).map(([name, { value }]) => [name, value]),
) as Limits<typeof pgbouncerPools.thresholds>;

interface Case {
  readonly poolers: readonly PoolerState[];
  readonly blind?: readonly BlindSpot[];
  readonly sessions?: PooledSessions | BlindSpot;
  readonly slots?: Partial<Slots> | BlindSpot;
}

const nobody: PooledSessions = { sessions: [], waiting: [], clients: [], blind: [] };
const away: BlindSpot = { kind: 'blind', why: 'unreachable', detail: 'refused' };

function judge({ poolers, blind = [], sessions = nobody, slots = {} }: Case) {
  const seen = {
    poolers: { poolers, blind },
    sessions,
    slots: 'kind' in slots ? slots : ({ usable: 97, used: 40, ...slots } as Slots),
  };
  return pgbouncerPools.judge(seen, limits, lookOf());
}

const withPool = (more: Parameters<typeof poolOf>[0], state: Partial<PoolerState> = {}) =>
  poolerOf({ pools: [poolOf(more)], ...state });
const paused = [{ name: 'orders', poolSize: 20, reserve: 0, maxConnections: 0, paused: true }];

describe('db.pgbouncer-pools', () => {
  it.each<[string, Case, Severity | undefined]>([
    ['nobody waits', { poolers: [poolerOf()] }, undefined],
    ['no pool yet', { poolers: [poolerOf({ pools: [] })] }, undefined],
    [
      'somebody waits for a moment, as in every busy pool',
      { poolers: [withPool({ waiting: 30, longestWaitMs: 999, busy: 20, idle: 0, servers: 20 })] },
      undefined,
    ],
    [
      'somebody waits for a second',
      { poolers: [withPool({ waiting: 1, longestWaitMs: 1000, busy: 20, idle: 0, servers: 20 })] },
      'warning',
    ],
    [
      'just below the critical wait',
      { poolers: [withPool({ waiting: 1, longestWaitMs: 14_999, busy: 20, servers: 20 })] },
      'warning',
    ],
    [
      'the critical wait',
      { poolers: [withPool({ waiting: 1, longestWaitMs: 15_000, busy: 20, servers: 20 })] },
      'critical',
    ],
    [
      'the pooler gets no connection',
      { poolers: [withPool({ waiting: 1, longestWaitMs: 1000, busy: 0, idle: 0, servers: 0 })] },
      'critical',
    ],
    ['paused, and nobody came yet', { poolers: [poolerOf({ databases: paused })] }, 'warning'],
    [
      'paused, and somebody waits',
      { poolers: [withPool({ waiting: 1, longestWaitMs: 10 }, { databases: paused })] },
      'critical',
    ],
    ['79 of 100 clients', { poolers: [withPool({ clients: 79 })] }, undefined],
    ['80 of 100 clients', { poolers: [withPool({ clients: 80 })] }, 'warning'],
    ['94 of 100 clients', { poolers: [withPool({ clients: 94 })] }, 'warning'],
    ['95 of 100 clients', { poolers: [withPool({ clients: 95 })] }, 'critical'],
    ['a limit of no clients', { poolers: [poolerOf({ maxClients: 0 })] }, undefined],
    [
      'more allowed than usable, and few in use',
      { poolers: [poolerOf()], slots: { usable: 19, used: 15 } },
      undefined,
    ],
    [
      'more allowed than usable, and most in use',
      { poolers: [poolerOf()], slots: { usable: 19, used: 16 } },
      'warning',
    ],
    [
      'as much allowed as usable',
      { poolers: [poolerOf()], slots: { usable: 20, used: 20 } },
      undefined,
    ],
    ['more allowed than anybody can see', { poolers: [poolerOf()], slots: away }, undefined],
  ])('%s', (_, given, severity) => {
    const { findings = [] } = judge(given);
    expect(findings.map((each) => each.severity)).toEqual(severity === undefined ? [] : [severity]);
  });

  it('is healthy where no pooler is configured, and blind where none answers', () => {
    expect(judge({ poolers: [] }).measured).toEqual([
      { name: 'poolers', about: { kind: 'postgres', name: 'orders' }, value: 0 },
    ]);
    expect(statusOf(judge({ poolers: [] }))).toBe('healthy');
    const unseen = judge({ poolers: [], blind: [away], sessions: { ...nobody, blind: [away] } });
    expect(statusOf(unseen)).toBe('blind');
    expect(unseen.blind).toEqual([away]);
  });

  it('says who holds the pool, and involves their addresses', () => {
    const sessions: PooledSessions = {
      ...nobody,
      sessions: [
        pooledSession(1),
        pooledSession(2, { state: 'active', stateMs: 5 }),
        pooledSession(3, { client: { ...pooledSession(3).client!, address: '127.0.3.3' } }),
        pooledSession(4, { user: 'worker' }),
      ],
    };
    const [finding] = judge({
      poolers: [
        withPool({
          waiting: 7,
          longestWaitMs: 4200,
          busy: 20,
          idle: 0,
          servers: 20,
          mode: 'session',
        }),
      ],
      sessions,
    }).findings!;
    expect(finding?.about).toEqual({
      kind: 'pooler-pool',
      name: 'bouncer/orders/checkout',
      scope: 'orders',
    });
    expect(finding?.says).toBe(
      '7 clients wait for a connection of pool orders/checkout on bouncer, for up to 4.2 s: all 20 connections are in use, each by one client until it disconnects',
    );
    expect(finding?.rows).toMatchObject([
      { application: 'checkout', address: '127.0.3.2', holds: 2, active: 1, idle: 1 },
      { application: 'checkout', address: '127.0.3.3', holds: 1 },
    ]);
    expect(finding?.involves?.map(({ name }) => name)).toEqual([
      'bouncer',
      'checkout@127.0.3.2',
      '127.0.3.2',
      'checkout@127.0.3.3',
      '127.0.3.3',
    ]);
  });

  it.each([
    [
      { busy: 4, servers: 5 },
      '4 of 5 connections are in use, and the server gives no more of the 20',
    ],
    [{ busy: 0, idle: 0, servers: 0 }, 'the pooler gets no connection to the server'],
    [{ busy: 20, servers: 20 }, 'all 20 connections are in use'],
  ])('says why somebody waits: %j', (pool, says) => {
    const [finding] = judge({
      poolers: [withPool({ waiting: 1, longestWaitMs: 2000, ...pool })],
    }).findings!;
    expect(finding?.says).toContain(says);
  });

  it('tells of a paused database once, about the pool that most wait for', () => {
    const pools = [
      poolOf({ user: 'worker', waiting: 1, longestWaitMs: 2000 }),
      poolOf({ waiting: 7, longestWaitMs: 3000 }),
      poolOf({ user: 'third' }),
    ];
    const { findings } = judge({ poolers: [poolerOf({ databases: paused, pools })] });
    expect(findings).toMatchObject([
      {
        severity: 'critical',
        about: { name: 'bouncer/orders/checkout' },
        says: 'orders is paused on pooler bouncer: 8 clients wait, for up to 3.0 s, until RESUME or for 2 min at most',
        involves: [
          { name: 'bouncer' },
          { name: 'bouncer/orders/worker' },
          { name: 'bouncer/orders/third' },
        ],
      },
    ]);
  });

  it('sums over pools and poolers, a bound of the database over its pools', () => {
    const bounded = {
      name: 'bounded',
      poolSize: 20,
      reserve: 0,
      maxConnections: 30,
      paused: false,
    };
    const two = poolerOf({
      name: 'second',
      databases: [...poolerOf().databases, bounded],
      pools: [
        poolOf(),
        poolOf({ user: 'worker' }),
        poolOf({ database: 'bounded' }),
        poolOf({ database: 'bounded', user: 'worker' }),
      ],
    });
    const { measured } = judge({ poolers: [poolerOf(), two] });
    expect(measured).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'pooledServers', value: 25, limit: 97 }),
        expect.objectContaining({ name: 'allowedServers', value: 20 + 40 + 30, limit: 97 }),
      ]),
    );
  });
});

describeWithPgBouncer('db.pgbouncer-pools on a real pooler', () => {
  let server: LabPostgres;
  let pooler: LabPgBouncer;
  const open: pg.Client[] = [];
  const adapters: ReturnType<typeof createPostgresAdapter>[] = [];

  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 20 });
    await createRoles(server);
  }, 180_000);
  afterAll(() => server.stop());
  afterEach(async () => {
    await Promise.all(adapters.splice(0).map((adapter) => adapter.close()));
    await Promise.all(open.splice(0).map((client) => client.end().catch(() => undefined)));
    await pooler.stop();
  });

  const start = async (mode: 'session' | 'transaction', settings: Record<string, string> = {}) =>
    (pooler = await startPgBouncer({
      postgres: server,
      users: ['shop', 'starr'],
      poolMode: mode,
      settings: { default_pool_size: '2', ...settings },
    }));
  const client = async (applicationName: string, database?: string) => {
    const one = new pg.Client({
      connectionString: pooler.url('shop', database),
      application_name: applicationName,
    });
    one.on('error', () => undefined);
    await one.connect();
    open.push(one);
    return one;
  };
  const adapterOf = (more: Parameters<typeof poolerConfig>[1] = {}) => {
    const adapter = createPostgresAdapter(
      configOf(server, { poolers: [poolerConfig(pooler, more)] }),
    );
    adapters.push(adapter);
    return adapter;
  };

  it('finds who waits and who holds, and is well again when they are gone', async () => {
    await start('session');
    const [first, second] = [await client('checkout'), await client('ledger')];
    await Promise.all([first.query('SELECT 1'), second.query('SELECT 1')]);
    const adapter = adapterOf();
    expect(statusOf((await examineOnce(pgbouncerPools, adapter)).verdict)).toBe('healthy');
    const waits = (await client('late')).query('SELECT 1');
    await eventually(async () => {
      const [pool] = (await pooler.console('SHOW POOLS')).filter((row) => row['user'] === 'shop');
      return Number(pool?.['maxwait']) >= 1;
    });
    const { verdict, relations, limit } = await examineOnce(pgbouncerPools, adapter);
    expect(verdict.findings).toHaveLength(1);
    expect(verdict.findings?.[0]).toMatchObject({
      severity: 'warning',
      about: { kind: 'pooler-pool', name: 'bouncer/postgres/shop' },
      rows: [
        { application: 'checkout', address: '127.0.0.1', holds: 1, idle: 1 },
        { application: 'ledger', address: '127.0.0.1', holds: 1, idle: 1 },
      ],
    });
    expect(relations).toContainEqual({
      from: { kind: 'client', name: 'late@127.0.0.1', scope: 'orders' },
      is: 'uses',
      to: { kind: 'pooler-pool', name: 'bouncer/postgres/shop', scope: 'orders' },
    });
    expect(limit.spent).toMatchObject({ poolerCommands: 6 });
    await first.end();
    await waits;
    expect((await examineOnce(pgbouncerPools, adapter)).verdict.findings).toEqual([]);
  });

  it('sees a paused database, and that the clients wait', async () => {
    await start('transaction');
    const shop = await client('checkout');
    await shop.query('SELECT 1');
    await pooler.console('PAUSE postgres');
    const adapter = adapterOf();
    expect((await examineOnce(pgbouncerPools, adapter)).verdict.findings).toMatchObject([
      { severity: 'warning', says: expect.stringContaining('until RESUME or for 2 min at most') },
    ]);
    const waits = shop.query('SELECT 1');
    await eventually(async () => {
      const { verdict } = await examineOnce(pgbouncerPools, adapter);
      return verdict.findings?.[0]?.severity === 'critical';
    });
    await pooler.console('RESUME postgres');
    await waits;
    expect((await examineOnce(pgbouncerPools, adapter)).verdict.findings).toEqual([]);
  });

  it('counts clients against max_client_conn while its console still lets us in', async () => {
    await start('transaction', { max_client_conn: '5' });
    for (let each = 0; each < 4; each += 1) await (await client('checkout')).query('SELECT 1');
    await (await client('ledger')).query('SELECT 1');
    await expect(client('late')).rejects.toThrow('no more connections allowed');
    await new Promise((resolve) => setTimeout(resolve, 6000));
    expect((await examineOnce(pgbouncerPools, adapterOf())).verdict.findings).toMatchObject([
      {
        severity: 'critical',
        about: { kind: 'pooler', name: 'bouncer' },
        says: expect.stringContaining('most of checkout@127.0.0.1: 4, 4 used once and idle since'),
        rows: [
          { application: 'checkout', address: '127.0.0.1', clients: 4, usedOnce: 4 },
          { application: 'ledger', clients: 1 },
        ],
      },
    ]);
  });

  it.each([
    ['shop', 'denied', 'Add shop to stats_users in pgbouncer.ini, then RELOAD.'],
    ['stranger', 'denied', 'Add stranger to auth_file, and check its password.'],
  ])('with %s on its console it is blind, and says what to do', async (user, why, cure) => {
    await start('transaction');
    const { verdict } = await examineOnce(pgbouncerPools, adapterOf({ diagnosing: { user } }));
    expect(verdict.blind).toMatchObject([{ why, cure }]);
  });

  it('with its console away it is blind, and the server is not', async () => {
    await start('transaction');
    await pooler.kill();
    const { verdict } = await examineOnce(pgbouncerPools, adapterOf());
    expect(statusOf(verdict)).toBe('blind');
    expect(verdict.blind).toMatchObject([
      {
        why: 'unreachable',
        cure: `Check that PgBouncer runs and that 127.0.0.1:${pooler.port} is its address.`,
      },
    ]);
  });
});
