import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { startPostgres, type LabPostgres } from '@starr/lab';
import { createPostgresAdapter } from '../adapter/create-postgres-adapter.ts';
import type { IndexInfo } from '../reads/indexes.ts';
import type { OpenTransaction } from '../reads/open-transactions.ts';
import { Clients } from '../test/clients.ts';
import { indexInfo, indexInfos } from '../test/indexes.ts';
import { configOf, createRoles, lookOf } from '../test/lab-target.ts';
import { maintainableTable, maintainableTables } from '../test/maintainable.ts';
import { MAJORS } from '../test/majors.ts';
import { RoundTrip } from '../test/round-trip.ts';
import { createShopTables, leaveInvalidIndex, runByHand, runCure } from '../test/shop-tables.ts';
import { reindex } from './reindex.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const PARAMS = { schema: 'Sh op', index: 'left over' };

describe('the plan of db.reindex', () => {
  function plan(
    more: Partial<IndexInfo> = {},
    open: readonly OpenTransaction[] = [],
    version = '18.4',
    table: Parameters<typeof maintainableTable>[0] = {},
  ) {
    return reindex.plan(
      reindex.params.parse({ index: 'orders_idx' }),
      {
        indexes: indexInfos([
          indexInfo(more),
          indexInfo({ oid: '2', name: 'bad', isValid: false }),
        ]),
        maintainable: maintainableTables([maintainableTable(table)]),
        open,
      },
      lookOf({ version, options: { acting: 'starr_act' } }),
    );
  }
  const open: OpenTransaction = {
    pid: 4711,
    application: 'report',
    openMs: 5000,
    hasSnapshot: true,
    writes: [],
  };

  it('is exact', () => {
    expect(plan({ isValid: false })).toMatchObject({
      operations: [
        {
          act: { kind: 'reindex', schema: 'public', name: 'orders_idx', oid: '16500' },
          says: 'build the invalid index public.orders_idx on orders(customer_id) anew in database shop',
          byHand:
            "SET lock_timeout = '10000ms';\nSET statement_timeout = '0';\nREINDEX INDEX CONCURRENTLY public.orders_idx;",
        },
      ],
      effect: { diagnostic: 'db.invalid-indexes', measurement: 'invalidIndexes', below: 2 },
    });
  });

  it.each<[string, Parameters<typeof plan>, string | undefined]>([
    ['an old snapshot', [{}, [open]], 'pid 4711 (report), open for 5.0 s, holds an older snapshot'],
    ['a younger one', [{}, [{ ...open, openMs: 4999 }]], undefined],
    [
      'a writer of the table',
      [{}, [{ ...open, hasSnapshot: false, writes: ['16400'] }]],
      'has written the table',
    ],
    ['a writer of another', [{}, [{ ...open, hasSnapshot: false, writes: ['1'] }]], undefined],
    ['one that is being built', [{ isBuilding: true }], 'is being built'],
    ['a constraint on it', [{ isNeeded: true }], undefined],
    ['a left over', [{ name: 'orders_idx_ccnew' }], 'there is no index'],
    [
      'a vacuum of the table',
      [{}, [], '18.4', { underWay: [{ pid: 9, what: 'a vacuum' }] }],
      'pid 9',
    ],
    ['the ownership wanting', [{}, [], '16.14', { mayOwn: false }], 'GRANT "own er"'],
  ])('beside %s', (_, given, refused) => {
    const made = plan(...given);
    if (refused === undefined) expect(made).not.toHaveProperty('refused');
    else expect(made).toEqual({ refused: expect.stringContaining(refused) });
  });
});

describe.each(MAJORS)('building anew on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let clients: Clients;
  let trip: RoundTrip;

  beforeAll(async () => {
    server = await startPostgres({ major });
    await createRoles(server);
    await createShopTables(server);
    clients = new Clients(server);
    trip = new RoundTrip(server, createPostgresAdapter(configOf(server)));
    await leaveInvalidIndex(server, PARAMS.index);
    await runCure(server, await trip.refused(reindex, PARAMS));
  }, 180_000);
  beforeEach(() => leaveInvalidIndex(server, PARAMS.index));
  afterEach(() => clients.close());
  afterAll(async () => {
    await trip.adapter.close();
    await server.stop();
  });

  const indexes = () =>
    server.query(
      `SELECT c.relname AS name, i.indisvalid AS valid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = '"Sh op"."Order"'::regclass AND NOT i.indisprimary ORDER BY 1`,
    );

  it('makes an invalid index valid, proves it, and a primary key too', async () => {
    const plan = await trip.planned(reindex, PARAMS);
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
    expect((await trip.apply(plan)).outcome).toMatchObject({
      outcome: 'applied',
      after: { valid: true },
    });
    expect(await indexes()).toEqual([{ name: PARAMS.index, valid: true }]);
    expect(await trip.probe(plan)).toMatchObject({ state: 'applied' });
    expect((await trip.apply(plan)).outcome).toMatchObject({ outcome: 'refused' });
    const key = await trip.planned(reindex, { schema: 'Sh op', index: 'Order_pkey' });
    expect((await trip.apply(key)).outcome).toMatchObject({ outcome: 'applied' });
  });

  it('that has to give up leaves what was there, and nothing of its own', async () => {
    const plan = await trip.planned(reindex, { ...PARAMS, lockTimeoutMs: 500 });
    const holder = await clients.open('report');
    await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM "Sh op".other');
    const { outcome } = await trip.apply(plan);
    expect(outcome).toMatchObject({
      outcome: 'failed',
      says: expect.stringMatching(/500 ms.*is dropped again/),
    });
    expect(await indexes()).toEqual([{ name: PARAMS.index, valid: false }]);
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
  });

  it('prints a native command that, verbatim, builds it anew', async () => {
    const plan = await trip.planned(reindex, PARAMS);
    await runByHand(server, plan.operations[0]!.byHand);
    expect(await indexes()).toEqual([{ name: PARAMS.index, valid: true }]);
  });

  it('tells of what a rebuild left that nobody cleaned up', async () => {
    const plan = await trip.planned(reindex, { ...PARAMS, lockTimeoutMs: 100 });
    const holder = await clients.open('report');
    await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM "Sh op".other');
    await expect(runByHand(server, plan.operations[0]!.byHand)).rejects.toMatchObject({
      code: '55P03',
    });
    expect(await trip.probe(plan)).toMatchObject({
      state: 'indeterminate',
      says: expect.stringContaining('"left over_ccnew"'),
    });
    await server.query('DROP INDEX "Sh op"."left over_ccnew"');
  });
});
