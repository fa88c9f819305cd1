import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { installPgBouncer } from './install-pgbouncer.ts';
import { POOLER_ROLES, startPgBouncer, type LabPgBouncer } from './pgbouncer.ts';
import { startPostgres, type LabPostgres } from './postgres.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const LAB = new URL('./index.ts', import.meta.url).href;
const binary = await installPgBouncer();
if (binary.kind === 'missing') console.log(`PgBouncer: ${binary.why}`);
const onPgBouncer =
  binary.kind === 'present' || process.env['CI'] === 'true' ? describe : describe.skip;

onPgBouncer('PgBouncer of the lab', () => {
  let postgres: LabPostgres;
  let pooler: LabPgBouncer | undefined;
  beforeAll(async () => {
    postgres = await startPostgres();
    await postgres.query('CREATE ROLE shop LOGIN');
  }, 180_000);
  afterAll(() => postgres.stop());
  afterEach(() => pooler?.stop());

  it('passes sessions on, as another user than root, and shows them on its console', async () => {
    pooler = await startPgBouncer({
      postgres,
      users: ['shop'],
      settings: { default_pool_size: '3' },
    });
    const client = new pg.Client({
      connectionString: pooler.url('shop'),
      application_name: 'checkout',
    });
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    expect(await pooler.console('SHOW SERVERS')).toMatchObject([
      { user: 'shop', remote_pid: rows[0]?.pid, application_name: 'checkout' },
    ]);
    expect(await pooler.console('SHOW DATABASES')).toContainEqual(
      expect.objectContaining({ name: 'postgres', pool_size: 3 }),
    );
    await client.end();
    expect(await readFile(`/proc/${pooler.pid}/status`, 'utf8')).not.toMatch(/^Uid:\t0\b/m);
  });

  it('lets one of its users look and another one act', async () => {
    pooler = await startPgBouncer({ postgres, users: [] });
    expect(await pooler.console('SHOW POOLS', POOLER_ROLES.looks)).not.toHaveLength(0);
    await expect(pooler.console('SET default_pool_size = 4', POOLER_ROLES.looks)).rejects.toThrow(
      'admin access needed',
    );
    await pooler.console('SET default_pool_size = 4');
  });

  it('ends when its owner is killed', async () => {
    const script = `
      import { startPgBouncer } from '${LAB}';
      const postgres = { host: '127.0.0.1', port: ${postgres.port} };
      console.log((await startPgBouncer({ postgres, users: [] })).pid);`;
    const owner = spawn(
      process.execPath,
      ['--conditions=@starr/source', '--input-type=module', '--eval', script],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
    );
    const [chunk] = (await once(owner.stdout, 'data')) as [Buffer];
    const stat = `/proc/${Number(String(chunk).trim())}/stat`;
    expect(await readFile(stat, 'utf8')).toContain('(pgbouncer)');
    owner.kill('SIGKILL');
    for (let tries = 0; tries < 1000; tries += 1) {
      const state = await readFile(stat, 'utf8').catch(() => ') Z ');
      if (state.includes(') Z ')) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('pgbouncer is still there');
  });
});
