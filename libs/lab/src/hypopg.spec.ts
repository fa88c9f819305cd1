import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { installHypopg } from './install-hypopg.ts';
import { openSession } from './postgres-session.ts';
import { startPostgres, type LabPostgres } from './postgres.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const found = await installHypopg();
if (found.kind === 'missing') console.log(`HypoPG: ${found.why}`);
const onHypopg =
  found.kind === 'present' || process.env['CI'] === 'true' ? describe : describe.skip;

onHypopg('PostgreSQL 15 of Debian with HypoPG', () => {
  let server: LabPostgres;
  beforeAll(async () => {
    server = await startPostgres({ hypopg: true, statStatements: true });
  }, 180_000);
  afterAll(() => server.stop());

  it('is a 15 of its own, and plans with an index that is not there', async () => {
    expect(server.major).toBe(15);
    expect(server.version).toMatch(/^15\.\d+$/);
    await server.query('CREATE TABLE wide AS SELECT n AS id FROM generate_series(1, 20000) n');
    await using session = await openSession(server);
    await session.query("SELECT hypopg_create_index('CREATE INDEX ON wide (id)')");
    const plan = await session.query('EXPLAIN SELECT * FROM wide WHERE id = 1');
    expect(JSON.stringify(plan)).toContain('btree_wide_id');
    expect(await server.query("SELECT FROM pg_indexes WHERE tablename = 'wide'")).toEqual([]);
  });
});
