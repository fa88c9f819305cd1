import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startPostgres, type LabPostgres } from '@starr/lab';
import type { StatementPlansAnswer } from '../postgres-request.ts';
import { configOf, createRoles, limitOf } from '../test/lab-target.ts';
import { MAJORS } from '../test/majors.ts';
import { createPostgresAdapter } from './create-postgres-adapter.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describe.each(MAJORS)('plans of statements on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  beforeAll(async () => {
    server = await startPostgres({ major, statStatements: true });
    await createRoles(server);
    await server.query('CREATE TABLE hidden (id int); CREATE TABLE open (id int)');
    await server.query('GRANT SELECT ON open TO starr');
    await server.query('SELECT * FROM hidden WHERE id = 1');
    await server.query('SELECT * FROM open WHERE id = 1');
  }, 180_000);
  afterAll(() => server.stop());

  it('roll nothing back, whether they are made or denied: the application’s rollbacks stay its own', async () => {
    const before = await rollbacks();
    const adapter = createPostgresAdapter(configOf(server));
    const answer = (await adapter.perform(
      {
        kind: 'statement-plans',
        sql: `SELECT queryid::text AS id, query FROM {schema}.pg_stat_statements WHERE query LIKE 'SELECT * FROM %'`,
      },
      limitOf({ timeoutMs: 5000 }),
    )) as StatementPlansAnswer;
    await adapter.close();
    const planned = answer.plans.map((plan) => [plan.query, 'plan' in plan ? 'made' : plan.state]);
    expect(planned).toEqual(
      expect.arrayContaining([
        [expect.stringContaining('open'), 'made'],
        [expect.stringContaining('hidden'), '42501'],
      ]),
    );
    // Sessions hand their counts over when they end.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await rollbacks()).toBe(before);
  });

  async function rollbacks(): Promise<number> {
    const [row] = await server.query(
      `SELECT xact_rollback::int AS count FROM pg_stat_database WHERE datname = 'postgres'`,
    );
    return Number(row?.['count']);
  }
});
