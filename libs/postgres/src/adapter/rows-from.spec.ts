import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { blindFromError } from '@starr/kernel';
import { lockTable, startPostgres, type Fault, type LabPostgres } from '@starr/lab';
import { postgresCatalog } from '../catalog.ts';
import { examineOnce } from '../test/examine-once.ts';
import { configOf, createRoles, eventually, limitOf } from '../test/lab-target.ts';
import { MAJORS } from '../test/majors.ts';
import { createPostgresAdapter } from './create-postgres-adapter.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describe.each(MAJORS)('looks that fail on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let locked: Fault;
  beforeAll(async () => {
    server = await startPostgres({ major, statStatements: true });
    await createRoles(server);
    await server.query(
      `CREATE TABLE hidden (id int); CREATE TABLE locked (id int PRIMARY KEY, at timestamptz, message text);
       GRANT SELECT ON locked TO starr`,
    );
    // What is asked of statements is denied.
    await server.query('REVOKE ALL ON FUNCTION pg_stat_statements(boolean) FROM PUBLIC');
    locked = await lockTable(server, 'locked', 0);
  }, 180_000);
  afterAll(async () => {
    await locked.end();
    await server.stop();
  });

  it('are not counted among the rollbacks of the application, and leave the session fit for the next', async () => {
    const before = await rollbacks();
    const adapter = createPostgresAdapter(configOf(server));
    const ask = (sql: string, timeoutMs = 1000) =>
      adapter.perform({ kind: 'rows', sql }, limitOf({ timeoutMs }));
    const whyNot = (sql: string, timeoutMs?: number) =>
      ask(sql, timeoutMs).then(
        () => 'seen',
        (error: unknown) => blindFromError(error).why,
      );
    const why = [
      await whyNot(`SELECT pg_relation_size('public.locked')`),
      await whyNot('SELECT * FROM public.hidden'),
      await whyNot('SELECT nothing FROM pg_class'),
      await cancelled(whyNot('SELECT pg_sleep(30)', 20_000)),
    ];
    expect(why).toEqual(['timeout', 'denied', 'unsupported', 'timeout']);
    expect(await ask('SELECT 1 AS one')).toMatchObject({ rows: [{ one: 1 }] });
    expect(await sessions()).toBe(1);
    await adapter.close();
    expect(await rollbacks()).toBe(before);
  });

  it('nor are those of a whole sweep, with reads that are denied and one of a locked table', async () => {
    const before = await rollbacks();
    const adapter = createPostgresAdapter(configOf(server));
    const blind = [];
    for (const diagnostic of postgresCatalog.diagnostics) {
      const { verdict } = await examineOnce(diagnostic, adapter);
      blind.push(
        ...(verdict.blind ?? []).map((spot) => `${diagnostic.id} ${spot.why} ${spot.detail}`),
      );
    }
    const errors = await adapter.perform(
      {
        kind: 'error-tables',
        tables: [{ schema: 'public', table: 'locked', time: 'at', message: 'message' }],
        windowMs: 1000,
      },
      limitOf(),
    );
    await adapter.close();
    expect(errors).toMatchObject([{ state: 'blind', why: 'timeout' }]);
    expect(blind).toContainEqual(expect.stringMatching(/^db.slow-statements denied /));
    expect(await rollbacks()).toBe(before);
  });

  /** Ended as by its own timeout, but at a moment that does not depend on how busy the machine is. */
  async function cancelled<T>(look: Promise<T>): Promise<T> {
    await eventually(async () => {
      const [row] = await server.query(
        `SELECT count(pg_cancel_backend(pid))::int AS n FROM pg_stat_activity
         WHERE application_name = 'starr' AND state = 'active' AND query LIKE '%pg_sleep(30)%'`,
      );
      return row?.['n'] === 1;
    });
    return look;
  }

  async function sessions(): Promise<number> {
    const rows = await server.query(
      `SELECT 1 FROM pg_stat_activity WHERE application_name = 'starr' AND usename = 'starr'`,
    );
    return rows.length;
  }

  /** Sessions hand their counts over when they end; before 15, to a collector that takes its time. */
  async function rollbacks(): Promise<number> {
    await eventually(async () => (await sessions()) === 0);
    if (major < 15) await new Promise((resolve) => setTimeout(resolve, 1500));
    const [row] = await server.query(
      `SELECT xact_rollback::int AS count FROM pg_stat_database WHERE datname = 'postgres'`,
    );
    return Number(row?.['count']);
  }
});
