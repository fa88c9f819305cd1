import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import type { Adapter } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import type { PostgresAct } from '../postgres-act.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import {
  statementScansRead,
  type PlannedIndex,
  type StatementScans,
} from '../reads/statement-scans.ts';
import { missingIndexes } from '../diagnostics/missing-indexes.ts';
import { see } from '../test/examine-once.ts';
import { onHypopg } from '../test/hypopg.ts';
import { configOf, createRoles, limitOf, lookOf } from '../test/lab-target.ts';
import { limitsOf } from '../test/limits-of.ts';
import { createPostgresAdapter } from './create-postgres-adapter.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

onHypopg('plans with an index that is not there', () => {
  let server: LabPostgres;
  let adapter: Adapter<PostgresRequest, PostgresAct>;
  beforeAll(async () => {
    server = await startPostgres({ hypopg: true, statStatements: true });
    await createRoles(server);
    await server.query(
      `CREATE TABLE sales (id int PRIMARY KEY, email text, region int, note text);
       INSERT INTO sales SELECT n, 'customer' || n, n % 50, repeat('x', 200) FROM generate_series(1, 60000) n;
       GRANT SELECT ON sales TO starr`,
    );
    await server.query('VACUUM ANALYZE sales');
    // So slow that the look takes notice, however fast the machine.
    for (const where of ["email = 'customer7'", 'region::numeric = 7.0'])
      await server.query(`SELECT pg_sleep(0.02), * FROM sales WHERE ${where} LIMIT 1`);
  }, 180_000);
  beforeEach(() => {
    adapter = createPostgresAdapter(configOf(server));
  });
  afterAll(() => server.stop());

  const onThis = () => lookOf({ version: server.version });

  async function trials(): Promise<Record<string, StatementScans['trials']>> {
    const seen = (await see(statementScansRead, adapter, onThis())) as readonly StatementScans[];
    return Object.fromEntries(
      seen.flatMap(({ scans, trials: each }) =>
        scans[0]?.table === 'sales' ? [[scans[0].equal.join(), each]] : [],
      ),
    );
  }

  async function hypotheticalOnes(): Promise<unknown> {
    const rows = await adapter.perform(
      { kind: 'rows', sql: 'SELECT count(*)::int AS left_over FROM public.hypopg()' },
      limitOf(),
    );
    return rows;
  }

  it('name what the planner makes of it, leave nothing behind, and roll nothing back', async () => {
    const before = await rollbacks();
    const { email, region } = await trials();
    expect(email).toMatchObject([{ kind: 'planned', columns: ['email'], isUsed: true }]);
    const used = email?.[0] as PlannedIndex & { readonly kind: 'planned' };
    expect(used.costAfter).toBeLessThan(used.costBefore / 2);
    // The column is compared as another type: such an index would not serve it.
    expect(region).toMatchObject([{ kind: 'planned', columns: ['region'], isUsed: false }]);
    expect(await hypotheticalOnes()).toMatchObject({ rows: [{ left_over: 0 }] });
    await adapter.close();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await rollbacks()).toBe(before);
  });

  it.each([
    [
      'the schema is closed to our role',
      'CREATE SCHEMA closed; ALTER EXTENSION hypopg SET SCHEMA closed',
      'GRANT USAGE ON SCHEMA closed TO starr;',
      'ALTER EXTENSION hypopg SET SCHEMA public',
    ],
    [
      'our role may not call it',
      'REVOKE EXECUTE ON FUNCTION hypopg_reset() FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION public.hypopg_create_index(text), public.hypopg_reset() TO starr;',
      'SELECT 1',
    ],
  ])('are not made where %s, and granted as they say they are', async (_, fault, cure, after) => {
    const before = await rollbacks();
    await server.query(fault);
    expect((await trials())['email']).toMatchObject([{ kind: 'unknown', why: 'denied', cure }]);
    await server.query(cure);
    expect((await trials())['email']).toMatchObject([{ kind: 'planned', isUsed: true }]);
    await server.query(after);
    await adapter.close();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await rollbacks()).toBe(before);
  });

  it('that fail cost the plan nothing, and say so', async () => {
    const before = await rollbacks();
    await server.query(
      `ALTER FUNCTION hypopg_create_index(text) RENAME TO hypopg_real;
       CREATE FUNCTION hypopg_create_index(text, OUT indexrelid oid, OUT indexname text) RETURNS SETOF record
         LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken' USING ERRCODE = 'XX000'; END $$`,
    );
    expect((await trials())['email']).toMatchObject([
      { kind: 'unknown', why: 'unsupported', detail: 'HypoPG failed (SQLSTATE XX000)' },
    ]);
    await server.query(
      `DROP FUNCTION hypopg_create_index(text); ALTER FUNCTION hypopg_real(text) RENAME TO hypopg_create_index`,
    );
    await adapter.close();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await rollbacks()).toBe(before);
  });

  it('are not asked for where the database has no HypoPG', async () => {
    await server.query('DROP EXTENSION hypopg');
    expect(await trials()).toMatchObject({ email: [], region: [] });
    await server.query('CREATE EXTENSION hypopg');
    await adapter.close();
  });

  it('make a finding of the index that pays, and none of the one that the planner would not use', async () => {
    const missing = async () => {
      const reads = Object.entries(missingIndexes.reads);
      const seeAll = () =>
        Promise.all(reads.map(([, read]) => see(read.wrap?.inner ?? read, adapter, onThis())));
      const befores = await seeAll();
      for (const where of ["email = 'customer7'", 'region::numeric = 7.0'])
        for (let call = 0; call < 50; call += 1)
          await server.query(`SELECT pg_sleep(0.01), * FROM sales WHERE ${where} LIMIT 1`);
      const afters = await seeAll();
      const seen = reads.map(([name, read], at) => [
        name,
        read.wrap?.as === 'windowed'
          ? { before: befores[at], after: afters[at], elapsedMs: 60_000 }
          : afters[at],
      ]);
      const limits = { ...limitsOf(missingIndexes), meanMs: 0 };
      return missingIndexes.judge(Object.fromEntries(seen) as never, limits, onThis());
    };
    const verdict = await missing();
    expect(verdict.findings).toMatchObject([
      {
        about: { name: 'public.sales' },
        says: expect.stringMatching(/HypoPG: the planner would use it, cost \d+ → \d+\)$/),
        rows: [{ columns: 'email', evidence: 'HypoPG' }],
      },
    ]);
    await server.query('DROP EXTENSION hypopg');
    const without = (await missing()).findings?.flatMap(({ rows }) => rows ?? []);
    expect(without).toHaveLength(2);
    expect(without).toMatchObject([{ evidence: 'generic plan' }, { evidence: 'generic plan' }]);
    await server.query('CREATE EXTENSION hypopg');
    await adapter.close();
  });

  async function rollbacks(): Promise<number> {
    const [row] = await server.query(
      `SELECT xact_rollback::int AS count FROM pg_stat_database WHERE datname = 'postgres'`,
    );
    return Number(row?.['count']);
  }
});
