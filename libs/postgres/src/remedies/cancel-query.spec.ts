import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Json } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import { createPostgresAdapter } from '../adapter/create-postgres-adapter.ts';
import type { SignalCandidate } from '../reads/signal-candidates.ts';
import { Clients, pidOf } from '../test/clients.ts';
import { configOf, createRoles, eventually, lookOf } from '../test/lab-target.ts';
import { MAJORS } from '../test/majors.ts';
import { RoundTrip } from '../test/round-trip.ts';
import { candidate } from '../test/signal-candidate.ts';
import { wedge } from '../test/wedge.ts';
import { cancelQuery } from './cancel-query.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

function plan(
  params: Record<string, unknown>,
  sessions: readonly SignalCandidate[],
  options: Record<string, Json> = {},
) {
  return cancelQuery.plan(cancelQuery.params.parse(params), { sessions }, lookOf({ options }));
}

describe('the plan of db.cancel-query', () => {
  it.each([
    [{}, false],
    [{ pid: 0 }, false],
    [{ pid: 1 }, true],
    [{ pid: 1.5 }, false],
    [{ pid: '1' }, false],
    [{ pid: 1, backendStart: 'x'.repeat(41) }, false],
    [{ pid: 1, application: 'report' }, false],
  ])('parameters %j: %s', (params, valid) => {
    expect(cancelQuery.params.safeParse(params).success).toBe(valid);
  });

  it('is exact', () => {
    expect(plan({ pid: 4711 }, [candidate({ blocks: 3, hasWritten: true })])).toEqual({
      operations: [
        {
          act: {
            kind: 'cancel-statement',
            pid: 4711,
            backendStart: '2026-11-24T03:00:00.123456Z',
            statementStart: '2026-11-24T03:10:08.000001Z',
            protectedApplications: expect.arrayContaining(['starr', 'pg_dump']),
          },
          says: 'cancel the statement of pid 4711 (report, role shop), running for 2 min: SELECT count(*) FROM orders WHERE total > ?',
          byHand:
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = 4711 AND backend_start = '2026-11-24T03:00:00.123456Z'" +
            " AND query_start = '2026-11-24T03:10:08.000001Z' AND state = 'active';",
          reversible: false,
          onRefused: 'stop',
          onFailed: 'stop',
        },
      ],
      effect: expect.objectContaining({
        diagnostic: 'db.lock-waits',
        measurement: 'blockedSessions',
        below: 3,
      }),
      touches: [
        expect.objectContaining({ name: 'statementsCancelled', value: 1 }),
        expect.objectContaining({ name: 'sessionsFreed', value: 3 }),
      ],
      warnings: [
        'what its transaction wrote is rolled back',
        'a client that tries again starts it anew',
      ],
    });
  });

  it('of a statement that nobody waits for wants none to run so long', () => {
    expect(plan({ pid: 4711 }, [candidate()])).toMatchObject({
      effect: { measurement: 'longestActiveMs', below: 60_000 },
    });
  });

  it('of a parallel worker means its leader', () => {
    const worker = candidate({ pid: 4712, kind: 'parallel worker', helps: 4711 });
    expect(plan({ pid: 4712 }, [candidate(), worker])).toMatchObject({
      operations: [{ act: { pid: 4711 } }],
    });
    expect(plan({ pid: 4712 }, [worker])).toEqual({
      refused: 'pid 4712 helps pid 4711, which is not there any more',
    });
  });

  it.each<[string, Partial<SignalCandidate>]>([
    ['there is no statement to cancel', { state: 'idle in transaction' }],
    ['a cancel does not reach it', { waitsForClient: true }],
    ['a replication connection', { kind: 'walsender' }],
    [
      'keeps transaction ids from running out',
      { kind: 'autovacuum worker', isAgainstWraparound: true },
    ],
    ['the server’s own autovacuum worker', { kind: 'autovacuum worker' }],
    ['a protected application', { application: 'pg_dump' }],
    ['a protected application', { application: 'nightly' }],
    ['a superuser’s', { isSuperuser: true }],
    ['in the middle of an index build', { job: 'an index build' }],
    ['in the middle of a change of the schema', { isDdl: true }],
  ])('is refused: %s', (reason, more) => {
    expect(plan({ pid: 4711 }, [candidate(more)], { protect: ['nightly'] })).toEqual({
      refused: expect.stringContaining(reason),
    });
  });

  it.each<[string, Partial<SignalCandidate>]>([
    ['a change of the schema that only waits', { isDdl: true, waitsOn: [1] }],
    ['a holder of an advisory lock: its connection stays', { holdsAdvisoryLock: true }],
    ['a migration: it gets an error, and its connection stays', { application: 'flyway' }],
  ])('is made for %s', (_, more) => {
    expect(plan({ pid: 4711 }, [candidate(more)])).not.toHaveProperty('refused');
  });

  it.each([
    [{ pid: 1 }, 'no session with pid 1'],
    [{ pid: 4711, backendStart: '2026-11-24T02:00:00.000000Z' }, 'another session by now'],
  ])('is refused for %j', (params, reason) => {
    expect(plan(params, [candidate()])).toEqual({ refused: expect.stringContaining(reason) });
  });
});

