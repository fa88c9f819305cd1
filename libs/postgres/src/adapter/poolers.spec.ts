import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { isBlindSpot, statusOf, type Relation } from '@starr/kernel';
import { fillSlots, POOLER_ROLES, startPostgres, type LabPostgres } from '@starr/lab';
import pg from 'pg';
import { postgresCatalog } from '../catalog.ts';
import { connectionLeak } from '../diagnostics/connection-leak.ts';
import { connectionUse } from '../diagnostics/connection-use.ts';
import { pgbouncerPools } from '../diagnostics/pgbouncer-pools.ts';
import { pooledSessionsRead, type PooledSessions } from '../reads/pooled-sessions.ts';
import { terminateIdleSessions } from '../remedies/terminate-idle-sessions.ts';
import { examineOnce, see } from '../test/examine-once.ts';
import { configOf, createRoles, eventually, limitOf, lookOf } from '../test/lab-target.ts';
import { MAJORS } from '../test/majors.ts';
import { describeWithPgBouncer, poolerConfig } from '../test/pooled.ts';
import { PooledLab } from '../test/pooled-lab.ts';
import { RoundTrip } from '../test/round-trip.ts';
import { createPostgresAdapter } from './create-postgres-adapter.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describeWithPgBouncer.each(MAJORS)('a pooler before PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let lab: PooledLab;
  beforeAll(async () => {
    server = await startPostgres({ major, maxConnections: 30, statStatements: true });
    await createRoles(server);
  }, 180_000);
  afterAll(() => server.stop());
  afterEach(() => lab.stop());

  const look = () => lookOf({ version: server.version });
  /** A loaded machine may need more than the time of one look. */
  const pooledSessions = async (adapter = lab.adapter()): Promise<PooledSessions> => {
    let sessions: PooledSessions | undefined;
    await eventually(async () => {
      const seen = await see(pooledSessionsRead, adapter, look());
      if (isBlindSpot(seen)) throw new Error(seen.detail);
      sessions = seen as PooledSessions;
      return sessions.blind.every(({ why }) => why !== 'timeout');
    });
    if (sessions === undefined) throw new Error('nothing was seen');
    return sessions;
  };

  it('who is behind a backend: pid to client address and application within one sample', async () => {
    lab = await PooledLab.start(server);
    const clients = [
      await lab.client('checkout', '127.0.3.2'),
      await lab.client('checkout', '127.0.3.3'),
      await lab.client('ledger', '127.0.3.4'),
    ];
    const pids = new Map<number, string>();
    for (const client of clients) {
      const { rows } = await client.query<{ pid: number; name: string }>(
        `SELECT pg_backend_pid() AS pid, current_setting('application_name') AS name`,
      );
      pids.set(rows[0]!.pid, rows[0]!.name);
    }
    const { sessions, blind } = await pooledSessions();
    expect(blind).toEqual([]);
    expect(sessions.map(({ pid }) => pid).toSorted()).toEqual([...pids.keys()].toSorted());
    expect(
      sessions.map(({ client }) => `${client?.application}@${client?.address}`).toSorted(),
    ).toEqual(['checkout@127.0.3.2', 'checkout@127.0.3.3', 'ledger@127.0.3.4']);
    for (const { pid, client, serverAddress, backendStart } of sessions) {
      expect(client?.application).toBe(pids.get(pid));
      expect(serverAddress).toBe('127.0.0.1');
      expect(backendStart).toMatch(/\.\d{6}Z$/);
    }
    const relations =
      pooledSessionsRead.relate?.({ sessions, waiting: [], clients: [], blind }, look()) ?? [];
    const client = { kind: 'client', name: 'ledger@127.0.3.4', scope: 'orders' };
    const ledger = sessions.find((each) => each.client?.application === 'ledger')!;
    const expected: Relation[] = [
      {
        from: { kind: 'backend', name: `${ledger.pid}/${ledger.backendStart}`, scope: 'orders' },
        is: 'serves',
        to: client,
      },
      { from: client, is: 'connects-from', to: { kind: 'address', name: '127.0.3.4' } },
      {
        from: client,
        is: 'uses',
        to: { kind: 'pooler-pool', name: 'bouncer/postgres/shop', scope: 'orders' },
      },
    ];
    expect(relations).toEqual(expect.arrayContaining(expected));
  });

  it('a backend that the pooler keeps for nobody is nobody’s, and the next client’s afterwards', async () => {
    lab = await PooledLab.start(server, { settings: { default_pool_size: '1' } });
    const first = await lab.client('first', '127.0.3.2');
    await first.query('SELECT 1');
    const adapter = lab.adapter();
    const [held] = (await pooledSessions(adapter)).sessions;
    expect(held?.client?.address).toBe('127.0.3.2');
    await first.end();
    await eventually(async () => (await pooledSessions(adapter)).sessions[0]?.client === undefined);
    await (await lab.client('second', '127.0.3.3')).query('SELECT 1');
    const [again] = (await pooledSessions(adapter)).sessions;
    expect(again).toMatchObject({
      pid: held?.pid,
      client: { application: 'second', address: '127.0.3.3' },
    });
  });

  it('a leak through the pooler names the real client, and its cure ends the sessions of that one alone', async () => {
    lab = await PooledLab.start(server);
    // Backends that have served others before: the server alone would not take them for used once.
    const before = [];
    for (let each = 0; each < 6; each += 1) before.push(await lab.client('checkout', '127.0.3.9'));
    for (const client of before) await client.query('SELECT 1');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    for (const client of before) await client.query('SELECT 2');
    for (const client of before) await client.end();
    const worker = await lab.client('checkout', '127.0.3.3');
    const beat = setInterval(() => void worker.query('SELECT 1').catch(() => undefined), 300);
    try {
      for (let each = 0; each < 9; each += 1) {
        await (await lab.client('checkout', '127.0.3.2')).query('SELECT 1');
        await new Promise((resolve) => setTimeout(resolve, 600));
      }
      await new Promise((resolve) => setTimeout(resolve, 5200));
      const adapter = lab.adapter();
      const { verdict } = await examineOnce(connectionLeak, adapter);
      expect(verdict.findings).toHaveLength(1);
      expect(verdict.findings?.[0]).toMatchObject({
        about: { kind: 'client', name: 'checkout@127.0.3.2', scope: 'orders' },
        says: expect.stringContaining('behind pooler bouncer'),
        rows: [{ application: 'checkout', address: '127.0.3.2', pooler: 'bouncer', usedOnce: 9 }],
      });
      const trip = new RoundTrip(server, adapter);
      const made = await trip.planned(terminateIdleSessions, { application: 'checkout' });
      expect(made.touches[0]).toMatchObject({ name: 'sessionsEnded', value: 9 });
      expect((await trip.apply(made)).outcome).toMatchObject({ outcome: 'applied' });
      await worker.query('SELECT 1');
      expect((await examineOnce(connectionLeak, adapter)).verdict.findings).toEqual([]);
    } finally {
      clearInterval(beat);
    }
  });

  it('refused by the server, it goes on over the console of the pooler, and each look says why', async () => {
    lab = await PooledLab.start(server, { poolMode: 'transaction' });
    await (await lab.client('checkout', '127.0.3.2')).query('SELECT 1');
    const filled = await fillSlots(server, 0, { user: 'shop' });
    const adapter = lab.adapter();
    const { verdict } = await examineOnce(pgbouncerPools, adapter);
    expect(verdict.measured).toContainEqual({
      name: 'pooledServers',
      about: { kind: 'postgres', name: 'orders' },
      value: 1,
    });
    expect(verdict.blind?.[0]).toMatchObject({
      why: 'unreachable',
      detail: expect.stringContaining('connection refused: '),
    });
    const use = await examineOnce(connectionUse, adapter);
    expect(use.verdict.findings).toMatchObject([
      { severity: 'critical', says: expect.stringContaining('new connections are turned away') },
    ]);
    expect(use.verdict.blind).toMatchObject([{ why: 'unreachable' }]);
    await filled.end();
    await eventually(async () => {
      const again = await examineOnce(connectionUse, adapter);
      return statusOf(again.verdict) === 'healthy';
    });
  });

  it('where no console answers either, each look says the server’s own reason', async () => {
    lab = await PooledLab.start(server);
    const filled = await fillSlots(server, 0, { user: 'shop' });
    const adapter = lab.adapter();
    await lab.pooler.kill();
    await adapter.greet(limitOf());
    const look = adapter.perform({ kind: 'rows', sql: 'SELECT 1' }, limitOf());
    await expect(look).rejects.toMatchObject({ code: 'TARGET_BUSY' });
    await filled.end();
    await server.kill();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(adapter.greet(limitOf())).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' });
    await server.restart();
  });

  it('PgBouncer console and pooled DSN both work: every read, and an act, through the pooler', async () => {
    lab = await PooledLab.start(server, { poolMode: 'transaction' });
    const { host, port } = lab.pooler;
    const adapter = createPostgresAdapter(
      configOf(server, { host, port, poolers: [poolerConfig(lab.pooler)] }),
    );
    try {
      const greeting = await adapter.greet(limitOf());
      expect(greeting.version).toMatch(new RegExp(`^${major}\\.`));
      for (const diagnostic of postgresCatalog.diagnostics) {
        const { verdict } = await examineOnce(diagnostic, adapter);
        expect(`${diagnostic.id} ${statusOf(verdict)}`).toBe(`${diagnostic.id} healthy`);
      }
      const leaked = new pg.Client({
        connectionString: server.url('shop'),
        application_name: 'forgotten',
      });
      leaked.on('error', () => undefined);
      await leaked.connect();
      await leaked.query('SELECT 1');
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const trip = new RoundTrip(server, adapter);
      const made = await trip.planned(terminateIdleSessions, {
        application: 'forgotten',
        idleFloorMs: 1000,
      });
      expect((await trip.apply(made)).outcome).toMatchObject({ outcome: 'applied' });
    } finally {
      await adapter.close();
    }
  });

  it('through a pooler that is full, or whose server is away, it says so and what to do', async () => {
    lab = await PooledLab.start(server, {
      settings: { max_client_conn: '1', server_login_retry: '1', query_wait_timeout: '1' },
    });
    const { host, port } = lab.pooler;
    const through = async (more: object = {}) => {
      const adapter = createPostgresAdapter(configOf(server, { host, port, ...more }));
      const failure: unknown = await adapter
        .greet(limitOf({ timeoutMs: 4000 }))
        .then(() => adapter.perform({ kind: 'rows', sql: 'SELECT 1' }, limitOf()))
        .catch((e: unknown) => e);
      const { verdict } = await examineOnce(connectionUse, adapter);
      await adapter.close();
      return { failure, findings: verdict.findings ?? [] };
    };
    const holder = await lab.client('holder');
    await holder.query('SELECT 1');
    expect(await through()).toMatchObject({
      failure: {
        code: 'TARGET_BUSY',
        rawMessage: expect.stringContaining('the pooler takes no more clients'),
      },
      findings: [{ severity: 'critical', says: expect.stringContaining('max_client_conn') }],
    });
    await holder.end();
    await server.kill();
    expect(await through()).toMatchObject({
      failure: {
        code: expect.stringMatching(/TARGET_(UNREACHABLE|BUSY)/),
        rawMessage: expect.stringMatching(/the pooler (gets|had) no connection/),
      },
      findings: [],
    });
    await server.restart();
  });

  it('the diagnosing user of the console can change nothing', async () => {
    lab = await PooledLab.start(server);
    for (const command of ['PAUSE', 'SET default_pool_size = 1', 'RELOAD', 'SHUTDOWN'])
      await expect(lab.pooler.console(command, POOLER_ROLES.looks)).rejects.toThrow(
        'admin access needed',
      );
  });
});
