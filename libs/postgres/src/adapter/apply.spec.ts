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
import {
  isBlindSpot,
  type Adapter,
  type Outcome,
  type Plan,
  type PlanRefused,
  type Progress,
} from '@starr/kernel';
import { fillSlots, leakConnections, startPostgres, type LabPostgres } from '@starr/lab';
import pg from 'pg';
import type { PostgresAct, TerminateSessionsAct } from '../postgres-act.ts';
import type { PostgresRequest } from '../postgres-request.ts';
import { idleCandidatesRead } from '../reads/idle-candidates.ts';
import { slotsRead } from '../reads/slots.ts';
import { terminateIdleSessions } from '../remedies/terminate-idle-sessions.ts';
import { configOf, createRoles, eventually, limitOf, lookOf } from '../test/lab-target.ts';
import { MAJORS } from '../test/majors.ts';
import { createPostgresAdapter } from './create-postgres-adapter.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

describe.each(MAJORS)('ending sessions on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let adapter: Adapter<PostgresRequest, PostgresAct>;
  const clients: pg.Client[] = [];

  beforeAll(async () => {
    server = await startPostgres({ major, maxConnections: 30, settings: { wal_level: 'logical' } });
    await createRoles(server);
  }, 180_000);
  afterAll(() => server.stop());
  beforeEach(() => {
    adapter = createPostgresAdapter(configOf(server));
  });
  afterEach(async () => {
    server.resume();
    await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
    await adapter.close();
    await eventually(async () => (await sessionsOf()).length === 0);
  });

  const sessionsOf = () =>
    server.query(
      `SELECT pid, application_name, state FROM pg_stat_activity
        WHERE backend_type IN ('client backend', 'walsender') AND pid <> pg_backend_pid()`,
    );
  const pidsOf = async (application: string) =>
    (
      await server.query('SELECT pid FROM pg_stat_activity WHERE application_name = $1', [
        application,
      ])
    ).map(({ pid }) => Number(pid));

  /** A session of the shop that stays. */
  async function client(
    application = 'checkout',
    config: Partial<pg.ClientConfig> & { replication?: string } = {},
  ) {
    const opened = new pg.Client({
      connectionString: server.url('shop'),
      application_name: application,
      ...config,
    });
    opened.on('error', () => undefined);
    await opened.connect();
    clients.push(opened);
    return opened;
  }

  async function planFor(
    params: Record<string, unknown>,
    options = {},
  ): Promise<Plan<PostgresAct> | PlanRefused> {
    const look = lookOf({ version: server.version, options });
    const see = async <T>(read: {
      request(l: typeof look): unknown;
      parse(raw: unknown, l: typeof look): T;
      maxRows: number;
    }) =>
      read.parse(
        await adapter.perform(
          read.request(look) as PostgresRequest,
          limitOf({ maxRows: read.maxRows }),
        ),
        look,
      );
    const [candidates, slots] = [await see(idleCandidatesRead), await see(slotsRead)];
    if (isBlindSpot(candidates) || isBlindSpot(slots)) throw new Error('blind');
    return terminateIdleSessions.plan(
      terminateIdleSessions.params.parse(params),
      { candidates, slots, pooled: { sessions: [], waiting: [], clients: [], blind: [] } },
      look,
    );
  }

  async function actFor(
    params: Record<string, unknown>,
    options = {},
  ): Promise<TerminateSessionsAct> {
    const plan = await planFor(params, options);
    if ('refused' in plan) throw new Error(plan.refused);
    return terminationOf(plan);
  }

  function terminationOf(plan: Plan<PostgresAct>): TerminateSessionsAct {
    const act = plan.operations[0]!.act;
    if (act.kind !== 'terminate-sessions') throw new Error(act.kind);
    return act;
  }

  /** All idle sessions of an application, sealed as they are now, without a floor to wait for. */
  async function sealed(application = 'checkout'): Promise<TerminateSessionsAct> {
    const look = lookOf({ version: server.version });
    const raw = await adapter.perform(
      idleCandidatesRead.request(look) as PostgresRequest,
      limitOf(),
    );
    const seen = idleCandidatesRead.parse(raw, look);
    if (isBlindSpot(seen)) throw new Error(seen.detail);
    const sessions = seen.sessions
      .filter((session) => session.application === application)
      .map(({ pid, backendStart, stateChange }) => ({ pid, backendStart, stateChange }));
    return { kind: 'terminate-sessions', sessions, protectedApplications: [] };
  }

  async function outcomeOf(act: PostgresAct, by = adapter): Promise<Outcome> {
    const events: (Progress | Outcome)[] = [];
    for await (const event of by.apply(act, 'op-1', limitOf({ timeoutMs: 10_000 })))
      events.push(event);
    const last = events.at(-1);
    if (last?.kind !== 'outcome') throw new Error('no outcome');
    expect(events.filter(({ kind }) => kind === 'outcome')).toHaveLength(1);
    return last;
  }

  it('ends exactly the sessions of the plan, proves it, and leaves nothing of its own behind but what it holds', async () => {
    const leak = await leakConnections(server, 12, { user: 'shop', applicationName: 'checkout' });
    const other = await client('worker');
    await idleFor(1050);
    const act = await actFor({ application: 'checkout', idleFloorMs: 1000, maxShare: 1 });
    const pids = await pidsOf('checkout');
    expect(act.sessions.map(({ pid }) => pid).toSorted()).toEqual(pids.toSorted());
    expect(await adapter.probe(act, 'op-1', limitOf())).toMatchObject({ state: 'not-applied' });
    const outcome = await outcomeOf(act);
    expect(outcome).toMatchObject({
      outcome: 'applied',
      after: { counts: { ended: 12, changed: 0, untouched: 0 } },
    });
    expect(await pidsOf('checkout')).toEqual([]);
    expect(await adapter.probe(act, 'op-1', limitOf())).toMatchObject({ state: 'applied' });
    expect((await other.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    // One to look, one to act: both stay, idle.
    await eventually(async () => (await pidsOf('starr')).length === 2);
    await leak.end();
  });

  const idleFor = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('leaves a session alone that was used between plan and act', async () => {
    const used = await client();
    const idle = await client();
    const act = await sealed();
    await used.query('SELECT 1');
    const ended = new Promise((resolve) => idle.once('end', resolve));
    expect(await outcomeOf(act)).toMatchObject({
      outcome: 'applied',
      after: { counts: { ended: 1, changed: 1 } },
    });
    await ended;
    expect((await used.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(await adapter.probe(act, 'op-1', limitOf())).toMatchObject({ state: 'indeterminate' });
  });

  it.each([
    ['another start', { backendStart: '2026-01-01T00:00:00.000000Z' }, 'gone'],
    ['another idle spell', { stateChange: '2026-01-01T00:00:00.000000Z' }, 'changed'],
  ])('never ends the same pid with %s', async (_, other, end) => {
    const survivor = await client();
    const act = await sealed();
    const moved = { ...act, sessions: act.sessions.map((seal) => ({ ...seal, ...other })) };
    expect(await outcomeOf(moved)).toMatchObject({
      outcome: 'refused',
      says: expect.stringContaining(`1 ${end}`),
    });
    expect((await survivor.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('matches to the microsecond, so that 20 of 20 are ended', async () => {
    await leakConnections(server, 20, { user: 'shop', applicationName: 'checkout' });
    const act = await sealed();
    expect(act.sessions.every(({ backendStart }) => /\.\d{6}Z$/.test(backendStart))).toBe(true);
    expect(await outcomeOf(act)).toMatchObject({ after: { counts: { ended: 20 } } });
  });

  describe('protected sessions', () => {
    it('are spared by the plan, with the reason of each', async () => {
      await client();
      const leader = await client();
      await leader.query('SELECT pg_advisory_lock(7)');
      const listener = await client();
      await listener.query('LISTEN orders');
      await client('reports');
      await client('checkout', { connectionString: server.superuserUrl });
      const walsender = await client('checkout', {
        connectionString: server.superuserUrl,
        replication: 'database',
      });
      await walsender.query('IDENTIFY_SYSTEM');
      await idleFor(1050);
      const plan = await planFor({ idleFloorMs: 1000, maxShare: 1 }, { protect: ['reports'] });
      if ('refused' in plan) throw new Error(plan.refused);
      expect(terminationOf(plan).sessions).toHaveLength(1);
      const warnings = plan.warnings.join('\n');
      for (const reason of [
        'replication connection',
        'superuser',
        'advisory lock',
        'listens',
        'protected application',
      ])
        expect(warnings).toContain(reason);
    });

    it.each<[string, (session: pg.Client) => Promise<unknown>]>([
      ['takes an advisory lock', (session) => session.query('SELECT pg_advisory_lock(8)')],
      ['listens', (session) => session.query('LISTEN orders')],
    ])('are spared by the act: one that %s at the moment of it', async (_, protect) => {
      const session = await client();
      await protect(session);
      await idleFor(1050);
      const [row] = await server.query(
        `SELECT pid, to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS backend_start,
                to_char(state_change AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS state_change
           FROM pg_stat_activity WHERE application_name = 'checkout'`,
      );
      const seal = {
        pid: Number(row!['pid']),
        backendStart: String(row!['backend_start']),
        stateChange: String(row!['state_change']),
      };
      const act: PostgresAct = {
        kind: 'terminate-sessions',
        sessions: [seal],
        protectedApplications: [],
      };
      expect(await outcomeOf(act)).toMatchObject({ outcome: 'refused' });
      const named = { ...act, protectedApplications: ['checkout'] };
      expect(await outcomeOf(named)).toMatchObject({ outcome: 'refused' });
      expect((await session.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });

    it('never include a walsender, even if a plan names it', async () => {
      const walsender = await client('repl', {
        connectionString: server.superuserUrl,
        replication: 'database',
      });
      await walsender.query('IDENTIFY_SYSTEM');
      const [row] = await server.query(
        `SELECT pid, backend_start::text, state_change::text FROM pg_stat_activity WHERE application_name = 'repl'`,
      );
      const act: PostgresAct = {
        kind: 'terminate-sessions',
        sessions: [
          {
            pid: Number(row!['pid']),
            backendStart: String(row!['backend_start']),
            stateChange: String(row!['state_change']),
          },
        ],
        protectedApplications: [],
      };
      expect(await outcomeOf(act)).toMatchObject({
        outcome: 'refused',
        says: expect.stringContaining('changed'),
      });
      expect(await pidsOf('repl')).toHaveLength(1);
    });
  });

  it.each([
    [
      'without pg_signal_backend',
      'REVOKE pg_signal_backend FROM starr_act',
      'GRANT pg_signal_backend TO starr_act;',
    ],
    [
      'without pg_read_all_stats',
      'REVOKE pg_read_all_stats FROM starr_act',
      'GRANT pg_read_all_stats TO starr_act;',
    ],
  ])('%s it fails clean and says the grant, which cures it', async (_, revoke, cure) => {
    await client();
    const act = await sealed();
    await server.query(revoke);
    const failed = await outcomeOf(act);
    expect(failed).toMatchObject({ outcome: 'failed' });
    const says = failed.outcome === 'failed' ? failed.says : '';
    expect(says).toContain(cure);
    expect(await pidsOf('checkout')).toHaveLength(1);
    await server.query(/GRANT .*;/.exec(says)![0]);
    expect(await outcomeOf(act)).toMatchObject({ outcome: 'applied' });
  });

  it('without an acting credential does nothing', async () => {
    const { acting: _, ...readOnly } = configOf(server);
    const blunt = createPostgresAdapter(readOnly);
    const act: PostgresAct = {
      kind: 'terminate-sessions',
      sessions: [],
      protectedApplications: [],
    };
    expect(await outcomeOf(act, blunt)).toMatchObject({ outcome: 'failed' });
    await blunt.close();
  });

  it('the diagnosing role itself cannot signal', async () => {
    await client();
    const look = server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'checkout'`,
      [],
      { user: 'starr' },
    );
    await expect(look).rejects.toMatchObject({ code: '42501' });
  });

  it('acts although all slots are gone and others grab each one that becomes free', async () => {
    await adapter.greet(limitOf());
    await client('checkout');
    const act = await sealed();
    const fault = await fillSlots(server, 0, { user: 'shop' });
    const hunger = await startHunger(10);
    expect(await outcomeOf(act)).toMatchObject({
      outcome: 'applied',
      after: { counts: { ended: 1 } },
    });
    // The slot that became free is somebody's by now; ours is still ours.
    const again = await sealed('hungry');
    expect(await outcomeOf(again)).toMatchObject({ outcome: 'applied' });
    await hunger.end();
    await fault.end();
  });

  it('acts without a slot of its own on the one that it looks with, and gives it back', async () => {
    await client('checkout');
    const fault = await fillSlots(server, 1, { user: 'shop' });
    await adapter.greet(limitOf());
    const act = await sealed();
    expect(await outcomeOf(act)).toMatchObject({
      outcome: 'applied',
      after: { counts: { ended: 1 } },
    });
    expect((await adapter.greet(limitOf())).version).toMatch(/^\d+/);
    expect(await adapter.perform({ kind: 'refusals' }, limitOf())).not.toHaveLength(0);
    await fault.end();
  });

  /** So many who ask for a session again and again, and keep each that they get. */
  async function startHunger(count: number) {
    let isOver = false;
    const got: pg.Client[] = [];
    const loops = Array.from({ length: count }, async () => {
      while (!isOver) {
        const asking = new pg.Client({
          connectionString: server.url('shop'),
          application_name: 'hungry',
        });
        asking.on('error', () => undefined);
        await asking.connect().then(
          () => void got.push(asking),
          () => undefined,
        );
      }
    });
    await eventually(async () => (await refusedSoFar()) > 0);
    return {
      end: async () => {
        isOver = true;
        await Promise.all(loops);
        await Promise.all(got.map((each) => each.end().catch(() => undefined)));
      },
    };

    async function refusedSoFar() {
      const probe = new pg.Client({ connectionString: server.url('shop') });
      probe.on('error', () => undefined);
      return probe.connect().then(
        () => probe.end().then(() => 0),
        () => 1,
      );
    }
  }

  it('reports a server that stops in the middle as indeterminate, and the patient tells the rest later', async () => {
    const leak = await leakConnections(server, 12, { user: 'shop', applicationName: 'checkout' });
    await adapter.greet(limitOf());
    const act = await sealed();
    let outcome: Outcome | undefined;
    for await (const event of adapter.apply(act, 'op-1', limitOf({ timeoutMs: 10_000 }))) {
      if (event.kind === 'progress') server.pause();
      else outcome = event;
    }
    expect(outcome).toMatchObject({
      outcome: 'indeterminate',
      says: expect.stringContaining('10 of 12'),
    });
    await expect(adapter.probe(act, 'op-1', limitOf({ timeoutMs: 300 }))).rejects.toMatchObject({
      code: 'EVIDENCE_TIMEOUT',
    });
    server.resume();
    // The stopped server still holds the statement that it was told; until it is through, nobody says "not applied".
    const probe = () => adapter.probe(act, 'op-1', limitOf()).catch(() => undefined);
    await eventually(async () => ((await probe())?.state ?? 'running') !== 'running');
    const probed = await probe();
    const left = (await pidsOf('checkout')).length;
    expect(probed?.state).toBe(left === 0 ? 'applied' : 'indeterminate');
    expect(left).toBeLessThan(3);
    await leak.end();
  }, 15_000);

  it('fails clean when the server stopped before', async () => {
    await client();
    const act = await sealed();
    server.pause();
    expect(await outcomeOf(act)).toMatchObject({ outcome: 'failed' });
    server.resume();
    expect(await pidsOf('checkout')).toHaveLength(1);
  });

  it('prints a native command that ends the same sessions and no other', async () => {
    const used = await client();
    await client();
    await client('worker');
    await idleFor(1050);
    const plan = await planFor({ application: 'checkout', idleFloorMs: 1000, maxShare: 1 });
    if ('refused' in plan) throw new Error(plan.refused);
    await used.query('SELECT 1');
    const rows = await server.query(plan.operations[0]!.byHand);
    expect(rows).toHaveLength(1);
    await eventually(async () => (await pidsOf('checkout')).length === 1);
    expect(await pidsOf('worker')).toHaveLength(1);
  });

  it('stops when it is cancelled, and says how far it came', async () => {
    await leakConnections(server, 15, { user: 'shop', applicationName: 'checkout' });
    const act = await sealed();
    let outcome: Outcome | undefined;
    for await (const event of adapter.apply(act, 'op-1', limitOf({ timeoutMs: 10_000 }))) {
      if (event.kind === 'progress') {
        expect(await adapter.probe(act, 'op-1', limitOf())).toMatchObject({ state: 'running' });
        expect(await pidsOf('starr')).toHaveLength(2);
        await adapter.cancel!('op-1');
      } else outcome = event;
    }
    expect(outcome).toMatchObject({
      outcome: 'partial',
      after: { counts: { ended: 10, untouched: 5 } },
    });
    expect(await pidsOf('checkout')).toHaveLength(5);
    await server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'checkout'`,
    );
  });
});