describe.each(MAJORS)('cancelling a statement on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let clients: Clients;
  let trip: RoundTrip;

  beforeAll(async () => {
    server = await startPostgres({ major });
    await createRoles(server);
    await server.query(
      'CREATE TABLE stock (id int PRIMARY KEY, n int); INSERT INTO stock VALUES (1, 1)',
    );
    await server.query('GRANT ALL ON stock TO shop');
    clients = new Clients(server);
    trip = new RoundTrip(server, createPostgresAdapter(configOf(server)));
  }, 180_000);
  afterEach(() => clients.close());
  afterAll(async () => {
    await trip.adapter.close();
    await server.stop();
  });

  const running = (pid: number) =>
    eventually(async () => {
      const [row] = await server.query(
        `SELECT state = 'active' AS active FROM pg_stat_activity WHERE pid = $1`,
        [pid],
      );
      return row?.['active'] === true;
    });

  /** A statement that never ends, in a transaction that holds a row. */
  async function stuck() {
    const client = await clients.open('report');
    await client.query('BEGIN; UPDATE stock SET n = 2');
    const ended = client.query('SELECT pg_sleep(600)').then(
      () => 'ran to its end',
      (error: unknown) => (error as { code?: string }).code,
    );
    await running(pidOf(client));
    return { client, ended, pid: pidOf(client) };
  }

  it('cancels it, frees who waited, proves it, and leaves the connection', async () => {
    const { client, ended, pid } = await stuck();
    const waiter = await clients.open('checkout');
    const waited = waiter.query('UPDATE stock SET n = 3');
    await eventually(async () => {
      const rows = await server.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
      );
      return rows.length === 1;
    });
    const plan = await trip.planned(cancelQuery, { pid });
    expect(plan.touches).toContainEqual(
      expect.objectContaining({ name: 'sessionsFreed', value: 1 }),
    );
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
    const { outcome } = await trip.apply(plan);
    expect(outcome).toMatchObject({ outcome: 'applied', after: { ended: true } });
    expect(await ended).toBe('57014');
    await waited;
    await client.query('ROLLBACK');
    expect(await trip.probe(plan)).toMatchObject({ state: 'applied' });
  });

  it('leaves the next statement of the same session alone', async () => {
    const { client, ended, pid } = await stuck();
    const plan = await trip.planned(cancelQuery, { pid });
    await server.query('SELECT pg_cancel_backend($1)', [pid]);
    await ended;
    await client.query('ROLLBACK');
    const next = client.query('SELECT pg_sleep(1)');
    await running(pid);
    expect((await trip.apply(plan)).outcome).toMatchObject({
      outcome: 'refused',
      says: expect.stringContaining('not as it was planned'),
    });
    await next;
  });

  it('refuses one that waits for its client, which no cancel reaches', async () => {
    const wedged = await wedge(server, { user: 'shop', application: 'stuck', sql: 'SELECT 1' });
    const [row] = await server.query(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'stuck'`,
    );
    const pid = Number(row?.['pid']);
    expect(await trip.refused(cancelQuery, { pid })).toContain('a cancel does not reach it');
    await server.query('SELECT pg_cancel_backend($1)', [pid]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await trip.refused(cancelQuery, { pid })).toContain('a cancel does not reach it');
    wedged.end();
  });

  it('fails clean without the right to signal, and says the grant', async () => {
    const { pid } = await stuck();
    const plan = await trip.planned(cancelQuery, { pid });
    await server.query('REVOKE pg_signal_backend FROM starr_act');
    const { outcome } = await trip.apply(plan);
    expect(outcome).toMatchObject({ outcome: 'failed' });
    const says = outcome.outcome === 'failed' ? outcome.says : '';
    await server.query(/GRANT .*;/.exec(says)![0]);
    expect((await trip.apply(plan)).outcome).toMatchObject({ outcome: 'applied' });
  });

  it('prints a native command that, verbatim, cancels this statement and no other', async () => {
    const { client, ended, pid } = await stuck();
    const { byHand } = (await trip.planned(cancelQuery, { pid })).operations[0]!;
    expect(await server.query(byHand)).toEqual([{ pg_cancel_backend: true }]);
    expect(await ended).toBe('57014');
    await client.query('ROLLBACK');
    expect(await server.query(byHand)).toEqual([]);
  });
});
