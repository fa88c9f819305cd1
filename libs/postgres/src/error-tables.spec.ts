import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Adapter, Verdict } from '@starr/kernel';
import { lockTable, startPostgres, type LabPostgres } from '@starr/lab';
import { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
import { errorTable } from './diagnostics/error-table.ts';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { see } from './test/examine-once.ts';
import { limitsOf } from './test/limits-of.ts';
import { configOf, createRoles, limitOf, lookOf } from './test/lab-target.ts';
import { MAJORS } from './test/majors.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describe.each(MAJORS)('tables of errors on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let adapter: Adapter<PostgresRequest, PostgresAct>;

  beforeAll(async () => {
    server = await startPostgres({ major });
    await createRoles(server);
    await server.query(
      `CREATE SCHEMA "App";
       CREATE TABLE "App"."Errors" (id bigserial PRIMARY KEY, "at" timestamptz NOT NULL, "what's" text, secret text, trace text);
       CREATE TABLE indexed (created_at timestamp, message jsonb);
       CREATE INDEX ON indexed (created_at);
       CREATE TABLE large (created_at timestamptz, message text);
       CREATE TABLE small (created_at timestamptz, message text);
       CREATE TABLE odd (created_at text, message text);
       CREATE VIEW viewed AS SELECT * FROM small;
       INSERT INTO "App"."Errors" ("at", "what's", secret, trace)
         SELECT now() - n * interval '4 s', 'user "jane' || n || '" failed after ' || n || ' ms', 'hunter2', '4bf92f3577b34da6a3ce929d0e0e4736'
           FROM generate_series(1, 60) n;
       INSERT INTO indexed SELECT localtimestamp - n * interval '1 min', '{"error": "boom"}' FROM generate_series(1, 90) n;
       INSERT INTO large SELECT now(), 'x' FROM generate_series(1, 20000);
       INSERT INTO small SELECT now(), 'full' FROM generate_series(1, 20);
       ANALYZE`,
    );
    adapter = createPostgresAdapter(configOf(server));
  }, 180_000);
  afterAll(async () => {
    await adapter.close();
    await server.stop();
  });

  async function examine(...errorTables: readonly Record<string, string>[]): Promise<Verdict> {
    const look = lookOf({ ...(await adapter.greet(limitOf())), options: { errorTables } });
    const tables = await see(errorTable.reads.tables, adapter, look);
    return errorTable.judge({ tables } as never, limitsOf(errorTable), look);
  }
  const grant = (sql: string) => server.query(sql);
  const of = (table: string) => ({ table, time: 'created_at', message: 'message' });
  const errors = { table: 'App.Errors', time: 'at', message: "what's", trace: 'trace' };

  it('one that may not be read is blind, and the grant of the named columns and its key lets it be read', async () => {
    const before = await examine(errors);
    expect(before.measured).toEqual([]);
    const [spot] = before.blind!;
    expect(spot).toMatchObject({ why: 'denied', detail: 'starr may not read App.Errors' });
    expect(spot!.cure).not.toContain('secret');
    await grant(spot!.cure!);
    const after = await examine(errors);
    expect(after).toMatchObject({
      findings: [
        {
          about: { kind: 'table', name: 'App.Errors' },
          says: expect.stringContaining('user ? failed after ? ms'),
          involves: [{}, { kind: 'trace', name: '4bf92f3577b34da6a3ce929d0e0e4736' }],
        },
      ],
      blind: [],
    });
    expect(JSON.stringify(after)).not.toMatch(/jane|hunter/);
  });

  it('by an index on the time, whatever the type of the message', async () => {
    await grant('GRANT SELECT ON indexed TO starr');
    const verdict = await examine(of('indexed'));
    expect(verdict.measured).toContainEqual(
      expect.objectContaining({ name: 'fingerprints', value: 1 }),
    );
    expect(verdict).toMatchObject({ findings: [], blind: [] });
  });

  it('whole where it is known to be small, never where it is large', async () => {
    await grant('GRANT SELECT ON small, large, odd, viewed TO starr');
    expect((await examine(of('small'))).findings).toHaveLength(1);
    const [spot] = (await examine(of('large'))).blind!;
    expect(spot).toMatchObject({
      why: 'unsupported',
      cure: 'CREATE INDEX CONCURRENTLY ON "public"."large" ("created_at");',
    });
    await server.query(spot!.cure!);
    // All of them at once: the newest are read, and it says so.
    expect((await examine(of('large'))).blind).toMatchObject([{ why: 'truncated' }]);
  });

  it.each([
    ['missing', 'there is no table public.missing in this database'],
    ['viewed', 'public.viewed is a view or something else: name the table itself'],
    ['odd', 'public.odd.created_at is neither a timestamp nor a date'],
    [
      `x'; DROP TABLE small; --`,
      `there is no table public.x'; DROP TABLE small; -- in this database`,
    ],
  ])('what cannot be read says why: %s', async (table, detail) => {
    expect((await examine(of(table))).blind).toMatchObject([{ why: 'unsupported', detail }]);
    expect(await server.query('SELECT 1 FROM small LIMIT 1')).toHaveLength(1);
  });

  it('a column that is not there is named', async () => {
    const verdict = await examine({ table: 'small', time: 'at', message: 'message' });
    expect(verdict.blind).toMatchObject([{ detail: 'public.small has no column at' }]);
  });

  it('one that is locked is blind, and waited for by nobody', async () => {
    const fault = await lockTable(server, 'public.small', 10, { user: 'postgres' });
    const startedAt = performance.now();
    expect(await examine(of('small'))).toMatchObject({ measured: [], blind: [{ why: 'timeout' }] });
    expect(performance.now() - startedAt).toBeLessThan(1000);
    await fault.end();
  });
});
