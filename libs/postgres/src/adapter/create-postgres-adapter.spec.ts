import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { isDoctorError, type Adapter, type DoctorError } from '@starr/kernel';
import { fillSlots, lockTable, startPostgres, type LabPostgres } from '@starr/lab';
import type { PostgresAct } from '../postgres-act.ts';
import type { PostgresRequest, RowsAnswer } from '../postgres-request.ts';
import { configOf, createRoles, eventually, limitOf } from '../test/lab-target.ts';
import { MAJORS } from '../test/majors.ts';
import { createPostgresAdapter } from './create-postgres-adapter.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const rows = (sql: string): PostgresRequest => ({ kind: 'rows', sql });

async function failureOf(work: Promise<unknown>): Promise<DoctorError> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isDoctorError(thrown)) throw new Error(`no DoctorError but ${String(thrown)}`);
  return thrown;
}

describe.each(MAJORS)('the adapter on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let adapter: Adapter<PostgresRequest, PostgresAct>;
  const opened: Adapter<PostgresRequest, PostgresAct>[] = [];
  const open = (more: Parameters<typeof configOf>[1] = {}) => {
    const made = createPostgresAdapter(configOf(server, more));
    opened.push(made);
    return made;
  };
  const ask = async (sql: string, limit = limitOf()) =>
    (await adapter.perform(rows(sql), limit)) as RowsAnswer;
  const ours = async () =>
    (
      await server.query(
        `SELECT pid, usename FROM pg_stat_activity WHERE application_name = 'starr'`,
      )
    ).length;

  beforeAll(async () => {
    server = await startPostgres({
      major,
      maxConnections: 20,
      settings: major >= 16 ? { reserved_connections: '2' } : {},
    });
    await createRoles(server);
  }, 180_000);
  afterAll(() => server.stop());
  afterEach(async () => {
    server.resume();
    await Promise.all(opened.splice(0).map((each) => each.close()));
    // A session that is still ending holds its slot: the next fault would count it as taken.
    await eventually(async () => (await others()) === 0);
  });
  const others = async () =>
    (
      await server.query(
        `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      )
    ).length;

  it('greets with the version and the clock of the server, and opens nothing before', async () => {
    adapter = open();
    expect(await ours()).toBe(0);
    const greeting = await adapter.greet(limitOf());
    expect(greeting.version).toMatch(new RegExp(`^${major}\\.`));
    expect(Math.abs(greeting.now.getTime() - Date.now())).toBeLessThan(1000);
  });

  it('holds one session of each credential, however often it greets at once', async () => {
    adapter = open();
    const limits = Array.from({ length: 5 }, () => limitOf());
    await Promise.all(limits.map((limit) => adapter.greet(limit)));
    await eventually(async () => (await ours()) === 2);
    await Promise.all(limits.map((limit) => adapter.greet(limit)));
    expect(await ours()).toBe(2);
    expect(limits.map(({ spent }) => spent['connections'] ?? 0).reduce((a, b) => a + b)).toBe(2);
    const roles = await server.query(
      `SELECT usename FROM pg_stat_activity WHERE application_name = 'starr' ORDER BY 1`,
    );
    expect(roles.map(({ usename }) => usename)).toEqual(['starr', 'starr_act']);
  });

  it('holds one session where no acting credential is configured', async () => {
    const { host, port, diagnosing } = configOf(server);
    adapter = createPostgresAdapter({ host, port: port!, diagnosing });
    opened.push(adapter);
    await adapter.greet(limitOf());
    await adapter.greet(limitOf());
    expect(await ours()).toBe(1);
  });

  it('keeps one session for all looks, however many are asked for at once, and counts what they cost', async () => {
    adapter = open();
    const limit = limitOf();
    await Promise.all(Array.from({ length: 20 }, () => ask('SELECT pg_sleep(0.005)', limit)));
    expect(await ours()).toBe(1);
    expect(limit.spent).toMatchObject({ connections: 1, queries: 20 });
    expect(limit.spent['serverMs']).toBeGreaterThanOrEqual(100);
  });

  it('keeps the microseconds of moments', async () => {
    adapter = open();
    const answer = await ask(`SELECT '2026-11-24 03:12:08.123456+00'::timestamptz AS at`);
    expect(answer.rows).toEqual([{ at: expect.stringMatching(/08\.123456/) }]);
  });

  it.each([
    [3, 3, false],
    [4, 3, true],
  ])(
    'of %i rows answers %i, and says whether there were more: %s',
    async (have, got, truncated) => {
      adapter = open();
      const answer = await ask(`SELECT generate_series(1, ${have})`, limitOf({ maxRows: 3 }));
      expect(answer.rows).toHaveLength(got);
      expect(answer.truncated).toBe(truncated);
    },
  );

  it('cannot write, whatever a look says', async () => {
    adapter = open();
    await server.query('CREATE SEQUENCE open_to_all; GRANT ALL ON SEQUENCE open_to_all TO starr');
    const written = await failureOf(ask(`SELECT nextval('public.open_to_all')`));
    expect(written.rawMessage).toContain('read-only transaction');
  });

  it('lets one failing look fail alone', async () => {
    adapter = open();
    const [bad, good, slow, after] = await Promise.allSettled([
      ask('SELECT nothing_of_that_name'),
      ask('SELECT 1 AS one'),
      ask('SELECT pg_sleep(5)', limitOf({ timeoutMs: 100 })),
      ask('SELECT 2 AS two'),
    ]);
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'TARGET_UNSUPPORTED' } });
    expect(good).toMatchObject({ status: 'fulfilled', value: { rows: [{ one: 1 }] } });
    expect(slow).toMatchObject({ status: 'rejected', reason: { code: 'EVIDENCE_TIMEOUT' } });
    expect(after).toMatchObject({ status: 'fulfilled', value: { rows: [{ two: 2 }] } });
    expect(await ours()).toBe(1);
  });

  it('stops waiting when nobody wants the answer, and the server ends the statement by itself', async () => {
    adapter = open();
    await ask('SELECT 1');
    const abort = new AbortController();
    const look = ask('SELECT pg_sleep(5)', limitOf({ timeoutMs: 400, signal: abort.signal }));
    setTimeout(() => {
      abort.abort();
    }, 50);
    expect((await failureOf(look)).code).toBe('WIRE_CANCELLED');
    const cancelledAt = performance.now();
    const running = () =>
      server.query(
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'starr' AND query LIKE '%pg_sleep(5)%' AND state = 'active'`,
      );
    await eventually(async () => (await running()).length === 0);
    // Left alone it would sleep for five seconds; how much sooner it ends is a matter of how busy the machine is.
    expect(performance.now() - cancelledAt).toBeLessThan(4000);
    await eventually(() =>
      ask('SELECT 1 AS one').then(
        () => true,
        () => false,
      ),
    );
  });

  it('opens a new session by itself when the held one was ended', async () => {
    adapter = open();
    await ask('SELECT 1');
    await server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'starr'`,
    );
    expect((await ask('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(await ours()).toBe(1);
  });

  it('gives a stopped server up within the limit, for all who wait, and finds it again', async () => {
    adapter = open();
    await ask('SELECT 1');
    server.pause();
    const startedAt = performance.now();
    const errors = await Promise.all(
      Array.from({ length: 5 }, () => failureOf(ask('SELECT 1', limitOf({ timeoutMs: 500 })))),
    );
    // One after the other it would be five times as long.
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(errors.map(({ code }) => code)).toEqual(Array(5).fill('EVIDENCE_TIMEOUT'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const fresh = await failureOf(ask('SELECT 1', limitOf({ timeoutMs: 300 })));
    expect(fresh).toMatchObject({ code: 'TARGET_UNREACHABLE' });
    server.resume();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await ask('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await eventually(async () => (await ours()) === 1);
  });

  it('is closed without waiting for a stopped server', async () => {
    adapter = open();
    await ask('SELECT 1');
    server.pause();
    const startedAt = performance.now();
    await adapter.close();
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it('says that a killed server does not answer, and finds it again when it is back', async () => {
    adapter = open();
    await ask('SELECT 1');
    await server.kill();
    expect(await failureOf(ask('SELECT 1'))).toMatchObject({
      code: 'TARGET_UNREACHABLE',
      retryable: true,
    });
    await server.restart();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await ask('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('keeps answering on the held session when the slots are gone', async () => {
    adapter = open();
    await ask('SELECT 1');
    const fault = await fillSlots(server, 0, { user: 'shop' });
    expect((await ask('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await fault.end();
  });

  it('decodes a refusal, remembers it, and its cure lets it in', async () => {
    adapter = open();
    const fault = await fillSlots(server, 0, { user: 'shop' });
    expect(await adapter.greet(limitOf())).toEqual({ version: '', now: expect.any(Date) });
    const error = await failureOf(ask('SELECT 1'));
    expect(error.code).toBe('TARGET_BUSY');
    expect(error.rawMessage).toContain('all ordinary slots are in use');
    const refusals = await adapter.perform({ kind: 'refusals' }, limitOf());
    expect(refusals).toEqual([
      {
        by: major >= 16 ? 'reserved' : 'superuser-reserved',
        at: expect.any(Date),
        role: 'starr',
        database: 'postgres',
        isStanding: true,
      },
    ]);
    if (major >= 16) {
      expect(error.details['cure']).toBe('GRANT pg_use_reserved_connections TO starr;');
      await server.query(error.details['cure']!);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await adapter.greet(limitOf());
      expect((await ask('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      expect(await adapter.perform({ kind: 'refusals' }, limitOf())).toMatchObject([
        { isStanding: false },
      ]);
      await server.query('REVOKE pg_use_reserved_connections FROM starr');
    }
    await fault.end();
  });

  it('is not held up by a table under ACCESS EXCLUSIVE with waiters', async () => {
    adapter = open();
    await server.query('CREATE TABLE IF NOT EXISTS locked (id int)');
    const fault = await lockTable(server, 'locked', 10);
    const startedAt = performance.now();
    const answer = await ask(
      `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
    );
    expect(answer.rows).toEqual([{ waiting: 10 }]);
    expect(performance.now() - startedAt).toBeLessThan(1000);
    const would = await failureOf(ask(`SELECT pg_relation_size('public.locked')`));
    expect(would).toMatchObject({ code: 'EVIDENCE_TIMEOUT' });
    await fault.end();
  });

  it.each([
    ['an unknown role', { diagnosing: { user: 'nobody_knows' } }, 'TARGET_DENIED'],
    ['an unknown database', { database: 'nowhere' }, 'CONFIG_INVALID'],
    ['TLS that the server does not offer', { tls: {} }, 'CONFIG_INVALID'],
    ['a port where nobody listens', { port: 1 }, 'TARGET_UNREACHABLE'],
    ['a host of no address', { host: 'nowhere.invalid' }, 'TARGET_UNREACHABLE'],
  ])('says what is wrong with %s', async (_, more, code) => {
    adapter = open(more);
    const error = await failureOf(adapter.greet(limitOf()));
    expect(error.code).toBe(code);
  });
});

it('puts no timeout into the startup packet, which a pooler would refuse', async () => {
  const pooler = createServer();
  pooler.listen(0, '127.0.0.1');
  await once(pooler, 'listening');
  const packet = new Promise<string>((resolve) => {
    pooler.once('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (chunk) => {
        resolve(chunk.toString('latin1'));
        socket.destroy();
      });
    });
  });
  const { port } = pooler.address() as AddressInfo;
  const adapter = createPostgresAdapter({
    host: '127.0.0.1',
    port,
    diagnosing: { user: 'starr' },
  });
  await failureOf(adapter.greet(limitOf()));
  const names = (await packet)
    .slice(8)
    .split('\0')
    .filter((_, index) => index % 2 === 0);
  expect(names.filter((name) => name !== '')).toEqual(
    expect.arrayContaining(['user', 'database', 'application_name']),
  );
  expect(await packet).not.toMatch(/timeout|options|search_path/);
  await adapter.close();
  pooler.close();
});
