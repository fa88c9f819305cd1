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
import type { CreateIndexAct } from '../acts/maintenance.ts';
import { createPostgresAdapter } from '../adapter/create-postgres-adapter.ts';
import { Clients, pidOf } from '../test/clients.ts';
import { configOf, createRoles, eventually, limitOf } from '../test/lab-target.ts';
import { MAJORS } from '../test/majors.ts';
import { actOf, RoundTrip } from '../test/round-trip.ts';
import { createShopTables, runByHand, runCure, SHOP_TABLE } from '../test/shop-tables.ts';
import { OLD_TRANSACTION_MS } from '../who-holds-up.ts';
import { cancelQuery } from './cancel-query.ts';
import { createIndex } from './create-index.ts';
import { terminateIdleSessions } from './terminate-idle-sessions.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const PARAMS = { ...SHOP_TABLE, columns: 'Customer Id, id desc' };
const NAME = 'Order_Customer Id_id_idx';

describe('the parameters of db.create-index', () => {
  it.each([
    [{ table: 'orders', columns: 'id' }, true],
    [{ table: 'orders' }, false],
    [{ columns: 'id' }, false],
    [{ table: 'orders', columns: '' }, false],
    [{ table: 'orders', columns: 'x'.repeat(1025) }, false],
    [{ table: 'x'.repeat(64), columns: 'id' }, false],
    [{ table: 'orders', columns: 'id', lockTimeoutMs: 99 }, false],
    [{ table: 'orders', columns: 'id', lockTimeoutMs: 100 }, true],
    [{ table: 'orders', columns: 'id', lockTimeoutMs: 600_000 }, true],
    [{ table: 'orders', columns: 'id', lockTimeoutMs: 600_001 }, false],
    [{ table: 'orders', columns: 'id', where: 'true' }, false],
  ])('%j: %s', (params, valid) => {
    expect(createIndex.params.safeParse(params).success).toBe(valid);
  });
});

