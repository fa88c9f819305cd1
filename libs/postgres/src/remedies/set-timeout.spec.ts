import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Plan, PlanRefused } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import { createPostgresAdapter } from '../adapter/create-postgres-adapter.ts';
import type { PostgresAct } from '../postgres-act.ts';
import type { Alterable } from '../reads/alterable.ts';
import { alterable, alterables } from '../test/alterables.ts';
import { Clients } from '../test/clients.ts';
import { configOf, createRoles, lookOf } from '../test/lab-target.ts';
import { MAJORS } from '../test/majors.ts';
import { RoundTrip } from '../test/round-trip.ts';
import { setTimeoutRemedy } from './set-timeout.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

function plan(
  params: Record<string, unknown>,
  more: Partial<Alterable> = {},
  version = '18.4',
): Plan<PostgresAct> | PlanRefused {
  const shop = alterable({ of: 'database', name: 'shop', settings: ['work_mem=8MB'] });
  return setTimeoutRemedy.plan(
    setTimeoutRemedy.params.parse({ setting: 'statement_timeout', ms: 30_000, ...params }),
    {
      alterable: alterables(
        [alterable(more), shop],
        [
          {
            role: 'checkout',
            database: 'shop',
            settings: ['lock_timeout=1s', 'statement_timeout=5min'],
          },
        ],
      ),
    },
    lookOf({ version, options: { acting: 'starr_act', protect: ['nightly'] } }),
  );
}

describe('the plan of db.set-timeout', () => {
  it.each([
    [{}, false],
    [{ role: 'checkout' }, true],
    [{ database: 'shop' }, true],
    [{ role: 'checkout', database: 'shop' }, true],
    [{ role: 'checkout', ms: 99 }, false],
    [{ role: 'checkout', ms: 100 }, true],
    [{ role: 'checkout', ms: 86_400_000 }, true],
    [{ role: 'checkout', ms: 86_400_001 }, false],
    [{ role: 'checkout', ms: 0 }, false],
    [{ role: 'checkout', setting: 'work_mem' }, false],
  ])('parameters %j: %s', (params, valid) => {
    const all = { setting: 'statement_timeout', ms: 30_000, ...params };
    expect(setTimeoutRemedy.params.safeParse(all).success).toBe(valid);
  });

  it('is exact', () => {
    expect(plan({ role: 'checkout' }, { settings: ['statement_timeout=2min'] })).toEqual({
      operations: [
        {
          act: {
            kind: 'alter-setting',
            role: 'checkout',
            setting: 'statement_timeout',
            from: '2min',
            to: '30000ms',
          },
          says: 'set statement_timeout of role checkout to 30000ms; it was 2min',
          byHand: "ALTER ROLE checkout SET statement_timeout = '30000ms';",
          reversible: true,
          onRefused: 'stop',
          onFailed: 'stop',
        },
      ],
      effect: expect.objectContaining({ measurement: 'longestActiveMs', below: 31_000 }),
      touches: [expect.objectContaining({ name: 'sessionsUnderIt', value: 20 })],
      warnings: [
        '20 sessions that are open keep what they began with; only new ones get it',
        'dumps, migrations and jobs under it are bound by it too',
      ],
    });
  });

  it.each([
    [{ role: 'checkout' }, undefined, "ALTER ROLE checkout SET statement_timeout = '30000ms';"],
    [{ database: 'shop' }, undefined, "ALTER DATABASE shop SET statement_timeout = '30000ms';"],
    [
      { role: 'checkout', database: 'shop' },
      '5min',
      "ALTER ROLE checkout IN DATABASE shop SET statement_timeout = '30000ms';",
    ],
  ])('knows the old value of %j: %s', (params, from, byHand) => {
    const made = plan(params);
    if ('refused' in made) throw new Error(made.refused);
    expect(made.operations[0]).toMatchObject({ byHand });
    expect((made.operations[0]!.act as { from?: string }).from).toBe(from);
  });

  it.each<[Record<string, unknown>, Partial<Alterable>, string, string | undefined]>([
    [{ setting: 'idle_session_timeout' }, {}, '13.23', 'from PostgreSQL 14 on'],
    [{ setting: 'idle_session_timeout' }, {}, '14.23', undefined],
    [{ setting: 'transaction_timeout' }, {}, '16.14', 'from PostgreSQL 17 on'],
    [{ setting: 'transaction_timeout' }, {}, '17.10', undefined],
    [{ role: 'other' }, {}, '18.4', 'no role other'],
    [{ database: 'other' }, {}, '18.4', 'no database other'],
    [{}, { settings: ['statement_timeout=30000ms'] }, '18.4', 'is 30000ms already'],
    [{}, { isSuperuser: true, mayAlter: false }, '18.4', 'only a superuser'],
    [{ role: 'nightly' }, { name: 'nightly' }, '18.4', 'protected'],
    [{}, { mayAlter: false }, '15.18', 'Cure: ALTER ROLE starr_act CREATEROLE;'],
  ])('%j of %j on %s: %s', (params, more, version, refused) => {
    const made = plan({ role: 'checkout', ...params }, more, version);
    if (refused === undefined) expect(made).not.toHaveProperty('refused');
    else expect(made).toEqual({ refused: expect.stringContaining(refused) });
  });
});

