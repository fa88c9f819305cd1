import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Plan, PlanRefused, Receipt } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import type { PostgresAct } from '../postgres-act.ts';
import type { PoolerState } from '../reads/poolers.ts';
import type { Slots } from '../reads/slots.ts';
import { createRoles, lookOf } from '../test/lab-target.ts';
import { describeWithPgBouncer, poolerConfig, poolerOf, poolOf } from '../test/pooled.ts';
import { PooledLab } from '../test/pooled-lab.ts';
import { RoundTrip } from '../test/round-trip.ts';
import { resizePgbouncerPool } from './resize-pgbouncer-pool.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const database = (more: object = {}) => ({ ...poolerOf().databases[0]!, ...more });
/** Twenty of twenty connections in use, five clients wait. */
const starved = (more: Partial<PoolerState> = {}) =>
  poolerOf({ pools: [poolOf({ waiting: 5, busy: 20, idle: 0, servers: 20 })], ...more });

function plan(
  params: Record<string, unknown>,
  poolers: readonly PoolerState[] = [starved()],
  slots: Partial<Slots> = {},
): Plan<PostgresAct> | PlanRefused {
  return resizePgbouncerPool.plan(
    resizePgbouncerPool.params.parse(params),
    { poolers: { poolers, blind: [] }, slots: { usable: 57, used: 30, ...slots } as Slots },
    lookOf(),
  );
}

describe('the plan of db.resize-pgbouncer-pool', () => {
  it('is exact, and prints the line for the file', () => {
    expect(plan({})).toEqual({
      operations: [
        {
          act: {
            kind: 'set-pool-size',
            pooler: 'bouncer',
            from: 20,
            to: 25,
            databases: ['orders'],
          },
          says: 'set default_pool_size of bouncer from 20 to 25; the pools before orders may then open 25 connections, 57 are usable',
          byHand: 'SET default_pool_size = 25;',
          reversible: true,
          onRefused: 'stop',
          onFailed: 'stop',
        },
      ],
      effect: {
        diagnostic: 'db.pgbouncer-pools',
        about: { kind: 'pooler-pool', name: 'bouncer/orders/checkout', scope: 'orders' },
        measurement: 'waitingClients',
        below: 1,
        settleMs: 2000,
        holdMs: 10_000,
        withinMs: 60_000,
        onMiss: 'ask',
      },
      touches: [
        {
          name: 'poolSize',
          about: { kind: 'pooler-pool', name: 'bouncer/orders/checkout', scope: 'orders' },
          value: 25,
        },
        {
          name: 'allowedServers',
          about: { kind: 'postgres', name: 'orders' },
          value: 25,
          limit: 57,
        },
      ],
      warnings: [
        'until its next restart or RELOAD only; to keep it, in pgbouncer.ini: default_pool_size = 25',
        'where connections are leaked or a lock is held, the larger pool fills too',
      ],
    });
  });

  // 57 usable, 30 used of which 20 by the pooler: 47 are left for its pools.
  it.each<[string, Record<string, unknown>, readonly PoolerState[], number | string]>([
    ['what fits exactly', { size: 47 }, [starved()], 47],
    [
      'one more than fits',
      { size: 48 },
      [starved()],
      'at most 47 fit: 57 slots are usable, 10 held',
    ],
    [
      'as many as wait, where fewer fit',
      {},
      [starved({ pools: [poolOf({ waiting: 50, servers: 20 })] })],
      47,
    ],
    [
      'two pools share what is left',
      { size: 24 },
      [
        starved({
          pools: [poolOf({ waiting: 5, servers: 20 }), poolOf({ user: 'b', servers: 0 })],
        }),
      ],
      'at most 23 fit',
    ],
    [
      'another pooler has its share',
      { size: 28 },
      [starved(), poolerOf({ name: 'second', pools: [poolOf({ servers: 0 })] })],
      'which pooler is meant must be said: there are bouncer, second',
    ],
    [
      'another pooler has its share',
      { pooler: 'bouncer', size: 28 },
      [starved(), poolerOf({ name: 'second', pools: [poolOf({ servers: 0 })] })],
      'at most 27 fit',
    ],
    [
      'a reserve counts',
      { size: 45 },
      [starved({ databases: [database({ reserve: 3 })] })],
      'at most 44',
    ],
    ['a smaller one', { size: 5 }, [starved()], 5],
    ['the same', { size: 20 }, [starved()], 'it is 20 already'],
    ['nobody waits, no size', {}, [poolerOf()], 'nobody waits for pool orders/checkout'],
    [
      'a size of its own',
      { size: 21 },
      [starved({ databases: [database({ poolSize: 3 })] })],
      'orders has a pool_size of 3 of its own on bouncer',
    ],
    [
      'a bound of the database',
      { size: 31 },
      [starved({ databases: [database({ maxConnections: 30 })] })],
      'orders takes at most 30 connections',
    ],
    ['no pooler', {}, [], 'no pooler is configured for this target'],
    ['another pooler', { pooler: 'x' }, [starved()], 'pooler x is not known; there are bouncer'],
    ['another database', { database: 'x' }, [starved()], 'there are orders/checkout'],
  ])('%s: %j', (_, params, poolers, expected) => {
    const made = plan(params, poolers);
    if (typeof expected === 'string')
      expect(made).toMatchObject({ refused: expect.stringContaining(expected) });
    else expect(made).toMatchObject({ operations: [{ act: { to: expected } }] });
  });

  it('is refused where nothing fits, and says what to do first', () => {
    expect(plan({}, [starved()], { used: 57 })).toEqual({
      refused:
        'no more than 20 fit: 57 slots are usable, 37 held beside the poolers, 1 pools of bouncer share the rest; first end what holds the connections',
    });
  });

  it.each([{ size: 0 }, { size: 10_001 }, { size: 1.5 }, { file: '/etc/x' }])(
    'does not take %j',
    (params) => {
      expect(resizePgbouncerPool.params.safeParse(params).success).toBe(false);
    },
  );

  it('is not undone from a receipt that holds no size', () => {
    const state = {
      poolers: { poolers: [starved()], blind: [] },
      slots: { usable: 57, used: 30 } as Slots,
    };
    const receipt = { act: {}, before: {} } as Receipt;
    expect(resizePgbouncerPool.undo?.([receipt], state, lookOf())).toEqual({
      refused: 'the receipt holds no former size',
    });
  });
});

