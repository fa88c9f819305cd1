import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
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
import type { PostgresAct } from '../postgres-act.ts';
import { createIndex } from '../remedies/create-index.ts';
import { dropInvalidIndex } from '../remedies/drop-invalid-index.ts';
import { Clients } from '../test/clients.ts';
import { configOf, createRoles, eventually } from '../test/lab-target.ts';
import { MAJORS } from '../test/majors.ts';
import { actOf, RoundTrip } from '../test/round-trip.ts';
import { createShopTables, runCure, SHOP_TABLE } from '../test/shop-tables.ts';
import { createPostgresAdapter } from './create-postgres-adapter.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const PARAMS = { ...SHOP_TABLE, columns: 'Customer Id', lockTimeoutMs: 60_000 };
const OPERATION = 'pfedcba987654.1';
const CHILD = fileURLToPath(new URL('../test/acting-child.ts', import.meta.url));

describe.each(MAJORS)('kill -9 of the doctor during an index build on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let clients: Clients;
  let trip: RoundTrip;

  beforeAll(async () => {
    server = await startPostgres({ major });
    await createRoles(server);
    await createShopTables(server);
    clients = new Clients(server);
    trip = new RoundTrip(server, createPostgresAdapter(configOf(server)));
    await runCure(server, await trip.refused(createIndex, PARAMS));
  }, 180_000);
  beforeEach(() => server.query('DROP INDEX IF EXISTS "Sh op"."Order_Customer Id_idx"'));
  afterEach(() => clients.close());
  afterAll(async () => {
    await trip.adapter.close();
    await server.stop();
  });

  /** A build that waits for a young writer, and whose doctor is killed while it does. */
  async function orphanedBuild() {
    const plan = await trip.planned(createIndex, PARAMS);
    const writer = await clients.open('report');
    await killedWhileItWaits(actOf(plan), () =>
      writer.query('BEGIN; UPDATE "Sh op"."Order" SET note = note WHERE id = 3'),
    );
    return { plan, writer };
  }

  async function killedWhileItWaits(
    act: PostgresAct,
    hinder: () => Promise<unknown>,
  ): Promise<void> {
    const given = JSON.stringify({
      host: server.host,
      port: server.port,
      act,
      operationId: OPERATION,
    });
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--conditions=@starr/source', CHILD, given],
      { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } },
    );
    const ended = new Promise((resolve) => child.once('exit', resolve));
    let told = '';
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
    await eventually(() => Promise.resolve(told.includes('ready')), 40_000);
    await hinder();
    child.stdin.write('go\n');
    await eventually(() => Promise.resolve(told.includes('waits for pid')));
    child.kill('SIGKILL');
    await ended;
  }

  it('it goes on at the server, is followed, and is proved when it is done', async () => {
    const { plan, writer } = await orphanedBuild();
    expect(await trip.probe(plan, OPERATION)).toMatchObject({
      state: 'running',
      says: expect.stringContaining('waiting for writers'),
    });
    await writer.query('COMMIT');
    await eventually(async () => (await trip.probe(plan, OPERATION)).state !== 'running');
    expect(await trip.probe(plan, OPERATION)).toMatchObject({
      state: 'applied',
      after: { note: expect.stringContaining('cannot be told') },
    });
    const rows = await server.query(
      `SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = 'Order_Customer Id_idx' AND indisvalid`,
    );
    expect(rows).toHaveLength(1);
  });

  it('when it fails then, nobody says that nothing was done, and the way to clean up is a remedy', async () => {
    const { plan, writer } = await orphanedBuild();
    await server.query(`SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index`);
    await eventually(async () => (await trip.probe(plan, OPERATION)).state !== 'running');
    expect(await trip.probe(plan, OPERATION)).toMatchObject({
      state: 'indeterminate',
      says: expect.stringContaining('db.drop-invalid-index'),
    });
    await writer.query('COMMIT');
    const drop = await trip.planned(dropInvalidIndex, {
      schema: 'Sh op',
      index: 'Order_Customer Id_idx',
    });
    expect((await trip.apply(drop)).outcome).toMatchObject({ outcome: 'applied' });
    expect(await trip.probe(plan, OPERATION)).toMatchObject({ state: 'not-applied' });
  });
});