describe.each(MAJORS)('building an index on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let clients: Clients;
  let trip: RoundTrip;

  beforeAll(async () => {
    server = await startPostgres({ major, settings: { max_prepared_transactions: '5' } });
    await createRoles(server);
    await createShopTables(server);
    clients = new Clients(server);
    trip = new RoundTrip(server, createPostgresAdapter(configOf(server)));
    await runCure(server, await trip.refused(createIndex, PARAMS));
    await trip.adapter.greet(limitOf());
    await eventually(async () => (await sessions()) === 2);
  }, 180_000);
  beforeEach(() => server.query(`DROP INDEX IF EXISTS "Sh op"."${NAME}"`));
  afterEach(() => clients.close());
  afterAll(async () => {
    await trip.adapter.close();
    await server.stop();
  });

  const indexes = () =>
    server.query(
      `SELECT c.relname AS name, i.indisvalid AS valid, obj_description(c.oid) AS comment
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = '"Sh op"."Order"'::regclass AND NOT i.indisprimary`,
    );
  const sessions = async () =>
    (await server.query(`SELECT FROM pg_stat_activity WHERE application_name = 'starr'`)).length;

  it('builds, stamps and proves it, and undo drops it again', async () => {
    const plan = await trip.planned(createIndex, PARAMS);
    expect(plan.operations[0]).toMatchObject({
      says: expect.stringContaining(
        `build index ${NAME} on Sh op.Order ("Customer Id", id DESC) in database postgres`,
      ),
      reversible: true,
    });
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
    const applied = await trip.apply(plan);
    expect(applied.outcome).toMatchObject({
      outcome: 'applied',
      after: { index: NAME, comment: `starr ${applied.operationId}` },
    });
    expect(await indexes()).toEqual([
      { name: NAME, valid: true, comment: `starr ${applied.operationId}` },
    ]);
    expect(await trip.probe(plan, applied.operationId)).toMatchObject({
      state: 'applied',
      after: { comment: `starr ${applied.operationId}` },
    });
    expect(await trip.probe(plan, 'p000000000000.9')).toMatchObject({
      state: 'applied',
      after: { note: expect.stringContaining('cannot be told') },
    });
    expect(await trip.refused(createIndex, PARAMS)).toContain('serves these columns already');

    const receipt = {
      ...trip.receiptOf(createIndex, plan, applied),
      operationId: applied.operationId,
    };
    const undo = await trip.undone(createIndex, [receipt]);
    if ('refused' in undo) throw new Error(undo.refused);
    expect((await trip.apply(undo)).outcome).toMatchObject({ outcome: 'applied' });
    expect(await indexes()).toEqual([]);
    expect(await trip.probe(undo)).toMatchObject({ state: 'applied' });
    expect(await trip.undone(createIndex, [receipt])).toEqual({
      refused: expect.stringContaining('there is no index'),
    });
  });

  it('does not drop again what no longer carries its mark', async () => {
    const plan = await trip.planned(createIndex, PARAMS);
    const applied = await trip.apply(plan);
    const receipt = {
      ...trip.receiptOf(createIndex, plan, applied),
      operationId: applied.operationId,
    };
    const undo = await trip.undone(createIndex, [receipt]);
    if ('refused' in undo) throw new Error(undo.refused);
    await server.query(`COMMENT ON INDEX "Sh op"."${NAME}" IS 'kept by the owner'`);
    expect((await trip.apply(undo)).outcome).toMatchObject({ outcome: 'refused' });
    expect(await indexes()).toHaveLength(1);
  });

  const oldEnough = () => new Promise((resolve) => setTimeout(resolve, OLD_TRANSACTION_MS + 100));

  describe('refused', () => {
    it.each([
      [{ ...PARAMS, columns: 'nope' }, 'has no column "nope"'],
      [{ ...PARAMS, columns: 'id, id desc' }, 'named twice'],
      [{ ...PARAMS, columns: 'id) INCLUDE (note' }, 'has no column'],
      [{ ...PARAMS, table: 'nope' }, 'there is no table Sh op.nope in database postgres'],
      [{ ...PARAMS, columns: 'id' }, 'Order_pkey on (id) serves these columns already'],
      [{ ...PARAMS, name: 'other' }, 'Sh op.other is there already'],
    ])('%j: %s', async (params, reason) => {
      expect(await trip.refused(createIndex, params)).toContain(reason);
    });

    it('on a partitioned parent', async () => {
      await server.query(`CREATE TABLE "Sh op".parted (id int) PARTITION BY RANGE (id)`);
      const params = { schema: 'Sh op', table: 'parted', columns: 'id' };
      expect(await trip.refused(createIndex, params)).toContain('build one on each partition');
    });

    it('beside an old snapshot, a writer of the table and a prepared one, naming each, by the plan and by the act', async () => {
      const plan = await trip.planned(createIndex, PARAMS);
      const [reader, writer, preparing] = [
        await clients.open('report'),
        await clients.open('worker'),
        await clients.open('bank'),
      ];
      await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM "Sh op".other');
      await writer.query('BEGIN; UPDATE "Sh op"."Order" SET note = note WHERE id = 1');
      await preparing.query(
        `BEGIN; UPDATE "Sh op"."Order" SET note = note WHERE id = 2; PREPARE TRANSACTION 'left over'`,
      );
      try {
        await oldEnough();
        const refused = await trip.refused(createIndex, PARAMS);
        const { outcome } = await trip.apply(plan);
        expect(outcome.outcome).toBe('refused');
        for (const says of [refused, outcome.outcome === 'refused' ? outcome.says : '']) {
          expect(says).toMatch(
            new RegExp(`pid ${pidOf(reader)} \\(report\\), open for .*, holds an older snapshot`),
          );
          expect(says).toMatch(
            new RegExp(`pid ${pidOf(writer)} \\(worker\\), open for .*, has written the table`),
          );
          expect(says).toContain('the prepared transaction left over');
        }
      } finally {
        await preparing.query(`ROLLBACK PREPARED 'left over'`);
      }
      expect(await indexes()).toEqual([]);
    });

    it('not beside an idle reader, nor a writer of another table, under READ COMMITTED: they hold nothing up', async () => {
      const [reader, writer] = [await clients.open('report'), await clients.open('worker')];
      await reader.query('BEGIN; SELECT FROM "Sh op"."Order"');
      await writer.query('BEGIN; INSERT INTO "Sh op".other VALUES (1)');
      await oldEnough();
      const plan = await trip.planned(createIndex, PARAMS);
      expect((await trip.apply(plan)).outcome).toMatchObject({ outcome: 'applied' });
    });

    it('by the act, when the name is taken or the table is another by then', async () => {
      const plan = await trip.planned(createIndex, PARAMS);
      await server.query(`CREATE INDEX "${NAME}" ON "Sh op"."Order" (note)`);
      expect((await trip.apply(plan)).outcome).toMatchObject({
        outcome: 'refused',
        says: expect.stringContaining('is there already'),
      });
      const act = { ...(actOf(plan) as CreateIndexAct), oid: '1', name: 'free' };
      const moved = { ...plan, operations: [{ ...plan.operations[0]!, act }] };
      expect((await trip.apply(moved)).outcome).toMatchObject({
        outcome: 'refused',
        says: expect.stringContaining('not the one of the plan'),
      });
      expect((await indexes()).map(({ name }) => name)).toEqual([NAME]);
    });
  });

  it('gives up a wait for a young snapshot, names who holds it, and leaves no invalid index', async () => {
    const plan = await trip.planned(createIndex, { ...PARAMS, lockTimeoutMs: 1500 });
    const holder = await clients.open('report');
    await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM "Sh op".other');
    const { outcome, progress } = await trip.apply(plan);
    expect(outcome).toMatchObject({
      outcome: 'failed',
      says: expect.stringContaining('waited for longer than 1500 ms'),
    });
    expect(outcome).toMatchObject({ says: expect.stringContaining('is dropped again') });
    expect(progress.map(({ says }) => says).join('\n')).toContain(
      `waiting for old snapshots: waits for pid ${pidOf(holder)} (report)`,
    );
    expect(await indexes()).toEqual([]);
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
  });

  /** A build that waits for a young writer, as long as that stays. */
  async function waitingBuild() {
    const plan = await trip.planned(createIndex, { ...PARAMS, lockTimeoutMs: 60_000 });
    const writer = await clients.open('report');
    await writer.query('BEGIN; UPDATE "Sh op"."Order" SET note = note WHERE id = 3');
    const isWaiting = Promise.withResolvers<string>();
    const applied = trip.apply(plan, ({ says }, operationId) => {
      if (says.includes(`pid ${pidOf(writer)}`)) isWaiting.resolve(operationId);
    });
    const operationId = await isWaiting.promise;
    return { plan, writer, applied, operationId };
  }

  it('leaves the held session to short acts, lets nobody build beside it, and ends when it is cancelled', async () => {
    const { plan, writer, applied, operationId } = await waitingBuild();
    expect(await trip.probe(plan, operationId)).toMatchObject({ state: 'running' });
    expect(await sessions()).toBe(3);
    const busy = await trip.apply({
      ...plan,
      operations: [
        { ...plan.operations[0]!, act: { ...(actOf(plan) as CreateIndexAct), name: 'second' } },
      ],
    });
    expect(busy.outcome).toMatchObject({
      outcome: 'failed',
      says: expect.stringContaining('no more at a time'),
    });
    const stuck = await clients.open('stuck');
    const ended = stuck
      .query('SELECT pg_sleep(600)')
      .catch((error: unknown) => (error as { code?: string }).code);
    await eventually(
      async () => !('refused' in (await trip.plan(cancelQuery, { pid: pidOf(stuck) }))),
    );
    const cancel = await trip.planned(cancelQuery, { pid: pidOf(stuck) });
    expect((await trip.apply(cancel)).outcome).toMatchObject({ outcome: 'applied' });
    expect(await ended).toBe('57014');
    await trip.adapter.cancel!(operationId);
    await eventually(
      async () => (await server.query('SELECT FROM pg_stat_progress_create_index')).length === 0,
    );
    // The drop that cleans up waits for the writer too: it ends when that ends.
    await writer.query('ROLLBACK');
    expect((await applied).outcome).toMatchObject({
      outcome: 'failed',
      says: expect.stringContaining('it was cancelled'),
    });
    expect(await indexes()).toEqual([]);
    await eventually(async () => (await sessions()) === 2);
  });

  it('is not touched by a session kill of the application that it waits beside', async () => {
    const { writer, applied } = await waitingBuild();
    expect('refused' in (await trip.plan(terminateIdleSessions, { application: 'starr' }))).toBe(
      true,
    );
    const [row] = await server.query(`SELECT pid FROM pg_stat_progress_create_index`);
    expect(await trip.refused(cancelQuery, { pid: Number(row?.['pid']) })).toContain(
      'a protected application',
    );
    await writer.query('COMMIT');
    expect((await applied).outcome).toMatchObject({ outcome: 'applied' });
  });

  it('whose session is ended under it cleans up on another', async () => {
    const { writer, applied } = await waitingBuild();
    const [row] = await server.query(`SELECT pid FROM pg_stat_progress_create_index`);
    await server.query('SELECT pg_terminate_backend($1)', [row?.['pid']]);
    await writer.query('ROLLBACK');
    expect((await applied).outcome).toMatchObject({ outcome: 'failed' });
    expect(await indexes()).toEqual([]);
  });

  it('prints a native command that, verbatim, builds the same index', async () => {
    const plan = await trip.planned(createIndex, PARAMS);
    await runByHand(server, plan.operations[0]!.byHand);
    expect(await indexes()).toEqual([{ name: NAME, valid: true, comment: null }]);
  });

  it('tells of an invalid index that nobody builds, and how it goes', async () => {
    const plan = await trip.planned(createIndex, { ...PARAMS, lockTimeoutMs: 100 });
    const holder = await clients.open('report');
    await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM "Sh op".other');
    await expect(runByHand(server, plan.operations[0]!.byHand)).rejects.toMatchObject({
      code: '55P03',
    });
    expect(await trip.probe(plan)).toMatchObject({
      state: 'indeterminate',
      says: expect.stringContaining(`DROP INDEX CONCURRENTLY "Sh op"."${NAME}"`),
    });
    expect(await trip.refused(createIndex, PARAMS)).toContain('is there and INVALID');
  });

  it('needs no more than it says: a fresh acting role is refused with the grants that cure it', async () => {
    await server.query(
      'CREATE ROLE fresh LOGIN; GRANT pg_read_all_stats, pg_signal_backend TO fresh',
    );
    const fresh = createPostgresAdapter(configOf(server, { acting: { user: 'fresh' } }));
    const its = new RoundTrip(server, fresh, { acting: 'fresh' });
    await runCure(server, await its.refused(createIndex, PARAMS));
    const plan = await its.planned(createIndex, PARAMS);
    expect((await its.apply(plan)).outcome).toMatchObject({ outcome: 'applied' });
    await fresh.close();
  });
});
