import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { isBlindSpot, statusOf, type Adapter, type AnyDiagnostic, type Read } from '@starr/kernel';
import { leakConnections, lockTable, startPostgres, type LabPostgres } from '@starr/lab';
import pg from 'pg';
import { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
import { connectionLimits } from './diagnostics/connection-limits.ts';
import { idleInTransaction } from './diagnostics/idle-in-transaction.ts';
import { lockWaits } from './diagnostics/lock-waits.ts';
import { longRunningQueries } from './diagnostics/long-running-queries.ts';
import { wedgedSessions } from './diagnostics/wedged-sessions.ts';
import { postgresCatalog } from './catalog.ts';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { examineOnce, see } from './test/examine-once.ts';
import { configOf, createRoles, eventually, limitOf, lookOf } from './test/lab-target.ts';
import { MAJORS } from './test/majors.ts';
import { wedge } from './test/wedge.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(MAJORS)('sessions and locks of PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let adapter: Adapter<PostgresRequest, PostgresAct>;
  const ends: (() => unknown)[] = [];

  beforeAll(async () => {
    server = await startPostgres({ major, maxConnections: 450 });
    await createRoles(server);
    await server.query(
      `CREATE TABLE orders (id int PRIMARY KEY, v int); INSERT INTO orders VALUES (1, 0), (2, 0);
       GRANT ALL ON orders TO shop; CREATE ROLE narrow LOGIN CONNECTION LIMIT 5; CREATE ROLE closed LOGIN CONNECTION LIMIT 0`,
    );
    await server.query('CREATE DATABASE small CONNECTION LIMIT 4');
    adapter = createPostgresAdapter(configOf(server));
    await adapter.greet(limitOf());
  }, 180_000);
  afterAll(async () => {
    await adapter.close();
    await server.stop();
  });
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
    await eventually(async () => {
      const [row] = await server.query(
        `SELECT count(*)::int AS left FROM pg_stat_activity
          WHERE backend_type = 'client backend' AND application_name <> 'starr' AND pid <> pg_backend_pid()`,
      );
      return row?.['left'] === 0;
    });
  });

  const connect = async (application: string, user = 'shop', database = 'postgres') => {
    const client = new pg.Client({
      connectionString: server.url(user, database),
      application_name: application,
    });
    client.on('error', () => undefined);
    await client.connect();
    ends.push(() => {
      (
        client as unknown as { connection: { stream: { destroy(): void } } }
      ).connection.stream.destroy();
    });
    return client;
  };
  const examine = async (
    diagnostic: AnyDiagnostic<PostgresRequest>,
    overrides: Readonly<Record<string, number>> = {},
  ) => (await examineOnce(diagnostic, adapter, overrides)).verdict;

  it('active/ClientRead is classified, and a cancel is not offered since it does nothing', async () => {
    const stuck = await wedge(server, {
      user: 'shop',
      application: 'stuck',
      sql: 'UPDATE orders SET v = 1 WHERE id = 1',
    });
    ends.push(() => {
      stuck.end();
    });
    await eventually(async () => {
      const { measured } = await examine(wedgedSessions);
      return (measured.find(({ name }) => name === 'longestWedgedMs')?.value ?? 0) > 200;
    });
    const [finding] = (await examine(wedgedSessions, { wedgedWarnMs: 200 })).findings!;
    expect(finding).toMatchObject({ about: { kind: 'application', name: 'stuck' } });
    expect(finding?.says).toContain('a cancel does nothing');
    const pid = Number(finding?.rows?.[0]?.['pid']);
    expect((await server.query('SELECT pg_cancel_backend($1) AS sent', [pid]))[0]).toEqual({
      sent: true,
    });
    await pause(300);
    expect((await examine(wedgedSessions, { wedgedWarnMs: 200 })).findings).toHaveLength(1);
    // not counted among those that run
    const running = await examine(longRunningQueries, { activeWarnMs: 200 });
    expect(statusOf(running)).toBe('healthy');
  });

  it('a COPY that its client feeds slowly is no wedge', async () => {
    const client = await connect('loader');
    client.query(copyThatSendsNothing());
    await eventually(
      async () =>
        (
          await server.query(
            `SELECT 1 FROM pg_stat_activity WHERE application_name = 'loader' AND wait_event = 'ClientRead' AND state = 'active'`,
          )
        ).length === 1,
    );
    expect(statusOf(await examine(wedgedSessions, { wedgedWarnMs: 0 }))).toBe('healthy');
  });

  it('an idle transaction is aged by its last activity, a writer and a snapshot pin the horizon, a reader does not', async () => {
    const reader = await connect('reader');
    await reader.query('BEGIN; SELECT * FROM orders');
    const writer = await connect('writer');
    await writer.query('BEGIN; UPDATE orders SET v = 1 WHERE id = 1');
    const snapshot = await connect('snapshot');
    await snapshot.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM orders');
    const busy = await connect('busy');
    await busy.query('BEGIN');
    await pause(1200);
    await busy.query('SELECT 1');
    const { findings } = await examine(idleInTransaction, { idleInTransactionWarnMs: 1000 });
    expect(findings?.map(({ about, severity }) => [about.name, severity]).toSorted()).toEqual([
      ['reader', 'warning'],
      ['snapshot', 'critical'],
      ['writer', 'critical'],
    ]);
    const waiter = await connect('waiter');
    waiter.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE').catch(() => undefined);
    await eventually(async () => {
      const verdict = await examine(idleInTransaction, { idleInTransactionWarnMs: 1000 });
      return verdict.findings!.every(({ severity }) => severity === 'critical');
    });
  });

  it('a role at its limit is found while the server is empty, as exactly as the server counts', async () => {
    const leak = await leakConnections(server, 4, { user: 'narrow', applicationName: 'checkout' });
    ends.push(() => leak.end());
    expect(statusOf(await examine(connectionLimits))).toBe('healthy');
    await connect('checkout', 'narrow');
    await expect(connect('checkout', 'narrow')).rejects.toMatchObject({
      code: '53300',
      message: 'too many connections for role "narrow"',
    });
    const { findings } = await examine(connectionLimits);
    expect(findings).toMatchObject([
      {
        severity: 'critical',
        about: { kind: 'role', name: 'narrow', scope: 'orders' },
        involves: [{ kind: 'application', name: 'checkout', scope: 'orders' }],
      },
    ]);
    expect(findings![0]!.says).toMatch(
      /^role narrow is at its connection limit \(5 of 5\).*, while 4\d\d of/,
    );
  });

  it('a database at its limit is found too, and what is closed on purpose is not', async () => {
    const leak = await leakConnections(server, 4, {
      user: 'shop',
      database: 'small',
      applicationName: 'reports',
    });
    ends.push(() => leak.end());
    await expect(connect('reports', 'shop', 'small')).rejects.toMatchObject({ code: '53300' });
    const { findings } = await examine(connectionLimits);
    expect(findings?.map(({ about }) => about)).toEqual([
      { kind: 'database', name: 'small', scope: 'orders' },
    ]);
  });

  it('a DDL sandwich names the reader at the root and the change in the queue', async () => {
    const reader = await connect('batch');
    await reader.query('BEGIN; SELECT * FROM orders');
    const migration = await connect('migration', 'postgres');
    migration.query('ALTER TABLE orders ADD COLUMN w int').catch(() => undefined);
    await eventually(async () => (await blocked()) === 1);
    for (const name of ['checkout', 'checkout', 'worker'])
      (await connect(name)).query('SELECT * FROM orders').catch(() => undefined);
    await eventually(async () => (await blocked()) === 4);
    const { findings } = await examine(lockWaits, { blockedWarnMs: 1 });
    expect(findings).toMatchObject([
      {
        severity: 'critical',
        says: expect.stringMatching(
          /^a session of batch \(pid \d+, idle in transaction for .*\) holds up 4 sessions for up to .* on public\.orders; pid \d+ of migration waits for AccessExclusiveLock in front of 3 of them$/,
        ),
        rows: expect.arrayContaining([
          expect.objectContaining({ frees: 4, application: 'batch' }),
          expect.objectContaining({ frees: 3, application: 'migration' }),
        ]),
      },
    ]);
  });

  it('finishes in less than a second while a table is locked and 400 sessions wait', async () => {
    const fault = await lockTable(server, 'orders', 400, { applicationName: 'checkout' });
    ends.push(() => fault.end());
    const { findings } = await examine(lockWaits, { blockedWarnMs: 0 });
    expect(findings?.[0]?.measured).toContainEqual(
      expect.objectContaining({ name: 'freesSessions', value: 400 }),
    );
    // every read once, as the host shares them
    const reads = new Map(
      postgresCatalog.diagnostics
        .flatMap((each) => Object.values(each.reads))
        .map((read): Read<unknown, PostgresRequest> => read.wrap?.inner ?? read)
        .map((read) => [read.id, read]),
    );
    const look = lookOf({ version: server.version });
    const startedAt = performance.now();
    const seen = await Promise.all([...reads.values()].map((read) => see(read, adapter, look)));
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(seen.filter((value) => isBlindSpot(value) && value.why === 'timeout')).toEqual([]);
    // none of ours is among those who wait
    const ours = await server.query(
      `SELECT 1 FROM pg_stat_activity WHERE application_name = 'starr' AND wait_event_type = 'Lock'`,
    );
    expect(ours).toEqual([]);
  });

  const blocked = async () =>
    (await server.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)).length;
});

/** pg itself answers a COPY … FROM STDIN with CopyFail at once. */
function copyThatSendsNothing(): pg.Submittable {
  const copy = {
    submit: (connection: pg.Connection) => {
      connection.query('COPY orders FROM STDIN');
    },
    handleCopyInResponse: () => undefined,
    handleError: () => undefined,
    handleReadyForQuery: () => undefined,
  };
  return copy;
}
