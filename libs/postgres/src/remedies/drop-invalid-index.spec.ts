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
import { Clients, pidOf } from '../test/clients.ts';
import { indexInfo, indexInfos } from '../test/indexes.ts';
import { configOf, createRoles, lookOf } from '../test/lab-target.ts';
import { maintainableTable, maintainableTables } from '../test/maintainable.ts';
import { MAJORS } from '../test/majors.ts';
import { RoundTrip } from '../test/round-trip.ts';
import { createShopTables, leaveInvalidIndex, runByHand, runCure } from '../test/shop-tables.ts';
import { dropInvalidIndex } from './drop-invalid-index.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const PARAMS = { schema: 'Sh op', index: 'left "over' };

describe('the plan of db.drop-invalid-index', () => {
  function plan(more: Partial<IndexInfo> = {}, mayOwn = true) {
    return dropInvalidIndex.plan(
      dropInvalidIndex.params.parse({ index: 'orders_idx' }),
      {
        indexes: indexInfos([indexInfo({ isValid: false, ...more })]),
        maintainable: maintainableTables([maintainableTable({ mayOwn })]),
      },
      lookOf({ options: { acting: 'starr_act' } }),
    );
  }

  it('is exact', () => {
    expect(plan()).toMatchObject({
      operations: [
        {
          act: {
            kind: 'drop-index',
            schema: 'public',
            name: 'orders_idx',
            oid: '16500',
            onlyIf: 'invalid',
          },
          says: 'drop the invalid index public.orders_idx on orders(customer_id) in database shop, which every write pays for',
          byHand:
            "SET lock_timeout = '10000ms';\nSET statement_timeout = '0';\nDROP INDEX CONCURRENTLY public.orders_idx;",
          reversible: false,
        },
      ],
      effect: { diagnostic: 'db.invalid-indexes', measurement: 'invalidIndexes', below: 1 },
    });
  });

  it.each<[Partial<IndexInfo>, boolean, string]>([
    [{ isValid: true }, true, 'is valid: it is not dropped'],
    [{ isBuilding: true }, true, 'is being built at this moment'],
    [{ isNeeded: true }, true, 'db.reindex repairs it'],
    [{ name: 'other' }, true, 'there is no index public.orders_idx in database shop'],
    [{}, false, 'Cure: GRANT "own er" TO starr_act WITH INHERIT TRUE;'],
  ])('of %j (may own: %s) is refused: %s', (more, mayOwn, refused) => {
    expect(plan(more, mayOwn)).toEqual({ refused: expect.stringContaining(refused) });
  });
});

describe.each(MAJORS)('dropping an invalid index on PostgreSQL %i', (major) => {
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
    await runCure(server, await trip.refused(dropInvalidIndex, PARAMS));
  }, 180_000);
  beforeEach(() => leaveInvalidIndex(server, PARAMS.index));
  afterEach(() => clients.close());
  afterAll(async () => {
    await trip.adapter.close();
    await server.stop();
  });

  const names = async () =>
    (
      await server.query(
        `SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
          WHERE i.indrelid = '"Sh op"."Order"'::regclass`,
      )
    ).map(({ relname }) => relname);

  it('drops it, and no other, and proves it', async () => {
    const plan = await trip.planned(dropInvalidIndex, PARAMS);
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
    expect((await trip.apply(plan)).outcome).toMatchObject({
      outcome: 'applied',
      before: { index: PARAMS.index },
    });
    expect(await names()).toEqual(['Order_pkey']);
    expect(await trip.probe(plan)).toMatchObject({ state: 'applied' });
  });

  it('leaves it alone when it is valid by then, or another of that name', async () => {
    const plan = await trip.planned(dropInvalidIndex, PARAMS);
    await server.query('REINDEX INDEX "Sh op"."left ""over"');
    expect((await trip.apply(plan)).outcome).toMatchObject({
      outcome: 'refused',
      says: expect.stringContaining('is valid by now'),
    });
    await server.query('DROP INDEX "Sh op"."left ""over"');
    await leaveInvalidIndex(server, PARAMS.index);
    expect((await trip.apply(plan)).outcome).toMatchObject({
      outcome: 'refused',
      says: expect.stringContaining('not the one of the plan'),
    });
    expect(await names()).toHaveLength(2);
  });

  it('gives up a wait for a transaction on the table, naming it, and holds nobody up meanwhile', async () => {
    const plan = await trip.planned(dropInvalidIndex, { ...PARAMS, lockTimeoutMs: 1500 });
    const holder = await clients.open('report');
    await holder.query('BEGIN; SELECT FROM "Sh op"."Order"');
    const applied = trip.apply(plan);
    const other = await clients.open('checkout');
    await other.query('UPDATE "Sh op"."Order" SET note = note WHERE id = 5');
    const { outcome, progress } = await applied;
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(progress.map(({ says }) => says).join()).toContain(`pid ${pidOf(holder)} (report)`);
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
    await holder.query('COMMIT');
    expect((await trip.apply(plan)).outcome).toMatchObject({ outcome: 'applied' });
  });

  it('prints a native command that, verbatim, drops it', async () => {
    const plan = await trip.planned(dropInvalidIndex, PARAMS);
    await runByHand(server, plan.operations[0]!.byHand);
    expect(await trip.probe(plan)).toMatchObject({ state: 'applied' });
  });
});
