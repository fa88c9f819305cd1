import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { fillSlots, leakConnections, lockTable } from './faults/postgres-faults.ts';
import { treeOf } from './leash.ts';
import { type LabPostgres, startPostgres } from './postgres.ts';
import type { PostgresMajor } from './install-postgres.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const LAB = new URL('./index.ts', import.meta.url).href;

async function eventually(
  check: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${check.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function isGone(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return state === undefined || state.includes(') Z ');
}

describe.each<PostgresMajor>([18, 15])('PostgreSQL %i of the lab', (major) => {
  let server: LabPostgres;
  beforeAll(async () => {
    server = await startPostgres({ major, maxConnections: 20, statStatements: true });
  }, 180_000);
  afterAll(() => server.stop());

  it('answers with its version, its settings and pg_stat_statements', async () => {
    const [row] = await server.query(
      `SELECT current_setting('server_version_num')::int / 10000 AS major,
              current_setting('max_connections') AS max, (SELECT count(*) FROM pg_stat_statements) AS seen`,
    );
    expect(row).toMatchObject({ major, max: '20' });
    expect(server.url('a b', 'c/d')).toBe(`postgresql://a%20b@127.0.0.1:${server.port}/c%2Fd`);
  });

  it('answers nothing while it is paused, also on sessions that were open', async () => {
    const client = new pg.Client({ connectionString: server.superuserUrl });
    await client.connect();
    server.pause();
    const answer = client.query('SELECT 1');
    const first = await Promise.race([
      answer.then(() => 'answered'),
      new Promise((resolve) => setTimeout(resolve, 300, 'silent')),
    ]);
    server.resume();
    expect(first).toBe('silent');
    expect((await answer).rowCount).toBe(1);
    await client.end();
  });

  it('comes back with its data after a kill', async () => {
    await server.query('CREATE TABLE kept AS SELECT 42 AS answer');
    await server.kill();
    await expect(server.query('SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await server.restart();
    expect(await server.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('runs out of slots for ordinary roles, and has them again when the fault ends', async () => {
    await server.query('CREATE ROLE ordinary LOGIN');
    const fault = await fillSlots(server, 0, { user: 'ordinary' });
    await expect(server.query('SELECT 1', [], { user: 'ordinary' })).rejects.toMatchObject({
      code: '53300',
    });
    expect(await server.query('SELECT 1 AS one')).toEqual([{ one: 1 }]); // a reserved slot
    await fault.end();
    await eventually(async () => (await othersOf(server)) === 0);
    expect(await server.query('SELECT 1 AS one', [], { user: 'ordinary' })).toHaveLength(1);
    expect(fault.says).toContain('leave 0 slots free');
  });

  it('leaves exactly the slots that were asked for', async () => {
    const fault = await fillSlots(server, 2, { user: 'ordinary' });
    const two = await leakConnections(server, 2, { user: 'ordinary' });
    await expect(leakConnections(server, 1, { user: 'ordinary' })).rejects.toMatchObject({
      code: '53300',
    });
    await Promise.all([fault.end(), two.end()]);
    await eventually(async () => (await othersOf(server)) === 0);
  });

  it('leaks sessions that were used once', async () => {
    const fault = await leakConnections(server, 5, { applicationName: 'checkout' });
    const rows = await server.query(
      `SELECT state, state_change - backend_start < interval '1 s' AS once
         FROM pg_stat_activity WHERE application_name = 'checkout'`,
    );
    expect(rows).toEqual(Array.from({ length: 5 }, () => ({ state: 'idle', once: true })));
    await fault.end();
  });

  it('locks a table and lets sessions wait for it', async () => {
    await server.query('CREATE TABLE locked (id int)');
    const fault = await lockTable(server, 'public.locked', 6);
    const waiting = await server.query(`SELECT pid FROM pg_locks WHERE NOT granted`);
    expect(waiting).toHaveLength(6);
    await fault.end();
    await eventually(
      async () => (await server.query('SELECT 1 FROM pg_locks WHERE NOT granted')).length === 0,
    );
    expect(await server.query('SELECT count(*)::int AS n FROM locked')).toEqual([{ n: 0 }]);
  });
});

async function othersOf(server: LabPostgres): Promise<number> {
  const rows = await server.query(
    `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
  );
  return rows.length;
}

describe('a PostgreSQL whose owner is killed', () => {
  it.each([['running'], ['paused']])('leaves no process and no data: %s', async (state) => {
    const script = `
      import { startPostgres } from '${LAB}';
      const server = await startPostgres();
      if ('${state}' === 'paused') server.pause();
      console.log(server.pid);`;
    const owner = spawn(
      process.execPath,
      ['--conditions=@starr/source', '--input-type=module', '--eval', script],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
    );
    const [chunk] = (await once(owner.stdout, 'data')) as [Buffer];
    const pid = Number(String(chunk).trim());
    const pids = treeOf(pid);
    expect(pids.length).toBeGreaterThan(3); // the postmaster and its own
    const dataFolder = /-D\0([^\0]+)/.exec(await readFile(`/proc/${pid}/cmdline`, 'utf8'))?.[1];
    expect(dataFolder).toContain('starr-postgres-18-');
    owner.kill('SIGKILL');
    for (const each of pids) await eventually(() => isGone(each), 20_000);
    await eventually(() =>
      stat(dataFolder!).then(
        () => false,
        () => true,
      ),
    );
  });
});

it('says with the own words of the server why it does not start', async () => {
  await expect(startPostgres({ settings: { work_mem: 'plenty' } })).rejects.toThrow(
    /postgres 18\.4\.0 ended at once \(exit code 1\); its last lines:[^]*invalid value for parameter "work_mem"/,
  );
});