describeWithPgBouncer('db.resize-pgbouncer-pool on a real pooler', () => {
  let server: LabPostgres;
  let lab: PooledLab;
  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 20 });
    await createRoles(server);
  }, 180_000);
  afterAll(() => server.stop());
  afterEach(() => lab.stop());

  const start = async (databases?: readonly string[]) => {
    lab = await PooledLab.start(server, {
      poolMode: 'transaction',
      settings: { default_pool_size: '2' },
      ...(databases && { databases }),
    });
    return new RoundTrip(server, lab.adapter());
  };
  /** Two hold all there is, `clients` wait. */
  const starve = async (clients: number) => {
    for (const holder of [await lab.client('checkout'), await lab.client('checkout')])
      await holder.query('BEGIN');
    const late = [];
    for (let each = 0; each < clients; each += 1) late.push(await lab.client('late'));
    const answers = Promise.all(late.map((client) => client.query('SELECT 1')));
    answers.catch(() => undefined); // those who still wait at the end
    await lab.waiting(clients);
    return { answers };
  };

  it('serves those who wait at once, is seen by its probe, and undone from its receipt', async () => {
    const trip = await start();
    const { answers } = await starve(3);
    const made = await trip.planned(resizePgbouncerPool, {});
    expect(made.operations[0]).toMatchObject({ act: { from: 2, to: 5 } });
    expect(await trip.probe(made)).toMatchObject({ state: 'not-applied' });
    const applied = await trip.apply(made);
    expect(applied.outcome).toMatchObject({
      outcome: 'applied',
      before: { defaultPoolSize: 2 },
      after: { defaultPoolSize: 5, databases: ['postgres'] },
    });
    await answers;
    expect(await trip.probe(made)).toMatchObject({ state: 'applied' });
    expect(await lab.setting('default_pool_size')).toBe('5');

    const back = await trip.undone(resizePgbouncerPool, [
      trip.receiptOf(resizePgbouncerPool, made, applied),
    ]);
    if ('refused' in back) throw new Error(back.refused);
    expect((await trip.apply(back)).outcome).toMatchObject({ outcome: 'applied' });
    expect(await lab.setting('default_pool_size')).toBe('2');
  });

  it('its native command, verbatim on the console, does the same', async () => {
    const trip = await start();
    const { answers } = await starve(1);
    const made = await trip.planned(resizePgbouncerPool, {});
    await lab.pooler.console(made.operations[0]!.byHand);
    await answers;
    expect(await trip.probe(made)).toMatchObject({ state: 'applied' });
  });

  it('is refused beyond the slots of the server', async () => {
    const trip = await start();
    await starve(1);
    expect(await trip.refused(resizePgbouncerPool, { size: 18 })).toMatch(
      /^at most 1\d fit: 17 slots/,
    );
    expect(await trip.planned(resizePgbouncerPool, { size: 12 })).toMatchObject({});
  });

  it('does nothing when somebody was faster', async () => {
    const trip = await start();
    await starve(1);
    const made = await trip.planned(resizePgbouncerPool, {});
    await lab.pooler.console('SET default_pool_size = 9');
    expect((await trip.apply(made)).outcome).toMatchObject({
      outcome: 'refused',
      says: 'default_pool_size is 9 by now, not 2 as planned',
    });
    expect(await lab.setting('default_pool_size')).toBe('9');
    expect(await trip.probe(made)).toMatchObject({ state: 'indeterminate' });
  });

  it('is taken back when the database turns out to have a size of its own', async () => {
    const { host, port } = server;
    const trip = await start([`postgres = host=${host} port=${port} pool_size=2`]);
    await starve(1);
    const made = await trip.planned(resizePgbouncerPool, {});
    expect((await trip.apply(made)).outcome).toMatchObject({
      outcome: 'refused',
      says: expect.stringContaining('did not follow'),
    });
    expect(await lab.setting('default_pool_size')).toBe('2');
  });

  it.each([
    ['without an acting user', { acting: undefined }, 'no acting credential is configured'],
    ['with one that may only look', { acting: { user: 'pooler_stats' } }, 'admin access needed'],
    ['with one that may not come in', { acting: { user: 'stranger' } }, 'authentication failed'],
  ])('%s nothing is done, and that is said', async (_, more, says) => {
    await start();
    await starve(1);
    const { acting: _acting, ...rest } = poolerConfig(lab.pooler);
    const pooler = { ...rest, ...(more.acting && { acting: more.acting }) };
    const trip = new RoundTrip(server, lab.adapterWith(pooler));
    const made = await trip.planned(resizePgbouncerPool, {});
    expect((await trip.apply(made)).outcome).toMatchObject({
      outcome: 'failed',
      says: expect.stringContaining(says),
    });
    expect(await lab.setting('default_pool_size')).toBe('2');
  });
});
