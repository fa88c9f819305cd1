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
import {
  isBlindSpot,
  textOfValue,
  type Adapter,
  type AnyDiagnostic,
  type Finding,
  type Verdict,
} from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import pg from 'pg';
import { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
import { statementRunsRead, type StatementRun } from './reads/statement-runs.ts';
import { checkpoints } from './diagnostics/checkpoints.ts';
import { deadlocks } from './diagnostics/deadlocks.ts';
import { invalidIndexes } from './diagnostics/invalid-indexes.ts';
import { missingIndexes } from './diagnostics/missing-indexes.ts';
import { redundantIndexes } from './diagnostics/redundant-indexes.ts';
import { replication } from './diagnostics/replication.ts';
import { rollbacks } from './diagnostics/rollbacks.ts';
import { sequences } from './diagnostics/sequences.ts';
import { settings } from './diagnostics/settings.ts';
import { slowStatements } from './diagnostics/slow-statements.ts';
import { staleStatistics } from './diagnostics/stale-statistics.ts';
import { tempFiles } from './diagnostics/temp-files.ts';
import { autovacuum } from './diagnostics/autovacuum.ts';
import { wraparound } from './diagnostics/wraparound.ts';
import { xminHorizon } from './diagnostics/xmin-horizon.ts';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { examineOnce, see } from './test/examine-once.ts';
import { limitsOf } from './test/limits-of.ts';
import { configOf, createRoles, eventually, limitOf, lookOf } from './test/lab-target.ts';
import { MAJORS } from './test/majors.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

/** Each fault is made on a real server, and its check names it. */
describe.each(MAJORS)('what is wrong on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let adapter: Adapter<PostgresRequest, PostgresAct>;
  const clients: pg.Client[] = [];

  beforeAll(async () => {
    server = await startPostgres({
      major,
      statStatements: true,
      settings: {
        max_prepared_transactions: '5',
        wal_level: 'logical',
        autovacuum_naptime: '3600',
        min_wal_size: '32MB',
        max_wal_size: '64MB',
      },
    });
    await createRoles(server);
    adapter = createPostgresAdapter(configOf(server));
  }, 180_000);
  afterAll(async () => {
    await adapter.close();
    await server.stop();
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
  });

  async function client(application: string, user = 'shop'): Promise<pg.Client> {
    const opened = new pg.Client({
      connectionString: server.url(user),
      application_name: application,
    });
    opened.on('error', () => undefined);
    await opened.connect();
    clients.push(opened);
    return opened;
  }

  async function findings(
    diagnostic: AnyDiagnostic<PostgresRequest>,
    overrides: Readonly<Record<string, number>> = {},
  ): Promise<readonly Finding[]> {
    const { verdict } = await examineOnce(diagnostic, adapter, overrides);
    return verdict.findings ?? [];
  }

  /** With an earlier sample from before `work`, as the host has it after a minute. */
  async function verdictAfter(
    diagnostic: AnyDiagnostic<PostgresRequest>,
    work: () => Promise<unknown>,
    overrides: Readonly<Record<string, number>> = {},
  ): Promise<Verdict> {
    const look = lookOf({ ...(await adapter.greet(limitOf())), target: 'orders' });
    const all = Object.entries(diagnostic.reads);
    const befores = await Promise.all(
      all.map(([, read]) => see(read.wrap?.inner ?? read, adapter, look)),
    );
    await work();
    // Before 15 a process of its own collects what is counted, and writes it down twice a second.
    if (major < 15) await new Promise((resolve) => setTimeout(resolve, 1500));
    const afters = await Promise.all(
      all.map(([, read]) => see(read.wrap?.inner ?? read, adapter, look)),
    );
    expect([...befores, ...afters].filter(isBlindSpot)).toEqual([]);
    const seen = all.map(([name, read], at) => [
      name,
      read.wrap?.as === 'windowed'
        ? { before: befores[at], after: afters[at], elapsedMs: 60_000 }
        : afters[at],
    ]);
    return diagnostic.judge(
      Object.fromEntries(seen) as never,
      { ...limitsOf(diagnostic), ...overrides },
      look,
    );
  }

  describe('db.xmin-horizon', () => {
    it.each([
      ['a snapshot that is held', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1'],
      ['an idle writer that has only an xid', 'BEGIN; CREATE TEMP TABLE written (id int)'],
    ])('%s: named, with its application', async (_, sql) => {
      await (await client('reports')).query(sql);
      expect(await findings(xminHorizon, { heldWarnMs: 0 })).toMatchObject([
        {
          about: { kind: 'application', name: 'reports' },
          rows: [{ kind: 'session', state: 'idle in transaction' }],
        },
      ]);
    });

    it('an idle reader under READ COMMITTED holds nothing', async () => {
      await (await client('reports')).query('BEGIN; SELECT 1');
      expect(await findings(xminHorizon, { heldWarnMs: 0 })).toEqual([]);
    });

    it('a prepared transaction: named, without a process', async () => {
      await server.query("BEGIN; CREATE TABLE held (id int); PREPARE TRANSACTION 'order-4711'");
      expect(await findings(xminHorizon, { heldWarnMs: 0 })).toMatchObject([
        { about: { kind: 'postgres' }, rows: [{ kind: 'prepared', name: 'order-4711' }] },
      ]);
      await server.query("ROLLBACK PREPARED 'order-4711'");
    });

    it('a logical slot: named, whatever it was read by', async () => {
      await server.query("SELECT pg_create_logical_replication_slot('cdc', 'pgoutput')");
      await server.query('CREATE TABLE moved AS SELECT 1');
      expect(await findings(xminHorizon, { warnRatio: 0 })).toMatchObject([
        { rows: [{ kind: 'slot', name: 'cdc', state: 'inactive' }] },
      ]);
      await server.query("SELECT pg_drop_replication_slot('cdc'); DROP TABLE moved");
    });

    it('dead rows that pile up behind a forgotten transaction are counted, and vacuum does not clean them', async () => {
      await server.query(
        'CREATE TABLE busy (id int, n int); INSERT INTO busy SELECT n, 0 FROM generate_series(1, 12000) n',
      );
      await (await client('reports')).query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
      await server.query('UPDATE busy SET n = n + 1');
      await server.query('VACUUM busy');
      await eventually(async () => {
        const [finding] = await findings(xminHorizon, { harmWarnMs: 0 });
        return finding?.says.includes('12000 dead rows wait behind it') ?? false;
      });
      const [finding] = await findings(xminHorizon, { harmWarnMs: 0 });
      expect(finding?.involves).toContainEqual({
        kind: 'table',
        name: 'public.busy',
        scope: 'orders',
      });
      await clients.splice(0)[0]?.end();
      await server.query('VACUUM busy');
      await eventually(async () => (await findings(xminHorizon, { harmWarnMs: 0 })).length === 0);
      await server.query('DROP TABLE busy');
    });
  });

  it('db.wraparound: names the database and its oldest table, when the bound is that low', async () => {
    await server.query('CREATE TABLE aged (id int)');
    const found = await findings(wraparound, { warnRatio: 0 });
    expect(found.map(({ about }) => about.name)).toEqual(
      expect.arrayContaining(['postgres', 'template0', 'template1']),
    );
    expect(JSON.stringify(found)).toContain('public.aged');
    await server.query('DROP TABLE aged');
  });

  describe('db.replication', () => {
    const writeWal = () =>
      server.query(
        `CREATE TABLE filled AS SELECT repeat('x', 1000) FROM generate_series(1, 40000); DROP TABLE filled; SELECT pg_switch_wal()`,
      );

    it('a slot that nobody reads keeps WAL, and more by the minute', async () => {
      await server.query("SELECT pg_create_physical_replication_slot('standby_2', true)");
      await writeWal();
      const found = await findings(replication, { retainedWarnBytes: 16 * 1024 ** 2 });
      expect(found).toMatchObject([
        {
          severity: 'warning',
          says: expect.stringMatching(
            /^the inactive physical replication slot standby_2(, read by nobody for .+,)? keeps \d+ MB of WAL, without a limit: it fills the disk$/,
          ),
          rows: [{ slot: 'standby_2', active: false }],
        },
      ]);
      if (major >= 17) expect(found[0]?.rows?.[0]).toHaveProperty('inactive');
    });

    it('a slot that is lost is critical, whatever it keeps', async () => {
      await server.query('ALTER SYSTEM SET max_slot_wal_keep_size = 1');
      await server.query('SELECT pg_reload_conf()');
      await writeWal();
      await writeWal();
      await server.query('CHECKPOINT');
      expect(await findings(replication)).toMatchObject([
        {
          severity: 'critical',
          rows: [{ walStatus: expect.stringMatching(/^(lost|unreserved)$/) }],
        },
      ]);
      await server.query("SELECT pg_drop_replication_slot('standby_2')");
      await server.query('ALTER SYSTEM RESET max_slot_wal_keep_size');
      await server.query('SELECT pg_reload_conf()');
    });

    it('commits that wait for a standby that is not there are named', async () => {
      await server.query("ALTER SYSTEM SET synchronous_standby_names = 'replica_1'");
      await server.query('SELECT pg_reload_conf()');
      await eventually(async () => (await findings(replication)).length > 0);
      expect(await findings(replication)).toMatchObject([
        { severity: 'critical', says: expect.stringContaining('(replica_1)') },
      ]);
      await server.query('ALTER SYSTEM RESET synchronous_standby_names');
      await server.query('SELECT pg_reload_conf()');
      await eventually(async () => (await findings(replication)).length === 0);
    });

    it('a standby without pg_monitor is hidden: blind, with the grant', async () => {
      const walsender = new pg.Client({
        connectionString: server.url(),
        application_name: 'replica-1',
        replication: 'true',
      } as pg.ClientConfig);
      walsender.on('error', () => undefined);
      await walsender.connect();
      await server.query('CREATE ROLE blunt LOGIN');
      const blunt = createPostgresAdapter(configOf(server, { diagnosing: { user: 'blunt' } }));
      const { verdict } = await examineOnce(replication, blunt);
      expect(verdict.blind).toMatchObject([
        { why: 'redacted', cure: 'GRANT pg_monitor TO blunt;' },
      ]);
      await blunt.close();
      await walsender.end();
    });
  });

  describe('tables', () => {
    beforeEach(async () => {
      await server.query(
        'CREATE TABLE carts (id int, n int); INSERT INTO carts SELECT n, 0 FROM generate_series(1, 20000) n',
      );
    });
    afterEach(() => server.query('DROP TABLE carts'));

    it('db.stale-statistics: names a table that was never analyzed, until it is', async () => {
      const stale = async () => (await findings(staleStatistics)).map(({ says }) => says);
      await eventually(async () => (await stale()).length > 0);
      expect((await stale()).join()).toMatch(
        /^public.carts in postgres \(20000 rows\) was never analyzed/,
      );
      await server.query('ANALYZE carts');
      await eventually(async () => (await stale()).length === 0);
      await server.query('UPDATE carts SET n = 1');
      await eventually(async () => (await findings(staleStatistics, { graceMs: 0 })).length > 0);
      expect(await stale()).toEqual([]);
    });

    it('db.autovacuum: names who keeps vacuum from a table, and estimates its bloat where it may', async () => {
      const holder = await client('reports');
      await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
      await server.query('UPDATE carts SET n = 1');
      await server.query('ALTER TABLE carts SET (autovacuum_enabled = false)');
      await server.query('VACUUM ANALYZE carts');
      await server.query('GRANT SELECT ON carts TO starr');
      await eventually(async () => (await findings(autovacuum, { graceMs: 0 })).length > 0);
      const [finding] = await findings(autovacuum, { graceMs: 0 });
      expect(finding).toMatchObject({
        about: { kind: 'table', name: 'public.carts' },
        says: 'public.carts in postgres has 20000 dead rows, 50 % of all: autovacuum is off for this table',
        rows: [{ dead: 20_000, live: 20_000 }],
      });
      await holder.query('ROLLBACK');
      await server.query('VACUUM carts');
      await eventually(async () => (await findings(autovacuum, { graceMs: 0 })).length === 0);
    });
  });

  describe('statements', () => {
    const search = async (times: number) => {
      const shop = await client('checkout');
      for (let call = 0; call < times; call += 1) {
        await shop.query(
          `SELECT * FROM sales WHERE email = 'jane@example.org' AND region = ${call}`,
        );
      }
      await shop.end();
      // What it counted is told at its end, a moment after its client is gone.
      await eventually(
        async () =>
          (
            await server.query(
              "SELECT FROM pg_stat_activity WHERE application_name = 'checkout' AND datname = 'postgres'",
            )
          ).length === 0,
      );
    };
    beforeAll(async () => {
      await server.query(
        `CREATE TABLE sales (id int PRIMARY KEY, email text, region int, note text);
         INSERT INTO sales SELECT n, 'customer' || n || '@example.org', n % 50, repeat('x', 200) FROM generate_series(1, 120000) n;
         GRANT SELECT ON sales TO shop`,
      );
      await server.query('VACUUM ANALYZE sales');
    });
    afterAll(() => server.query('DROP TABLE sales'));
    const bounds = { meanMs: 0, timeShare: 0.01 };

    it('db.slow-statements: names what took the time between two samples, without its literals', async () => {
      const verdict = await verdictAfter(slowStatements, () => search(60), bounds);
      const found = verdict.findings!.find(({ rows }) => JSON.stringify(rows).includes('sales'));
      expect(found).toMatchObject({
        about: { kind: 'statement', name: expect.stringMatching(/^-?\d+$/) },
        rows: [
          {
            database: 'postgres',
            role: 'shop',
            calls: 60,
            statement: 'SELECT * FROM sales WHERE email = $1 AND region = $2',
          },
        ],
      });
      expect(JSON.stringify(verdict)).not.toContain('jane');
    });

    it('db.missing-indexes: from the text where it may not read the table; granted, from the plan; created, no more', async () => {
      const wanting = () => verdictAfter(missingIndexes, () => search(60), { meanMs: 0 });
      const fromText = await wanting();
      expect(fromText.findings).toMatchObject([
        {
          about: { kind: 'table', name: 'public.sales' },
          rows: [
            {
              schema: 'public',
              table: 'sales',
              columns: 'email, region',
              evidence: 'statement text',
            },
          ],
        },
      ]);
      const cure = fromText.blind?.find(({ why }) => why === 'denied')?.cure;
      expect(cure).toBe('GRANT SELECT ON public.sales TO starr;');
      await server.query(cure!);
      const fromPlan = await wanting();
      expect(fromPlan.findings).toMatchObject([{ rows: [{ evidence: 'generic plan' }] }]);
      expect(JSON.stringify(fromPlan)).not.toContain('jane');
      const create = textOfValue(fromPlan.findings![0]!.rows![0]!['create']!);
      await server.query(create);
      expect((await wanting()).findings).toEqual([]);
    });

    it('db.missing-indexes: a locked table costs its plans, not the look', async () => {
      const locker = await client('migration', 'postgres');
      await search(60);
      await locker.query('BEGIN; LOCK TABLE sales IN ACCESS EXCLUSIVE MODE');
      const { verdict, limit } = await examineOnce(missingIndexes, adapter);
      expect(verdict.measured).not.toHaveLength(0);
      // At the server, whatever else the machine is at.
      expect(limit.spent['serverMs']).toBeLessThan(1000);
    });
  });

  describe('the server', () => {
    it('db.deadlocks and db.rollbacks: count what was ended', async () => {
      await server.query(
        'CREATE TABLE pairs (id int PRIMARY KEY); INSERT INTO pairs VALUES (1), (2)',
      );
      const deadlock = async () => {
        const [a, b] = [await client('a', 'postgres'), await client('b', 'postgres')];
        await a.query(
          "SET deadlock_timeout = '50ms'; BEGIN; SELECT FROM pairs WHERE id = 1 FOR UPDATE",
        );
        await b.query(
          "SET deadlock_timeout = '50ms'; BEGIN; SELECT FROM pairs WHERE id = 2 FOR UPDATE",
        );
        await Promise.allSettled([
          a.query('SELECT FROM pairs WHERE id = 2 FOR UPDATE'),
          b.query('SELECT FROM pairs WHERE id = 1 FOR UPDATE'),
        ]);
        await Promise.all([a.end(), b.end()]);
        // Counters are told at the end of a session, a moment after its client is gone.
        await eventually(async () => {
          const [row] = await server.query(
            "SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = 'postgres'",
          );
          return Number(row?.['n']) > 0;
        });
      };
      const verdict = await verdictAfter(deadlocks, deadlock, { deadlocksPerMinute: 1 });
      expect(verdict.findings).toMatchObject([
        { about: { kind: 'database', name: 'postgres' }, measured: [{ value: 1 }] },
      ]);
      const failing = async () => {
        const shop = await client('checkout');
        for (let call = 0; call < 30; call += 1)
          await shop.query('SELECT 1/0').catch(() => undefined);
        await shop.end();
        await eventually(async () => {
          const [row] = await server.query(
            "SELECT xact_rollback::int AS n FROM pg_stat_database WHERE datname = 'postgres'",
          );
          return Number(row?.['n']) >= 30;
        });
      };
      const failed = await verdictAfter(rollbacks, failing, { transactions: 1 });
      expect(failed.findings).toMatchObject([{ about: { kind: 'database', name: 'postgres' } }]);
      await server.query('DROP TABLE pairs');
    });

    it('db.temp-files: names the database whose sorts spill', async () => {
      const spill = async () => {
        const reports = await client('reports');
        await reports.query(
          "SET work_mem = '64kB'; SELECT count(*) FROM (SELECT n FROM generate_series(1, 300000) n ORDER BY -n) s",
        );
        await reports.end();
        await eventually(async () => {
          const [row] = await server.query(
            "SELECT temp_bytes::float8 AS n FROM pg_stat_database WHERE datname = 'postgres'",
          );
          return Number(row?.['n']) > 1e6;
        });
      };
      const verdict = await verdictAfter(tempFiles, spill, { tempBytesPerMinute: 1e6 });
      expect(verdict.findings).toMatchObject([{ about: { kind: 'database', name: 'postgres' } }]);
    });

    it('db.checkpoints: counts what WAL forced', async () => {
      const force = async () => {
        for (let round = 0; round < 3; round += 1) {
          await server.query('CREATE TABLE w AS SELECT 1; DROP TABLE w');
          await server.query('CHECKPOINT');
        }
      };
      const verdict = await verdictAfter(checkpoints, force);
      expect(verdict.findings).toMatchObject([
        { about: { kind: 'postgres' }, says: expect.stringContaining('max_wal_size (64 MB)') },
      ]);
    });

    it('db.sequences: the narrow column counts, and the grant that is asked for shows it', async () => {
      await server.query(
        `CREATE SCHEMA "Till"; CREATE TABLE "Till".receipts (id serial PRIMARY KEY);
         ALTER SEQUENCE "Till".receipts_id_seq AS bigint MAXVALUE 9223372036854775807;
         CREATE SEQUENCE round MAXVALUE 10 CYCLE;
         SELECT setval('"Till".receipts_id_seq', 2100000000), setval('round', 10)`,
      );
      const hidden = await examineOnce(sequences, adapter);
      expect(hidden.verdict.findings ?? []).toEqual([]);
      const [spot] = hidden.verdict.blind!;
      expect(spot).toMatchObject({
        why: 'denied',
        cure: 'GRANT SELECT ON ALL SEQUENCES IN SCHEMA "Till" TO starr;',
      });
      await server.query(spot!.cure!);
      await server.query('GRANT USAGE ON SCHEMA "Till" TO starr');
      expect(await findings(sequences)).toMatchObject([
        {
          severity: 'critical',
          about: { kind: 'table', name: 'Till.receipts' },
          says: 'the sequence Till.receipts_id_seq, which feeds receipts.id, in postgres is used to 97 % as integer: 47483647 values are left, then inserts fail',
        },
      ]);
      await server.query('DROP SCHEMA "Till" CASCADE; DROP SEQUENCE round');
    });

    it('db.settings: what was changed, when, and from what; secrets are not shown', async () => {
      const change = async () => {
        await server.query("ALTER SYSTEM SET work_mem = '64MB'");
        await server.query("ALTER SYSTEM SET primary_conninfo = 'host=x password=hunter2'");
        await server.query('SELECT pg_reload_conf()');
        await server.query("ALTER ROLE shop SET statement_timeout = '3s'");
        await eventually(async () => {
          const [row] = await server.query('SHOW work_mem');
          return row?.['work_mem'] === '64MB';
        });
      };
      const verdict = await verdictAfter(settings, change);
      expect(verdict.findings).toEqual([]);
      const says = verdict.changes!.map((each) => each.says);
      expect(says).toEqual(
        expect.arrayContaining([
          'work_mem 4096 kB → 65536 kB',
          'role shop: statement_timeout (not set) → 3s',
        ]),
      );
      expect(JSON.stringify(verdict)).not.toContain('hunter2');
      await server.query('ALTER SYSTEM RESET ALL');
      await server.query('ALTER SYSTEM SET autovacuum = off');
      await server.query('SELECT pg_reload_conf()');
      await eventually(async () => (await findings(settings)).length === 1);
      await server.query('ALTER SYSTEM RESET ALL');
      await server.query('SELECT pg_reload_conf()');
      await server.query('ALTER ROLE shop RESET ALL');
    });
  });

  it('a statement is tied to who runs it and, by its comment, to its trace', async () => {
    const shop = await client('checkout');
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    await shop.query(`SELECT 'x' /*traceparent='00-${trace}-00f067aa0ba902b7-01'*/`);
    const look = lookOf({ ...(await adapter.greet(limitOf())), target: 'orders' });
    const runs = (await see(statementRunsRead, adapter, look)) as readonly StatementRun[];
    const relations = statementRunsRead.relate!(runs, look);
    const { pid, backendStart } = runs.find(({ application }) => application === 'checkout')!;
    expect(relations).toContainEqual({
      from: { kind: 'backend', name: `${pid}/${backendStart}`, scope: 'orders' },
      is: 'in',
      to: { kind: 'trace', name: trace },
    });
    const ran = relations.filter(({ is }) => is === 'runs').map(({ from }) => from.name);
    expect(ran.includes('checkout')).toBe(major >= 14);
  });

  describe('indexes', () => {
    beforeAll(async () => {
      await server.query(
        `CREATE TABLE items (id int PRIMARY KEY, customer int, sku text, note text);
         INSERT INTO items SELECT n, n % 500, 'sku ' || n, repeat('x', 40) FROM generate_series(1, 30000) n;
         CREATE INDEX items_customer ON items (customer);
         CREATE INDEX items_customer_sku ON items (customer, sku);
         CREATE INDEX items_lower ON items (lower(sku)) WHERE customer > 5;
         CREATE INDEX items_lower_again ON items (lower(sku), id)   WHERE   customer > 5;
         CREATE INDEX items_desc ON items (customer DESC);
         CREATE INDEX items_id ON items (id)`,
      );
      await server.query('VACUUM ANALYZE items');
    });
    afterAll(() => server.query('DROP TABLE items'));

    it('db.redundant-indexes: names what another covers, and nothing else', async () => {
      const found = await findings(redundantIndexes, { sizeBytes: 0 });
      const pairs = found.map(({ rows }) => rows!.map((row) => textOfValue(row['index']!)));
      expect(Object.fromEntries(pairs)).toEqual({
        items_customer: 'items_customer_sku',
        items_id: 'items_pkey',
        items_lower: 'items_lower_again',
      });
    });

    it('db.invalid-indexes: names what a failed concurrent build left, not one that is being built', async () => {
      const snapshot = await client('reports', 'postgres');
      await snapshot.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
      const builder = await client('migration', 'postgres');
      await builder.query("SET lock_timeout = '1200ms'");
      const build = builder
        .query('CREATE INDEX CONCURRENTLY items_note ON items (note)')
        .catch(() => undefined);
      await eventually(async () => {
        const { verdict } = await examineOnce(invalidIndexes, adapter);
        const building = verdict.measured.find(({ name }) => name === 'buildingIndexes');
        return building?.value === 1;
      });
      expect(await findings(invalidIndexes)).toEqual([]);
      await build;
      // The error reaches the client before the server has cleaned up.
      await eventually(async () => (await findings(invalidIndexes)).length > 0);
      expect(await findings(invalidIndexes)).toMatchObject([
        {
          about: { kind: 'table', name: 'public.items' },
          rows: [{ schema: 'public', table: 'items', index: 'items_note', paidAtWrites: true }],
        },
      ]);
      await snapshot.query('ROLLBACK');
      await server.query('REINDEX INDEX CONCURRENTLY items_note');
      expect(await findings(invalidIndexes)).toEqual([]);
    });
  });
});
