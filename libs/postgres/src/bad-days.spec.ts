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
import { statusOf, type Adapter, type Outcome, type Verdict } from '@starr/kernel';
import {
  fillSlots,
  leakConnections,
  lockTable,
  startPostgres,
  type Fault,
  type LabPostgres,
} from '@starr/lab';
import { Socket } from 'node:net';
import pg from 'pg';
import { createPostgresAdapter } from './adapter/create-postgres-adapter.ts';
import { postgresCatalog } from './catalog.ts';
import { connectionLeak } from './diagnostics/connection-leak.ts';
import { connectionUse } from './diagnostics/connection-use.ts';
import { idleInTransaction } from './diagnostics/idle-in-transaction.ts';
import type { PostgresAct } from './postgres-act.ts';
import type { PostgresRequest } from './postgres-request.ts';
import { terminateIdleSessions } from './remedies/terminate-idle-sessions.ts';
import { examineOnce, see } from './test/examine-once.ts';
import { configOf, createRoles, eventually, limitOf, lookOf } from './test/lab-target.ts';
import { MAJORS } from './test/majors.ts';

const { diagnostics } = postgresCatalog;
const ANSWER_WITHIN_MS = 5000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describe.each(MAJORS)('on a bad day of PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let adapter: Adapter<PostgresRequest, PostgresAct>;
  const faults: Fault[] = [];

  beforeAll(async () => {
    server = await startPostgres({
      major,
      statStatements: true,
      maxConnections: 80,
      settings: major >= 16 ? { reserved_connections: '2' } : {},
    });
    await createRoles(server);
    await server.query('CREATE TABLE orders (id int)');
  }, 180_000);
  afterAll(() => server.stop());
  beforeEach(() => {
    adapter = createPostgresAdapter(configOf(server));
  });
  afterEach(async () => {
    server.resume();
    await Promise.all(faults.splice(0).map((fault) => fault.end()));
    await adapter.close();
    // A session that is still ending holds its slot: the next fault would count it as taken.
    await eventually(async () => (await others()) === 0);
  });
  const others = async () =>
    (
      await server.query(
        `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      )
    ).length;

  const examineAll = async () => {
    const startedAt = performance.now();
    const examined = await Promise.all(diagnostics.map((each) => examineOnce(each, adapter)));
    expect(performance.now() - startedAt).toBeLessThan(ANSWER_WITHIN_MS);
    return examined.map(({ verdict }) => verdict);
  };
  const statuses = (verdicts: readonly Verdict[]) => verdicts.map(statusOf);
  const ours = async () =>
    (await server.query(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'starr'`)).length;

  it('a good day: healthy, on one connection to look and one to act', async () => {
    expect(statuses(await examineAll())).toEqual(diagnostics.map(() => 'healthy'));
    expect(await ours()).toBe(2);
  });

  it.each([
    ['after the first sweep', true, 'timeout'],
    ['before the first sweep', false, 'unreachable'],
  ])('stopped %s: every check is blind, and sees again when it goes on', async (_, warm, why) => {
    if (warm) await examineAll();
    server.pause();
    for (const verdict of await examineAll()) {
      expect(statusOf(verdict)).toBe('blind');
      expect(new Set(verdict.blind!.map((spot) => spot.why))).toEqual(new Set([why]));
    }
    server.resume();
    await pause(300);
    expect(statuses(await examineAll())).toEqual(diagnostics.map(() => 'healthy'));
    await eventually(async () => (await ours()) === 2);
  });

  it('killed: every check is blind for being unreachable, and sees again when it is back', async () => {
    await examineAll();
    await server.kill();
    for (const verdict of await examineAll()) {
      expect(verdict.blind!.map((spot) => spot.why)).toEqual(['unreachable']);
    }
    await server.restart();
    await pause(300);
    expect(statuses(await examineAll())).toEqual(diagnostics.map(() => 'healthy'));
  });

  it('out of slots, with the session that was held: found, critical, and everything else as usual', async () => {
    await examineAll();
    faults.push(await fillSlots(server, 0, { user: 'shop', applicationName: 'checkout' }));
    const verdicts = await examineAll();
    expect(statuses(verdicts)).not.toContain('blind');
    const use = verdicts[diagnostics.indexOf(connectionUse)]!;
    expect(use.findings).toMatchObject([
      {
        severity: 'critical',
        says: expect.stringContaining('usable slots are in use: ordinary roles are turned away'),
      },
    ]);
    expect(use.findings![0]!.rows![0]).toMatchObject({ application: 'checkout' });
  });

  it('out of slots, without one: the limit that was hit is found, the rest is blind for it, with what lets it in', async () => {
    faults.push(await fillSlots(server, 0, { user: 'shop' }));
    const verdicts = await examineAll();
    expect(statuses(verdicts)).toEqual(
      diagnostics.map(({ id }) => {
        if (id === connectionUse.id) return 'found';
        // There is none, and none of it is asked of the server.
        return id === 'db.pgbouncer-pools' ? 'healthy' : 'blind';
      }),
    );
    const cures = new Set(verdicts.flatMap(({ blind }) => blind!.map(({ cure }) => cure)));
    expect(cures.size).toBe(1);
    const [cure] = cures;
    if (major >= 16) {
      expect(cure).toBe('GRANT pg_use_reserved_connections TO starr;');
      await server.query(cure!);
      await pause(300);
      expect(statuses(await examineAll())).toContain('found');
      await server.query('REVOKE pg_use_reserved_connections FROM starr');
    } else expect(cure).toContain('End sessions as a superuser');
  });

  it('at the CONNECTION LIMIT of our own role: blind, and the statement that lets it in does', async () => {
    await server.query('ALTER ROLE starr CONNECTION LIMIT 0');
    const [verdict] = await examineAll();
    const [spot] = verdict!.blind!;
    expect(spot).toMatchObject({
      why: 'unreachable',
      cure: 'ALTER ROLE starr CONNECTION LIMIT 4;',
    });
    await server.query(spot!.cure!);
    await pause(300);
    expect(statuses(await examineAll())).not.toContain('blind');
  });

  it('a table under ACCESS EXCLUSIVE with 50 waiters: all are seen, none is a finding by itself, nobody waits for us', async () => {
    await examineAll();
    faults.push(
      await lockTable(server, 'public.orders', 50, {
        user: 'postgres',
        applicationName: 'checkout',
      }),
    );
    const startedAt = performance.now();
    const verdicts = await examineAll();
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(statuses(verdicts)).toEqual(diagnostics.map(() => 'healthy'));
    const measured = verdicts.flatMap((verdict) => verdict.measured);
    expect(measured).toContainEqual(expect.objectContaining({ name: 'lockWaiters', value: 50 }));
    expect(await ours()).toBe(2);
  });

  it('an idle transaction that 50 wait for weighs more', async () => {
    faults.push(
      await lockTable(server, 'public.orders', 50, {
        user: 'postgres',
        applicationName: 'migration',
      }),
    );
    const { verdict } = await examineOnce(idleInTransaction, adapter, {
      idleInTransactionWarnMs: 1,
    });
    expect(verdict.findings).toMatchObject([
      {
        severity: 'critical',
        about: { kind: 'application', name: 'migration' },
        says: expect.stringContaining('; 50 wait for it'),
        rows: [
          {
            blocks: 50,
            state: 'idle in transaction',
          },
        ],
      },
    ]);
  });

  it('literals of statements never leave', async () => {
    const client = new pg.Client({
      connectionString: server.url('shop'),
      application_name: 'shop',
    });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('BEGIN');
    await client.query(`SELECT 'jane@example.org', 4711`);
    const { verdict } = await examineOnce(idleInTransaction, adapter, {
      idleInTransactionWarnMs: 1,
    });
    expect(verdict.findings![0]!.rows![0]).toMatchObject({ statement: 'SELECT ?, ?' });
    expect(JSON.stringify(verdict.findings)).not.toMatch(/jane|4711,/);
    await client.end();
  });
});

