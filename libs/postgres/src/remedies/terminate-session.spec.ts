import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Json } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import type pg from 'pg';
import type { TerminateSessionAct } from '../acts/signal-session.ts';
import { createPostgresAdapter } from '../adapter/create-postgres-adapter.ts';
import type { SignalCandidate } from '../reads/signal-candidates.ts';
import { Clients, pidOf } from '../test/clients.ts';
import { configOf, createRoles, eventually, lookOf } from '../test/lab-target.ts';
import { MAJORS } from '../test/majors.ts';
import { actOf, RoundTrip } from '../test/round-trip.ts';
import { candidate } from '../test/signal-candidate.ts';
import { wedge } from '../test/wedge.ts';
import { terminateSession } from './terminate-session.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const open: Partial<SignalCandidate> = { state: 'idle in transaction' };
const wedged: Partial<SignalCandidate> = { waitsForClient: true };

function plan(more: Partial<SignalCandidate>, options: Record<string, Json> = {}) {
  return terminateSession.plan(
    terminateSession.params.parse({ pid: 4711 }),
    { sessions: [candidate(more)] },
    lookOf({ options }),
  );
}

describe('the plan of db.terminate-session', () => {
  it.each<[string, Partial<SignalCandidate>, TerminateSessionAct['because'], string]>([
    [
      'an idle transaction that others wait for',
      { ...open, blocks: 2, stateMs: 1 },
      'blocks',
      'blockedSessions',
    ],
    [
      'an idle transaction of a minute',
      { ...open, stateMs: 60_000 },
      'idle-in-transaction',
      'longestIdleInTransactionMs',
    ],
    [
      'an aborted one of a minute',
      { state: 'idle in transaction (aborted)', stateMs: 60_000 },
      'idle-in-transaction',
      'longestIdleInTransactionMs',
    ],
    [
      'a client that stopped for a minute',
      { ...wedged, stateMs: 60_000 },
      'wedged',
      'longestWedgedMs',
    ],
    [
      'a client that stopped, and others wait',
      { ...wedged, blocks: 1, stateMs: 1 },
      'blocks',
      'blockedSessions',
    ],
  ])('is made for %s', (_, more, because, measurement) => {
    expect(plan(more)).toMatchObject({
      operations: [
        {
          act: {
            kind: 'terminate-session',
            because,
            pid: 4711,
            backendStart: '2026-11-24T03:00:00.123456Z',
            transactionStart: '2026-11-24T03:10:08.000001Z',
          },
          reversible: false,
        },
      ],
      effect: { measurement },
    });
  });

  it.each<[string, Partial<SignalCandidate>]>([
    ['idle in its transaction for 60 s and holds nobody up', { ...open, stateMs: 59_999 }],
    ['from 60 s on', { ...wedged, stateMs: 59_999 }],
    ['db.cancel-query', {}],
    ['db.cancel-query', { blocks: 5 }],
    ['what holds it up is pid 12, pid 13', { ...open, waitsOn: [12, 13], blocks: 9 }],
    ['ROLLBACK PREPARED', { waitsOn: [0] }],
    ['a replication connection', { ...open, kind: 'walsender' }],
    ['a superuser', { ...open, isSuperuser: true }],
    ['an advisory lock', { ...open, holdsAdvisoryLock: true, blocks: 1 }],
    ['listens', { ...open, listens: true }],
    ['a migration', { ...open, application: 'db-migrate' }],
    ['a protected application', { ...open, application: 'nightly' }],
    ['in the middle of a copy', { job: 'a copy', waitsForClient: true }],
    ['holds nobody up', { state: 'disabled' }],
  ])('is refused: %s', (reason, more) => {
    expect(plan(more, { protect: ['nightly'] })).toEqual({
      refused: expect.stringContaining(reason),
    });
  });

  it('says what is lost, and which change of the schema then goes on', () => {
    const migration = candidate({ pid: 5, isDdl: true, waitsOn: [4711] });
    const made = terminateSession.plan(
      { pid: 4711 },
      { sessions: [candidate({ ...open, blocks: 1, hasWritten: true }), migration] },
      lookOf(),
    );
    expect(made).toMatchObject({
      warnings: expect.arrayContaining([
        'what its transaction wrote is rolled back',
        'pid 5 waits for it with a change of the schema, which then goes on',
      ]),
    });
    expect(plan({ ...open, blocks: 1 })).toMatchObject({
      warnings: expect.arrayContaining(['its transaction has written nothing']),
    });
  });
});

