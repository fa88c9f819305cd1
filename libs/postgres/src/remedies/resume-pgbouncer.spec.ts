import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Plan, PlanRefused } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import type { PostgresAct } from '../postgres-act.ts';
import type { PoolerState } from '../reads/poolers.ts';
import { createRoles, lookOf } from '../test/lab-target.ts';
import { describeWithPgBouncer, poolerOf, poolOf } from '../test/pooled.ts';
import { PooledLab } from '../test/pooled-lab.ts';
import { RoundTrip } from '../test/round-trip.ts';
import { resumePgbouncer } from './resume-pgbouncer.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const databaseOf = (name: string, paused: boolean) => ({
  ...poolerOf().databases[0]!,
  name,
  paused,
});
const pausedPooler = (...names: readonly string[]): PoolerState =>
  poolerOf({
    databases: [...names.map((name) => databaseOf(name, true)), databaseOf('fine', false)],
    pools: [...names, 'fine'].map((database) => poolOf({ database, waiting: 3 })),
  });

function plan(
  params: Record<string, unknown>,
  ...poolers: readonly PoolerState[]
): Plan<PostgresAct> | PlanRefused {
  return resumePgbouncer.plan(
    resumePgbouncer.params.parse(params),
    { poolers: { poolers, blind: [] } },
    lookOf(),
  );
}

describe('the plan of db.resume-pgbouncer', () => {
  it.each<[string, Record<string, unknown>, readonly PoolerState[]]>([
    ['the only one that is paused', {}, [pausedPooler('orders')]],
    ['the named one of two', { database: 'orders' }, [pausedPooler('other', 'orders')]],
    [
      'the only paused one of two poolers',
      {},
      [
        poolerOf({ name: 'second', databases: [databaseOf('fine', false)] }),
        pausedPooler('orders'),
      ],
    ],
  ])('resumes %s', (_, params, poolers) => {
    expect(plan(params, ...poolers)).toMatchObject({
      operations: [
        {
          act: { kind: 'resume-pooler', pooler: 'bouncer', database: 'orders' },
          says: 'resume orders on bouncer: its 3 waiting clients go on',
          byHand: 'RESUME orders;',
          reversible: false,
        },
      ],
      effect: { measurement: 'waitingClients', below: 1 },
    });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['what is not paused', { database: 'fine' }, 'fine is not paused on bouncer'],
    ['what is not there', { database: 'x' }, 'bouncer has no such pool'],
    ['of another pooler', { pooler: 'x' }, 'pooler x is not known'],
  ])('does not resume %s', (_, params, refused) => {
    expect(plan(params, pausedPooler('orders'))).toMatchObject({
      refused: expect.stringContaining(refused),
    });
  });
});

describeWithPgBouncer('db.resume-pgbouncer on a real pooler', () => {
  let server: LabPostgres;
  let lab: PooledLab;
  beforeAll(async () => {
    server = await startPostgres();
    await createRoles(server);
  }, 180_000);
  afterAll(() => server.stop());
  afterEach(() => lab.stop());

  it('lets clients go on after KILL, which leaves a database paused', async () => {
    lab = await PooledLab.start(server, {
      poolMode: 'transaction',
      settings: { server_login_retry: '1' },
    });
    const trip = new RoundTrip(server, lab.adapter());
    await (await lab.client('checkout')).query('SELECT 1');
    expect(await trip.refused(resumePgbouncer, {})).toContain('is not paused');
    await lab.pooler.console('KILL postgres');
    // It waits for its welcome already.
    const late = lab.client('late').then((client) => client.query('SELECT 1'));
    late.catch(() => undefined);
    await lab.waiting(1);
    const made = await trip.planned(resumePgbouncer, {});
    expect(await trip.probe(made)).toMatchObject({ state: 'not-applied' });
    expect((await trip.apply(made)).outcome).toMatchObject({
      outcome: 'applied',
      before: { paused: true },
    });
    await late;
    expect(await trip.probe(made)).toMatchObject({ state: 'applied' });
  });
});