describe('a real leak beside real pools', () => {
  const servers: LabPostgres[] = [];
  beforeAll(async () => {
    servers.push(
      ...(await Promise.all([startPostgres({ major: 18 }), startPostgres({ major: 15 })])),
    );
    await Promise.all(servers.map(createRoles));
  }, 180_000);
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  it('is named, ended, and seen to be gone; the pools live on', async () => {
    await Promise.all(servers.map(playLeak));
  }, 60_000);
});

/** Sessions leak from two addresses over 7 s; a busy pool, and a static one that was opened at once, are none of it. */
async function playLeak(server: LabPostgres): Promise<void> {
  const adapter = createPostgresAdapter(configOf(server));
  const busy = new pg.Pool({
    connectionString: server.url('shop'),
    application_name: 'worker',
    max: 10,
  });
  const static_ = await leakConnections(server, 30, { user: 'shop', applicationName: 'reports' });
  const traffic = setInterval(() => {
    for (let query = 0; query < 4; query += 1) void busy.query('SELECT pg_sleep(0.01)');
  }, 50);
  const leaked: pg.Client[] = [];
  for (let round = 0; round < 12; round += 1) {
    for (const address of ['127.0.3.2', '127.0.3.3']) leaked.push(await leakFrom(server, address));
    await pause(600);
  }
  await pause(5200);
  const { verdict, relations } = await examineOnce(connectionLeak, adapter);
  expect(verdict.findings).toHaveLength(1);
  expect(verdict.findings![0]).toMatchObject({
    about: { kind: 'application', name: 'checkout', scope: 'orders' },
    involves: [
      { kind: 'client', name: 'checkout@127.0.3.2' },
      { kind: 'address', name: '127.0.3.2' },
      { kind: 'client', name: 'checkout@127.0.3.3' },
      { kind: 'address', name: '127.0.3.3' },
    ],
  });
  const worker = { kind: 'client', name: 'worker@127.0.0.1', scope: 'orders' };
  expect(relations).toContainEqual({
    from: worker,
    is: 'connects-from',
    to: { kind: 'address', name: '127.0.0.1' },
  });
  const act = await planned(adapter, server, {
    application: 'checkout',
    addresses: '127.0.3.2,127.0.3.3',
  });
  if (act.kind !== 'terminate-sessions') throw new Error(act.kind);
  expect(act.sessions.length).toBeGreaterThanOrEqual(20);
  const outcome = await outcomeOf(adapter, act);
  expect(outcome).toMatchObject({
    outcome: 'applied',
    after: { counts: { ended: act.sessions.length } },
  });
  const after = await examineOnce(connectionLeak, adapter);
  expect(after.verdict.findings).toEqual([]);
  expect((await busy.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  clearInterval(traffic);
  await Promise.all([busy.end(), static_.end(), adapter.close()]);
  await Promise.all(leaked.map((client) => client.end()));
}

/** A session used once, from an address of its own, as a pod's. */
async function leakFrom(server: LabPostgres, localAddress: string): Promise<pg.Client> {
  const socket = new Socket();
  const connect = socket.connect.bind(socket) as (options: object) => Socket;
  socket.connect = ((port: number, host: string) =>
    connect({ port, host, localAddress })) as typeof socket.connect;
  const client = new pg.Client({
    connectionString: server.url('shop'),
    application_name: 'checkout',
    stream: () => socket,
  });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('SELECT 1');
  return client;
}

async function planned(
  adapter: Adapter<PostgresRequest, PostgresAct>,
  server: LabPostgres,
  params: Record<string, string>,
): Promise<PostgresAct> {
  const look = lookOf({ version: server.version });
  const seen = {
    candidates: await see(terminateIdleSessions.reads.candidates, adapter, look),
    slots: await see(terminateIdleSessions.reads.slots, adapter, look),
    pooled: await see(terminateIdleSessions.reads.pooled, adapter, look),
  };
  const plan = terminateIdleSessions.plan(
    terminateIdleSessions.params.parse(params),
    seen as never,
    look,
  );
  if ('refused' in plan) throw new Error(plan.refused);
  return plan.operations[0]!.act;
}

async function outcomeOf(
  adapter: Adapter<PostgresRequest, PostgresAct>,
  act: PostgresAct,
): Promise<Outcome | undefined> {
  let outcome: Outcome | undefined;
  for await (const event of adapter.apply(act, 'op-1', limitOf({ timeoutMs: 10_000 }))) {
    if (event.kind === 'outcome') outcome = event;
  }
  return outcome;
}