describe.each(MAJORS)('ending a session on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let clients: Clients;
  let trip: RoundTrip;

  beforeAll(async () => {
    server = await startPostgres({ major });
    await createRoles(server);
    await server.query(
      'CREATE TABLE stock (id int PRIMARY KEY, n int); INSERT INTO stock VALUES (1, 1)',
    );
    await server.query('ALTER TABLE stock OWNER TO shop');
    clients = new Clients(server);
    trip = new RoundTrip(server, createPostgresAdapter(configOf(server)));
  }, 180_000);
  afterEach(() => clients.close());
  afterAll(async () => {
    await trip.adapter.close();
    await server.stop();
  });

  const waiting = (count: number) =>
    eventually(async () => {
      const rows = await server.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
      );
      return rows.length === count;
    });

  /** A reader that forgets its transaction, a change of the schema behind it, and a reader behind that. */
  async function sandwich() {
    const reader = await clients.open('report');
    await reader.query('BEGIN; SELECT * FROM stock');
    const migration = await clients.open('migrate');
    const changed = migration.query('ALTER TABLE stock ADD COLUMN IF NOT EXISTS note text');
    await waiting(1);
    const victim = await clients.open('checkout');
    const read = victim.query('SELECT count(*)::int AS rows FROM stock');
    await waiting(2);
    return { reader, migration, changed, read };
  }

  const isOpen = (client: pg.Client) =>
    client.query('SELECT 1').then(
      () => true,
      () => false,
    );

  it('ends the root of a queue, frees all behind it, and proves it', async () => {
    const { reader, migration, changed, read } = await sandwich();
    expect(await trip.refused(terminateSession, { pid: pidOf(migration) })).toContain(
      `pid ${pidOf(reader)}`,
    );
    const plan = await trip.planned(terminateSession, { pid: pidOf(reader) });
    expect(plan.warnings.join('\n')).toContain(`pid ${pidOf(migration)} waits for it`);
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
    expect((await trip.apply(plan)).outcome).toMatchObject({
      outcome: 'applied',
      after: { ended: true },
    });
    await changed;
    expect((await read).rows).toEqual([{ rows: 1 }]);
    expect(await isOpen(reader)).toBe(false);
    expect(await trip.probe(plan)).toMatchObject({ state: 'applied' });
  });

  it('leaves it alone when nobody waits for it any more', async () => {
    const { reader, migration, changed, read } = await sandwich();
    const plan = await trip.planned(terminateSession, { pid: pidOf(reader) });
    await server.query('SELECT pg_cancel_backend($1)', [pidOf(migration)]);
    await expect(changed).rejects.toMatchObject({ code: '57014' });
    await read;
    expect((await trip.apply(plan)).outcome).toMatchObject({ outcome: 'refused' });
    expect(await isOpen(reader)).toBe(true);
  });

  it('leaves it alone in its next transaction, and under another start', async () => {
    const { reader, changed, read } = await sandwich();
    const plan = await trip.planned(terminateSession, { pid: pidOf(reader) });
    const act = actOf(plan) as TerminateSessionAct;
    const other = { ...act, backendStart: '2026-01-01T00:00:00.000000Z' };
    const operations = [{ ...plan.operations[0]!, act: other }];
    expect((await trip.apply({ ...plan, operations })).outcome).toMatchObject({
      outcome: 'refused',
      says: expect.stringContaining('ended already'),
    });
    await reader.query('COMMIT');
    await Promise.all([changed, read]);
    await reader.query('BEGIN; SELECT * FROM stock');
    expect((await trip.apply(plan)).outcome).toMatchObject({ outcome: 'refused' });
    expect(await isOpen(reader)).toBe(true);
  });

  it('ends a client that stopped in the middle of a request', async () => {
    const session = await wedge(server, { user: 'shop', application: 'stuck', sql: 'SELECT 1' });
    const [row] = await server.query(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'stuck'`,
    );
    const pid = Number(row?.['pid']);
    expect(await trip.refused(terminateSession, { pid })).toContain('from 60 s on');
    // The plan of a minute later.
    const seen = { ...(await candidateOf(pid)), stateMs: 60_000 };
    const plan = terminateSession.plan({ pid }, { sessions: [seen] }, lookOf());
    if ('refused' in plan) throw new Error(plan.refused);
    expect((await trip.apply(plan)).outcome).toMatchObject({ outcome: 'applied' });
    session.end();
  });

  async function candidateOf(pid: number): Promise<SignalCandidate> {
    const look = lookOf({ version: server.version });
    const { sessions } = terminateSession.reads;
    const request = sessions.request(look);
    if ('why' in request) throw new Error(request.detail);
    const raw = await trip.adapter.perform(request, {
      timeoutMs: 1000,
      maxRows: 100,
      signal: AbortSignal.timeout(1000),
      spend: () => undefined,
    });
    const seen = sessions.parse(raw, look);
    if ('why' in seen) throw new Error(seen.detail);
    return seen.find((each) => each.pid === pid)!;
  }

  it('prints a native command that, verbatim, ends this session and no other', async () => {
    const { reader, changed, read } = await sandwich();
    const other = await clients.open('worker');
    const { byHand } = (await trip.planned(terminateSession, { pid: pidOf(reader) }))
      .operations[0]!;
    expect(await server.query(byHand)).toEqual([{ pg_terminate_backend: true }]);
    await Promise.all([changed, read]);
    expect(await isOpen(other)).toBe(true);
  });
});
