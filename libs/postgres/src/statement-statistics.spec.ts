import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { isBlindSpot, statusOf, type Adapter, type BlindSpot } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
import { compareVersions } from './adapter/extension-rows.ts';
import { missingIndexes } from './diagnostics/missing-indexes.ts';
import { slowStatements } from './diagnostics/slow-statements.ts';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { statementsRead, type Statements } from './reads/statements.ts';
import { examineOnce, see } from './test/examine-once.ts';
import { configOf, createRoles, lookOf } from './test/lab-target.ts';
import { MAJORS } from './test/majors.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describe.each(MAJORS)('statistics of statements on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let adapter: Adapter<PostgresRequest, PostgresAct>;
  beforeAll(async () => {
    server = await startPostgres({ major });
    await createRoles(server);
    adapter = createPostgresAdapter(configOf(server));
  }, 180_000);
  afterAll(async () => {
    await adapter.close();
    await server.stop();
  });

  /** Both checks that need them, blind for the same reason. */
  async function blindness(): Promise<BlindSpot> {
    const spots: BlindSpot[] = [];
    for (const diagnostic of [slowStatements, missingIndexes]) {
      const { verdict } = await examineOnce(diagnostic, adapter);
      expect([diagnostic.id, statusOf(verdict)]).toEqual([diagnostic.id, 'blind']);
      spots.push(verdict.blind![0]!);
    }
    expect(spots[0]).toEqual(spots[1]);
    return spots[0]!;
  }

  it('not loaded, not created, too old, in a schema of its own: each is blind with its reason, and each cure, verbatim, leads to the next', async () => {
    const notLoaded = await blindness();
    expect(notLoaded).toMatchObject({
      why: 'unsupported',
      detail: expect.stringContaining('has not loaded pg_stat_statements'),
      cure: "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'; -- takes effect with the next restart; then CREATE EXTENSION pg_stat_statements; in postgres",
    });
    await server.query(notLoaded.cure!);
    await server.restart();
    const notCreated = await blindness();
    expect(notCreated).toMatchObject({
      why: 'unsupported',
      detail: 'the database postgres has no extension pg_stat_statements',
      cure: 'CREATE EXTENSION pg_stat_statements;',
    });
    await server.query(
      'CREATE SCHEMA "Stats"; CREATE EXTENSION pg_stat_statements SCHEMA "Stats" VERSION \'1.4\'',
    );
    const tooOld = await blindness();
    expect(tooOld).toMatchObject({
      why: 'unsupported',
      cure: 'ALTER EXTENSION pg_stat_statements UPDATE;',
    });
    await server.query(tooOld.cure!);
    const denied = await blindness();
    expect(denied).toMatchObject({
      why: 'denied',
      cure: 'GRANT USAGE ON SCHEMA "Stats" TO starr;',
    });
    await server.query(denied.cure!);
    for (const diagnostic of [slowStatements, missingIndexes]) {
      const { verdict } = await examineOnce(diagnostic, adapter);
      expect(statusOf(verdict)).toBe('healthy');
    }
    const statements = (await see(statementsRead, adapter, lookOf())) as Statements;
    expect(isBlindSpot(statements)).toBe(false);
    expect(statements.byKey.size).toBeGreaterThan(0);
  });

  it('an extension of before the server was upgraded is asked by its own columns', async () => {
    await server.query('DROP EXTENSION pg_stat_statements');
    await server.query("CREATE EXTENSION pg_stat_statements VERSION '1.8'");
    const statements = (await see(statementsRead, adapter, lookOf())) as Statements;
    expect([...statements.byKey.values()][0]).not.toHaveProperty('since');
    await server.query('ALTER EXTENSION pg_stat_statements UPDATE');
    const newer = (await see(statementsRead, adapter, lookOf())) as Statements;
    const [row] = await server.query(
      "SELECT extversion FROM pg_extension WHERE extname = 'pg_stat_statements'",
    );
    const knowsSince = compareVersions(String(row!['extversion']), '1.11') >= 0;
    expect('since' in [...newer.byKey.values()][0]!).toBe(knowsSince);
    expect(knowsSince).toBe(major >= 17);
  });

  it('are never reset by looking', async () => {
    const calls = async () =>
      Number(
        (
          await server.query(
            "SELECT calls::int FROM pg_stat_statements WHERE query LIKE 'SELECT $1::int AS marked%'",
          )
        )[0]?.['calls'],
      );
    await server.query('SELECT 1::int AS marked');
    const before = await calls();
    await examineOnce(slowStatements, adapter);
    await examineOnce(missingIndexes, adapter);
    await server.query('SELECT 1::int AS marked');
    expect(await calls()).toBe(before + 1);
  });
});

it.each([
  ['1.9', '1.10', -1],
  ['1.10', '1.9', 1],
  ['1.8', '1.8', 0],
  ['2', '1.12', 1],
])('version %s against %s', (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
});
