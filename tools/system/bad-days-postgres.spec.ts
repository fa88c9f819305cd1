import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { fillSlots, lockTable, startStage, waitUntil, type Fault, type Stage } from '@starr/lab';
import { blindChecks, statuses, sweepInTime, type Swept } from './sweep-answer.ts';
import { watchServices, type ServicesWatch } from './watch-services.ts';

/** What asks for the sessions of others. */
const OF_SESSIONS = [
  'db.connection-leak',
  'db.connection-limits',
  'db.connection-use',
  'db.idle-in-transaction',
  'db.idle-sessions',
  'db.lock-waits',
  'db.long-running-queries',
  'db.wedged-sessions',
];
const OURS = ['starr 1', 'starr_actor 1'];

jest.setTimeout(120_000); // a loaded machine is slow, not wrong

describe('on a bad day of PostgreSQL', () => {
  let stage: Stage;
  let watch: ServicesWatch;
  let usual: Swept;
  const faults: Fault[] = [];

  beforeAll(async () => {
    stage = await startStage({ maxConnections: 100 });
    // as `starr grants` asks for: a way in for those who look when the ordinary slots are gone
    await stage.postgres.query('ALTER SYSTEM SET reserved_connections = 2');
    await stage.postgres.restart();
    usual = await sweep();
    watch = await watchServices(stage.services, stage.backstage);
  }, 240_000);
  afterAll(() => stage.stop());
  afterEach(async () => {
    await Promise.all(faults.splice(0).map((fault) => fault.end()));
  });

  /** Every check that is made of PostgreSQL on a good day, with this status. */
  const all = (status: string) =>
    Object.fromEntries(Object.keys(statuses(usual, 'db.')).map((id) => [id, status]));
  const sweep = () => sweepInTime(stage.services);
  const sql = (text: string) => stage.postgres.query(text);
  /** What is not PostgreSQL's is as it always is, and nothing of ours is worse for it. */
  const expectTheRestAsUsual = async (swept: Swept) => {
    const others = ['cache.', 'resilience.'] as const;
    expect(statuses(swept, ...others)).toEqual(statuses(usual, ...others));
    expect(blindChecks(swept, ...others)).toEqual([]);
    expect(await watch.troubles()).toEqual([]);
  };
  const ourSessions = async () => {
    const rows = await sql(
      `SELECT usename::text AS role, count(*)::int AS sessions FROM pg_stat_activity
        WHERE application_name = 'starr' GROUP BY 1 ORDER BY 1`,
    );
    return rows.map(({ role, sessions }) => `${String(role)} ${String(sessions)}`);
  };
  /** One session that looks and one that is held for acting; those of before have ended. */
  const expectNoConnectionLeft = async (held: readonly string[] = OURS) => {
    const left = await waitUntil(
      async () => {
        const sessions = await ourSessions();
        const isWhole = sessions.length === held.length;
        return isWhole && sessions.every((each) => each.endsWith(' 1')) ? sessions : undefined;
      },
      { what: 'our lost sessions to end, and those that are held to be there' },
    );
    expect(left).toEqual(held);
  };
  /** The blind checks with their reasons, each reason once. */
  const reasons = (swept: Swept) => {
    const spots = blindChecks(swept, 'db.').map(({ why, cure, detail }) => ({ why, cure, detail }));
    return [...new Map(spots.map((spot) => [JSON.stringify(spot), spot])).values()];
  };

  it('a good day: everything is seen, on one connection to look and one to act', async () => {
    expect(usual.code).toBe(0);
    expect(statuses(usual, 'db.')).toEqual(all('healthy'));
    await expectNoConnectionLeft();
  });

  it('stopped: its checks are blind for want of an answer, and see again when it goes on', async () => {
    stage.postgres.pause();
    try {
      const first = await sweep();
      expect(first.code).toBe(2);
      expect(statuses(first, 'db.')).toEqual(all('blind'));
      expect(reasons(first)).toEqual([
        {
          // a sample that was taken between may have given the held session up already
          why: expect.stringMatching(/^(timeout|unreachable)$/),
          cure: undefined,
          detail: expect.stringMatching(/: stopped, overloaded/),
        },
      ]);
      await expectTheRestAsUsual(first);

      const next = await sweep(); // the held session was given up: now it is the connect
      expect(reasons(next)).toEqual([
        {
          why: 'unreachable',
          cure: undefined,
          detail: expect.stringContaining('accepts no session within the connect timeout: stopped'),
        },
      ]);
      await expectTheRestAsUsual(next);
    } finally {
      stage.postgres.resume();
    }
    const after = await sweep();
    expect(statuses(after)).toEqual(statuses(usual));
    await expectTheRestAsUsual(after);
    await expectNoConnectionLeft();
  });

  it('killed: its checks are blind for nobody listens, and see again when it is back', async () => {
    await stage.postgres.kill();
    const { host, port } = stage.postgres;
    const swept = await sweep();
    expect(swept.code).toBe(2);
    expect(statuses(swept, 'db.')).toEqual(all('blind'));
    expect(reasons(swept)).toEqual([
      {
        why: 'unreachable',
        cure: `check that PostgreSQL runs and that ${host}:${port} is its address`,
        detail: expect.stringContaining('ECONNREFUSED'),
      },
    ]);
    await expectTheRestAsUsual(swept);

    await stage.postgres.restart();
    const after = await sweep();
    expect(statuses(after)).toEqual(statuses(usual));
    await expectTheRestAsUsual(after);
    await expectNoConnectionLeft();
  });

  it('out of slots, with the session that is held: seen, critical, and nothing is blind', async () => {
    faults.push(
      await fillSlots(stage.postgres, 0, { user: 'checkout', applicationName: 'filler' }),
    );
    const swept = await sweep();
    expect(swept.code).toBe(1);
    expect(blindChecks(swept)).toEqual([]);
    expect(swept.answer.findings).toMatchObject([
      { diagnostic: 'db.connection-use', severity: 'critical', about: { name: 'orders' } },
    ]);
    await expectTheRestAsUsual(swept);
    await expectNoConnectionLeft();
  });

  it('out of slots, without a session: the limit that was hit is found, the rest is blind for it; its cure, run as it stands, lets us in', async () => {
    faults.push(await fillSlots(stage.postgres, 0, { user: 'checkout' }));
    await takeOurSlot();
    const swept = await sweep();
    expect(swept.code).toBe(1);
    expect(statuses(swept, 'db.')).toEqual({
      ...all('blind'),
      'db.connection-use': 'found',
      'db.pgbouncer-pools': 'healthy', // there is none, and none of it is asked of the server
    });
    expect(swept.answer.findings).toMatchObject([
      {
        diagnostic: 'db.connection-use',
        severity: 'critical',
        about: { name: 'orders' },
        says: expect.stringMatching(/turned away: all 95 slots that are not reserved are in use/),
      },
    ]);
    expect(reasons(swept)).toEqual([
      {
        why: 'unreachable',
        cure: 'GRANT pg_use_reserved_connections TO starr;',
        detail: expect.stringContaining(
          'all ordinary slots are in use; reserved ones are left, but starr may not use them',
        ),
      },
    ]);
    await expectTheRestAsUsual(swept);

    await sql(reasons(swept)[0]!.cure!);
    const cured = await sweep();
    expect(cured.code).toBe(1);
    expect(blindChecks(cured)).toEqual([]);
    expect(statuses(cured, 'db.')['db.connection-use']).toBe('found');
    await expectTheRestAsUsual(cured);
    await expectNoConnectionLeft(['starr 1']); // who acts may not use reserved slots
    await sql('REVOKE pg_use_reserved_connections FROM starr');
  });

  /** Ends the session that is held, and fills its slot before anybody else can. */
  async function takeOurSlot() {
    await waitUntil(
      async () => {
        await sql(
          `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'starr'`,
        );
        faults.push(await fillSlots(stage.postgres, 0, { user: 'checkout' }));
        return (await ourSessions()).length === 0 ? true : undefined;
      },
      { what: 'the slot of our session to be taken' },
    );
  }

  it('without pg_monitor: blind where rows of others are hidden; its cure, run as it stands, shows them', async () => {
    faults.push(await fillSlots(stage.postgres, 85, { user: 'checkout' })); // somebody to hide
    await sql('REVOKE pg_monitor FROM starr');
    const swept = await sweep();
    expect(swept.answer.findings).toEqual([]);
    expect(swept.code).toBe(2);
    expect(
      Object.entries(statuses(swept, 'db.')).flatMap(([id, status]) =>
        status === 'blind' ? id : [],
      ),
    ).toEqual(expect.arrayContaining(OF_SESSIONS));
    for (const spot of reasons(swept))
      expect(spot).toEqual({
        why: 'redacted',
        cure: 'GRANT pg_monitor TO starr;',
        detail: expect.stringMatching(/hidden from starr$/),
      });
    await expectTheRestAsUsual(swept);

    await sql(reasons(swept)[0]!.cure!);
    const cured = await sweep();
    expect(cured.answer.findings).toEqual([]);
    expect(cured.code).toBe(0);
    expect(statuses(cured)).toEqual(statuses(usual));
    await expectTheRestAsUsual(cured);
    await expectNoConnectionLeft();
  });

  it('a table locked ACCESS EXCLUSIVE with 50 waiters: the waiters are counted, and we are none of them', async () => {
    faults.push(
      await lockTable(stage.postgres, 'orders', 50, {
        database: 'orders',
        applicationName: 'migration',
      }),
    );
    const swept = await sweep();
    expect(blindChecks(swept)).toEqual([]);
    const queries = swept.answer.checks.find(
      ({ diagnostic }) => diagnostic === 'db.long-running-queries',
    );
    expect(queries?.measured).toContainEqual(
      expect.objectContaining({ name: 'lockWaiters', value: 50 }),
    );
    expect(swept.answerMs).toBeLessThan(2000);
    await expectTheRestAsUsual(swept);
    await expectNoConnectionLeft();
  });

  it('after all of it: no descriptor more is open than before', async () => {
    expect(await watch.leaks()).toEqual([]);
  });
});