describe.each(MAJORS)('setting a timeout on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let clients: Clients;
  let trip: RoundTrip;

  beforeAll(async () => {
    server = await startPostgres({ major });
    await createRoles(server);
    await server.query(`CREATE ROLE "Job's" LOGIN`);
    await server.query(`CREATE DATABASE "Sh op" OWNER "Job's"`);
    clients = new Clients(server);
    trip = new RoundTrip(server, createPostgresAdapter(configOf(server)));
  }, 180_000);
  afterEach(() => clients.close());
  afterAll(async () => {
    await trip.adapter.close();
    await server.stop();
  });

  async function cured(params: Record<string, unknown>): Promise<void> {
    const made = await trip.plan(setTimeoutRemedy, params);
    if ('refused' in made)
      await server.query(made.refused.slice(made.refused.indexOf('Cure: ') + 6));
  }

  const timeoutOf = async (database = 'postgres') => {
    const client = await clients.open('job', "Job's", database);
    const { rows } = await client.query<{ statement_timeout: string }>('SHOW statement_timeout');
    return rows[0]?.statement_timeout;
  };

  it.each([
    ['of a role', { role: "Job's" }, 'postgres'],
    ['of a database', { database: 'Sh op' }, 'Sh op'],
    ['of a role in a database', { role: "Job's", database: 'Sh op' }, 'Sh op'],
  ])('%s: cured, planned, applied, proved, undone', async (_, of, database) => {
    const params = { setting: 'statement_timeout', ms: 45_000, ...of };
    await cured(params);
    const plan = await trip.planned(setTimeoutRemedy, params);
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
    const applied = await trip.apply(plan);
    expect(applied.outcome).toMatchObject({ outcome: 'applied', before: { value: null } });
    expect(await trip.probe(plan)).toMatchObject({ state: 'applied' });
    expect(await timeoutOf(database)).toBe('45s');

    // A second one keeps the first as its old value, and goes back to it.
    const shorter = await trip.planned(setTimeoutRemedy, { ...params, ms: 15_000 });
    const again = await trip.apply(shorter);
    expect(again.outcome).toMatchObject({ before: { value: '45000ms' } });
    const back = await trip.undone(setTimeoutRemedy, [
      trip.receiptOf(setTimeoutRemedy, shorter, again),
    ]);
    if ('refused' in back) throw new Error(back.refused);
    expect((await trip.apply(back)).outcome).toMatchObject({ outcome: 'applied' });
    expect(await timeoutOf(database)).toBe('45s');

    const receipt = trip.receiptOf(setTimeoutRemedy, plan, applied);
    const undo = await trip.undone(setTimeoutRemedy, [receipt]);
    if ('refused' in undo) throw new Error(undo.refused);
    expect(undo.operations[0]!.byHand).toMatch(/ RESET statement_timeout;$/);
    expect((await trip.apply(undo)).outcome).toMatchObject({
      outcome: 'applied',
      after: { value: null },
    });
    expect(await timeoutOf(database)).toBe('0');
    expect(await trip.undone(setTimeoutRemedy, [receipt])).toEqual({
      refused: expect.stringContaining('not set by now'),
    });
  });

  it('is refused at the act when somebody else was there first, and prints a command that runs verbatim', async () => {
    const params = { setting: 'lock_timeout', ms: 2000, role: "Job's" };
    await cured(params);
    const plan = await trip.planned(setTimeoutRemedy, params);
    await server.query(`ALTER ROLE "Job's" SET lock_timeout = '9s'`);
    expect((await trip.apply(plan)).outcome).toMatchObject({
      outcome: 'refused',
      says: expect.stringContaining('it is 9s now'),
    });
    expect(await trip.probe(plan)).toMatchObject({ state: 'indeterminate' });
    await server.query(plan.operations[0]!.byHand);
    expect(await trip.probe(plan)).toMatchObject({ state: 'applied' });
  });
});
