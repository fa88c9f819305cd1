import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startPostgres, type LabPostgres } from '@starr/lab';
import { createPostgresAdapter } from '../adapter/create-postgres-adapter.ts';
import type { HorizonHolder } from '../reads/horizon.ts';
import type { Tables } from '../reads/tables.ts';
import { Clients } from '../test/clients.ts';
import { configOf, createRoles, lookOf } from '../test/lab-target.ts';
import { maintainableTable, maintainableTables } from '../test/maintainable.ts';
import { MAJORS } from '../test/majors.ts';
import { RoundTrip } from '../test/round-trip.ts';
import { createShopTables, runByHand, runCure, SHOP_TABLE } from '../test/shop-tables.ts';
import { vacuum } from './vacuum.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const holder: HorizonHolder = {
  kind: 'session',
  ageXids: 1000,
  catalogsOnly: false,
  heldMs: 60_000,
  name: 'report',
  pid: 4711,
  backendStart: '2026-11-24T03:00:00.123456Z',
  role: 'shop',
  database: 'shop',
  state: 'idle in transaction',
  statement: 'SELECT ?',
};

function plan(
  more: Parameters<typeof maintainableTable>[0] = {},
  holders: readonly HorizonHolder[] = [],
) {
  return vacuum.plan(
    vacuum.params.parse({ table: 'orders' }),
    {
      maintainable: maintainableTables([maintainableTable(more)]),
      horizon: { holders, freezeMaxAge: 200_000_000 },
      tables: { tables: [{ dead: 200_000 }, { dead: 50_000 }] } as unknown as Tables,
    },
    lookOf({ options: { acting: 'starr_act' } }),
  );
}

describe('the plan of db.vacuum', () => {
  it('is exact, and never FULL', () => {
    expect(plan()).toMatchObject({
      operations: [
        {
          act: { kind: 'vacuum-table', oid: '16400', lockTimeoutMs: 10_000 },
          says: 'vacuum public.orders in database shop (100 MB, 200000 dead rows)',
          byHand:
            "SET lock_timeout = '10000ms';\nSET statement_timeout = '0';\nVACUUM (ANALYZE) public.orders;",
        },
      ],
      effect: { diagnostic: 'db.autovacuum', measurement: 'deadRows', below: 150_000 },
    });
  });

  it.each<[string, Partial<HorizonHolder>, string | undefined]>([
    [
      'a session of a minute',
      {},
      'pid 4711 (report) may still want to see for 60 s: end that first',
    ],
    ['a session of less', { heldMs: 59_999 }, undefined],
    ['a session of another database', { database: 'other' }, undefined],
    ['a standby, wherever', { kind: 'standby', database: '' }, 'pid 4711'],
    [
      'a slot, since nobody knows when',
      { kind: 'slot', pid: 0, name: 'old', heldMs: undefined as never },
      'slot old',
    ],
    ['a slot that keeps catalogs alone', { kind: 'slot', pid: 0, catalogsOnly: true }, undefined],
    [
      'a prepared transaction',
      { kind: 'prepared', pid: 0, name: 'left over' },
      'prepared left over',
    ],
  ])('beside %s: %s', (_, more, refused) => {
    const made = plan({}, [{ ...holder, ...more }]);
    if (refused === undefined) expect(made).not.toHaveProperty('refused');
    else expect(made).toEqual({ refused: expect.stringContaining(refused) });
  });

  it.each<[Parameters<typeof plan>[0], string]>([
    [{ isPartitioned: true }, 'vacuum its partitions'],
    [{ underWay: [{ pid: 7, what: 'a vacuum' }] }, 'pid 7'],
    [{ mayMaintain: false }, 'GRANT MAINTAIN'],
  ])('of a table with %j is refused: %s', (more, refused) => {
    expect(plan(more)).toEqual({ refused: expect.stringContaining(refused) });
  });
});

describe.each(MAJORS)('vacuuming on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let clients: Clients;
  let trip: RoundTrip;

  beforeAll(async () => {
    server = await startPostgres({ major });
    await createRoles(server);
    await createShopTables(server);
    clients = new Clients(server);
    trip = new RoundTrip(server, createPostgresAdapter(configOf(server)));
    await runCure(server, await trip.refused(vacuum, SHOP_TABLE));
  }, 180_000);
  afterEach(() => clients.close());
  afterAll(async () => {
    await trip.adapter.close();
    await server.stop();
  });

  const dead = async () =>
    Number(
      (
        await server.query(`SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'Order'`)
      )[0]?.['n_dead_tup'],
    );

  it('cleans, and proves it; the printed command, verbatim, does the same', async () => {
    await server.query('UPDATE "Sh op"."Order" SET note = note');
    const plan = await trip.planned(vacuum, SHOP_TABLE);
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
    expect((await trip.apply(plan)).outcome).toMatchObject({ outcome: 'applied' });
    expect(await trip.probe(plan)).toMatchObject({ state: 'applied' });
    expect(await dead()).toBe(0);
    const again = await trip.planned(vacuum, SHOP_TABLE);
    await runByHand(server, again.operations[0]!.byHand);
    expect(await trip.probe(again)).toMatchObject({ state: 'applied' });
  });

  it('that the server skips for want of a privilege is reported as not done', async () => {
    const plan = await trip.planned(vacuum, SHOP_TABLE);
    await server.query(
      'CREATE ROLE blunt LOGIN; GRANT pg_read_all_stats TO blunt; GRANT USAGE ON SCHEMA "Sh op" TO blunt',
    );
    const blunt = createPostgresAdapter(configOf(server, { acting: { user: 'blunt' } }));
    const its = new RoundTrip(server, blunt, { acting: 'blunt' });
    expect((await its.apply(plan)).outcome).toMatchObject({
      outcome: 'failed',
      says: expect.stringContaining('the server skipped the table'),
    });
    await blunt.close();
  });
});
