import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startPostgres, type LabPostgres } from '@starr/lab';
import type { TableUpkeepAct } from '../acts/maintenance.ts';
import { createPostgresAdapter } from '../adapter/create-postgres-adapter.ts';
import { Clients, pidOf } from '../test/clients.ts';
import { configOf, createRoles, lookOf } from '../test/lab-target.ts';
import { maintainableTable, maintainableTables } from '../test/maintainable.ts';
import { MAJORS } from '../test/majors.ts';
import { RoundTrip } from '../test/round-trip.ts';
import { createShopTables, runByHand, runCure, SHOP_TABLE } from '../test/shop-tables.ts';
import { analyze } from './analyze.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

function plan(
  more: Parameters<typeof maintainableTable>[0] = {},
  params: Record<string, unknown> = {},
  version = '18.4',
) {
  return analyze.plan(
    analyze.params.parse({ table: 'orders', ...params }),
    { maintainable: maintainableTables([maintainableTable(more)]) },
    lookOf({ version, options: { acting: 'starr_act' } }),
  );
}

describe('the plan of db.analyze', () => {
  it('is exact', () => {
    expect(plan()).toEqual({
      operations: [
        {
          act: {
            kind: 'analyze-table',
            schema: 'public',
            table: 'orders',
            oid: '16400',
            since: '2026-11-24T03:12:08.000001Z',
            lockTimeoutMs: 10_000,
          },
          says: 'take fresh statistics of public.orders in database shop (about 1000000 rows, 300000 changed since the last)',
          byHand:
            "SET lock_timeout = '10000ms';\nSET statement_timeout = '0';\nANALYZE public.orders;",
          reversible: false,
          onRefused: 'stop',
          onFailed: 'stop',
          isLong: true,
        },
      ],
      effect: {
        diagnostic: 'db.stale-statistics',
        about: { kind: 'table', name: 'public.orders', scope: 'orders' },
        measurement: 'modifiedRatio',
        below: 2,
        settleMs: 2000,
        holdMs: 10_000,
        withinMs: 60_000,
        onMiss: 'ask',
      },
      touches: [expect.objectContaining({ name: 'rowsModified', value: 300_000 })],
      warnings: ['plans of statements on it may change at once'],
    });
  });

  it.each<[Parameters<typeof plan>, string | undefined]>([
    [[{}, { table: 'nope' }], 'there is no table public.nope in database shop'],
    [[{}, { schema: 'other' }], 'there is no table other.orders'],
    [
      [{ underWay: [{ pid: 7, what: 'a vacuum' }] }],
      'a vacuum of public.orders is under way: pid 7',
    ],
    [[{ isPartitioned: true }], undefined],
    [
      [{ mayMaintain: false }, {}, '17.10'],
      'Cure: GRANT MAINTAIN ON TABLE public.orders TO starr_act;',
    ],
    [[{ mayMaintain: false }, {}, '16.14'], 'Cure: GRANT "own er" TO starr_act WITH INHERIT TRUE;'],
    [[{ mayMaintain: false }, {}, '15.18'], 'Cure: GRANT "own er" TO starr_act;'],
    [
      [{ mayMaintain: false, isSuperusers: true, owner: 'postgres' }, {}, '15.18'],
      'since postgres is a superuser',
    ],
    [[{ mayUse: false }], 'Cure: GRANT USAGE ON SCHEMA public TO starr_act;'],
  ])('%j: %s', (given, refused) => {
    const made = plan(...given);
    if (refused === undefined) expect(made).not.toHaveProperty('refused');
    else expect(made).toEqual({ refused: expect.stringContaining(refused) });
  });
});

describe.each(MAJORS)('taking statistics on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let clients: Clients;
  let trip: RoundTrip;

  beforeAll(async () => {
    server = await startPostgres({ major });
    await createRoles(server);
    await createShopTables(server);
    clients = new Clients(server);
    trip = new RoundTrip(server, createPostgresAdapter(configOf(server)));
    await runCure(server, await trip.refused(analyze, SHOP_TABLE));
  }, 180_000);
  afterEach(() => clients.close());
  afterAll(async () => {
    await trip.adapter.close();
    await server.stop();
  });

  it('takes them and proves it; the printed command, verbatim, does the same', async () => {
    await server.query('UPDATE "Sh op"."Order" SET note = note');
    const plan = await trip.planned(analyze, SHOP_TABLE);
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
    expect((await trip.apply(plan)).outcome).toMatchObject({
      outcome: 'applied',
      after: { at: expect.stringMatching(/\.\d{6}Z$/) },
    });
    expect(await trip.probe(plan)).toMatchObject({ state: 'applied' });
    const again = await trip.planned(analyze, SHOP_TABLE);
    await runByHand(server, again.operations[0]!.byHand);
    expect(await trip.probe(again)).toMatchObject({ state: 'applied' });
  });

  it('a non-owner ANALYZE that the server calls a success is reported as not done', async () => {
    const plan = await trip.planned(analyze, SHOP_TABLE);
    await server.query(
      'CREATE ROLE blunt LOGIN; GRANT pg_read_all_stats TO blunt; GRANT USAGE ON SCHEMA "Sh op" TO blunt',
    );
    const blunt = createPostgresAdapter(configOf(server, { acting: { user: 'blunt' } }));
    const its = new RoundTrip(server, blunt, { acting: 'blunt' });
    // By hand it "succeeds".
    await server.query('ANALYZE "Sh op"."Order"', [], { user: 'blunt' });
    const { outcome } = await its.apply(plan);
    expect(outcome).toMatchObject({
      outcome: 'failed',
      says: expect.stringMatching(/nothing was done: the server skipped the table: .*Order/),
    });
    expect(await its.probe(plan)).toMatchObject({ state: 'not-applied' });
    await blunt.close();
  });

  it('waits for nobody for longer than planned, names who holds the lock, and does nothing then', async () => {
    const plan = await trip.planned(analyze, { ...SHOP_TABLE, lockTimeoutMs: 1500 });
    const holder = await clients.open('migrate', 'postgres');
    await holder.query('BEGIN; LOCK TABLE "Sh op"."Order" IN SHARE UPDATE EXCLUSIVE MODE');
    const { outcome, progress } = await trip.apply(plan);
    expect(outcome).toMatchObject({ outcome: 'failed', says: expect.stringContaining('1500 ms') });
    expect(progress.map(({ says }) => says).join()).toContain(`pid ${pidOf(holder)} (migrate)`);
    const gone = { ...(plan.operations[0]!.act as TableUpkeepAct), oid: '1' };
    const moved = { ...plan, operations: [{ ...plan.operations[0]!, act: gone }] };
    expect((await trip.apply(moved)).outcome).toMatchObject({ outcome: 'refused' });
  });
});
