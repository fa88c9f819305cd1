import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Plan, PlanRefused } from '@starr/kernel';
import { startPostgres, type LabPostgres } from '@starr/lab';
import type { PausePoolerAct } from '../acts/pooler.ts';
import type { PostgresAct } from '../postgres-act.ts';
import type { PooledSessions } from '../reads/pooled-sessions.ts';
import type { PoolerState } from '../reads/poolers.ts';
import { createRoles, eventually, limitOf, lookOf } from '../test/lab-target.ts';
import {
  describeWithPgBouncer,
  pooledSession,
  poolerConfig,
  poolerOf,
  poolOf,
} from '../test/pooled.ts';
import { PooledLab } from '../test/pooled-lab.ts';
import { RoundTrip } from '../test/round-trip.ts';
import { pausePgbouncer } from './pause-pgbouncer.ts';
import { resumePgbouncer } from './resume-pgbouncer.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const ADAPTER = new URL('../adapter/create-postgres-adapter.ts', import.meta.url).href;
const nobody: PooledSessions = { sessions: [], waiting: [], clients: [], blind: [] };

function plan(
  params: Record<string, unknown>,
  pooler: PoolerState = poolerOf(),
  sessions: PooledSessions = nobody,
): Plan<PostgresAct> | PlanRefused {
  return pausePgbouncer.plan(
    pausePgbouncer.params.parse({ database: 'orders', ...params }),
    { poolers: { poolers: [pooler], blind: [] }, sessions },
    lookOf(),
  );
}

describe('the plan of db.pause-pgbouncer', () => {
  it('is exact', () => {
    const about = { kind: 'pooler-pool', name: 'bouncer/orders/checkout', scope: 'orders' };
    expect(plan({})).toEqual({
      operations: [
        {
          act: { kind: 'pause-pooler', pooler: 'bouncer', database: 'orders', withinMs: 10_000 },
          says: 'pause orders on bouncer: 8 clients wait from then on; undone when work in progress takes longer than 10 s',
          byHand: 'PAUSE orders;',
          reversible: true,
          onRefused: 'stop',
          onFailed: 'stop',
        },
      ],
      effect: {
        diagnostic: 'db.pgbouncer-pools',
        about,
        measurement: 'busyServers',
        below: 1,
        settleMs: 500,
        holdMs: 2000,
        withinMs: 15_000,
        onMiss: 'ask',
      },
      touches: [{ name: 'clientsWaiting', about, value: 8 }],
      warnings: [
        'nobody of orders is served through bouncer until RESUME orders;',
        'clients that wait longer than 2 min are turned away (query_wait_timeout)',
      ],
    });
  });

  it('quotes a name that needs it', () => {
    const odd = poolerOf({
      databases: [{ ...poolerOf().databases[0]!, name: 'Odd-one' }],
      pools: [poolOf({ database: 'Odd-one' })],
    });
    expect(plan({ database: 'Odd-one' }, odd)).toMatchObject({
      operations: [{ byHand: 'PAUSE "Odd-one";' }],
    });
  });

  const open = (stateMs: number) => ({
    ...nobody,
    sessions: [pooledSession(7, { state: 'idle in transaction', stateMs })],
  });
  it.each<[string, PoolerState, PooledSessions, string | undefined]>([
    ['nothing in its way', poolerOf(), nobody, undefined],
    [
      'paused already',
      poolerOf({ databases: [{ ...poolerOf().databases[0]!, paused: true }] }),
      nobody,
      'orders is paused already',
    ],
    [
      'session mode',
      poolerOf({ pools: [poolOf({ mode: 'session' })] }),
      nobody,
      'it would wait until every client that has a connection disconnects',
    ],
    [
      'session mode with nobody there',
      poolerOf({ pools: [poolOf({ mode: 'session', busy: 0 })] }),
      nobody,
      undefined,
    ],
    ['a transaction that was left open a moment ago', poolerOf(), open(9999), undefined],
    [
      'a transaction that was left open',
      poolerOf(),
      open(10_000),
      'pid 7 of checkout@127.0.3.2, which has left a transaction open for 10 s',
    ],
    [
      'sessions that cannot be seen',
      poolerOf(),
      { ...nobody, blind: [{ kind: 'blind', why: 'redacted', detail: 'x' }] },
      'whether a transaction is left open cannot be seen',
    ],
  ])('%s', (_, pooler, sessions, refused) => {
    const made = plan({}, pooler, sessions);
    if (refused === undefined) expect(made).toHaveProperty('operations');
    else expect(made).toMatchObject({ refused: expect.stringContaining(refused) });
  });

  it.each([{ withinMs: 99 }, { withinMs: 60_001 }, { database: '' }, { force: true }])(
    'does not take %j',
    (params) => {
      expect(pausePgbouncer.params.safeParse({ database: 'orders', ...params }).success).toBe(
        false,
      );
    },
  );
});

describeWithPgBouncer('db.pause-pgbouncer on a real pooler', () => {
  let server: LabPostgres;
  let lab: PooledLab;
  let trip: RoundTrip;
  beforeAll(async () => {
    server = await startPostgres();
    await createRoles(server);
  }, 180_000);
  afterAll(() => server.stop());
  afterEach(() => lab.stop());

  const start = async (poolMode: 'transaction' | 'session' = 'transaction') => {
    lab = await PooledLab.start(server, { poolMode });
    trip = new RoundTrip(server, lab.adapter());
  };
  const isPaused = async () => {
    const rows = await lab.pooler.console('SHOW DATABASES');
    return Number(rows.find(({ name }) => name === 'postgres')?.['paused']) === 1;
  };
  const paused = async () => {
    const made = await trip.planned(pausePgbouncer, { database: 'postgres', withinMs: 5000 });
    return { made, applied: await trip.apply(made) };
  };

  it('lets clients wait, is seen by its probe, and its undo lets them go on', async () => {
    await start();
    const client = await lab.client('checkout');
    await client.query('SELECT 1');
    const { made, applied } = await paused();
    expect(applied.outcome).toMatchObject({ outcome: 'applied', after: { paused: true } });
    expect(await trip.probe(made)).toMatchObject({ state: 'applied' });
    const late = client.query('SELECT 1');
    await lab.waiting(1);
    expect(await trip.refused(pausePgbouncer, { database: 'postgres' })).toContain(
      'paused already',
    );

    const back = await trip.undone(pausePgbouncer, [trip.receiptOf(pausePgbouncer, made, applied)]);
    if ('refused' in back) throw new Error(back.refused);
    expect(back.operations[0]).toMatchObject({ byHand: 'RESUME postgres;' });
    expect(await trip.probe(back)).toMatchObject({ state: 'not-applied' });
    expect((await trip.apply(back)).outcome).toMatchObject({ outcome: 'applied' });
    await late;
    expect(await trip.probe(back)).toMatchObject({ state: 'applied' });
    expect((await trip.apply(back)).outcome).toMatchObject({
      outcome: 'refused',
      says: 'postgres is not paused on bouncer',
    });
  });

  it('is refused in session mode, and while a transaction is left open, with its holder', async () => {
    await start('session');
    await (await lab.client('checkout')).query('SELECT 1');
    expect(await trip.refused(pausePgbouncer, { database: 'postgres' })).toContain('session mode');
    await lab.stop();
    await start();
    await (await lab.client('ledger', '127.0.3.7')).query('BEGIN');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await trip.refused(pausePgbouncer, { database: 'postgres', withinMs: 100 })).toContain(
      'ledger@127.0.3.7, which has left a transaction open',
    );
  });

  it('undoes itself when work in progress does not end in time', async () => {
    await start();
    const busy = await lab.client('checkout');
    await busy.query('BEGIN');
    const made = await trip.planned(pausePgbouncer, { database: 'postgres', withinMs: 400 });
    const { outcome } = await trip.apply(made);
    expect(outcome).toMatchObject({
      outcome: 'failed',
      says: 'work in progress did not end within 400 ms: resumed, clients go on as before',
    });
    expect(await isPaused()).toBe(false);
    await (await lab.client('other')).query('SELECT 1');
    expect(await trip.probe(made)).toMatchObject({ state: 'not-applied' });
  });

  it('undoes itself when it is asked to stop', async () => {
    await start();
    await (await lab.client('checkout')).query('BEGIN');
    const made = await trip.planned(pausePgbouncer, { database: 'postgres', withinMs: 30_000 });
    const { outcome } = await trip.apply(made, (_, operationId) => {
      void trip.adapter.cancel?.(operationId);
    });
    expect(outcome).toMatchObject({ outcome: 'failed', says: expect.stringContaining('stopped') });
    expect(await isPaused()).toBe(false);
  });

  it('goes on by itself when its doctor is killed, and the probe tells how far it is', async () => {
    await start();
    const busy = await lab.client('checkout');
    await busy.query('BEGIN');
    const act: PausePoolerAct = {
      kind: 'pause-pooler',
      pooler: 'bouncer',
      database: 'postgres',
      withinMs: 60_000,
    };
    const config = {
      host: server.host,
      port: server.port,
      diagnosing: { user: 'starr' },
      poolers: [poolerConfig(lab.pooler)],
    };
    const script = `
      import { createPostgresAdapter } from '${ADAPTER}';
      const adapter = createPostgresAdapter(${JSON.stringify(config)});
      const limit = { timeoutMs: 60000, maxRows: 1, signal: new AbortController().signal, spend() {} };
      for await (const event of adapter.apply(${JSON.stringify(act)}, 'o', limit)) console.log(event.kind);`;
    const doctor = spawn(
      process.execPath,
      ['--conditions=@starr/source', '--input-type=module', '--eval', script],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
    );
    await once(doctor.stdout, 'data');
    await eventually(isPaused);
    doctor.kill('SIGKILL');
    await once(doctor, 'exit');
    const probe = () => trip.adapter.probe(act, 'o', limitOf({ timeoutMs: 2000 }));
    expect(await probe()).toEqual({
      state: 'running',
      says: 'waits for 1 connections to become free',
    });
    await busy.query('COMMIT');
    await eventually(async () => (await probe()).state === 'applied');
    const back = await trip.planned(resumePgbouncer, {});
    expect((await trip.apply(back)).outcome).toMatchObject({ outcome: 'applied' });
    await busy.query('SELECT 1');
  });

  it('its native commands, verbatim on the console, do the same', async () => {
    await start();
    const client = await lab.client('checkout');
    await client.query('SELECT 1');
    const made = await trip.planned(pausePgbouncer, { database: 'postgres' });
    await lab.pooler.console(made.operations[0]!.byHand);
    expect(await trip.probe(made)).toMatchObject({ state: 'applied' });
    const back = await trip.planned(resumePgbouncer, { database: 'postgres' });
    await lab.pooler.console(back.operations[0]!.byHand);
    await client.query('SELECT 1');
  });

  it('does not make a database by pausing an unknown one', async () => {
    await start();
    const act: PausePoolerAct = {
      kind: 'pause-pooler',
      pooler: 'bouncer',
      database: 'unknown',
      withinMs: 1000,
    };
    const events = [];
    for await (const event of trip.adapter.apply(act, 'o', limitOf())) events.push(event);
    expect(events).toEqual([
      { kind: 'outcome', outcome: 'refused', says: 'bouncer has no database unknown any more' },
    ]);
    const names = (await lab.pooler.console('SHOW DATABASES')).map(({ name }) => name);
    expect(names).not.toContain('unknown');
  });

  it('with the pooler away nothing is done, and that is said', async () => {
    await start();
    await (await lab.client('checkout')).query('SELECT 1');
    const made = await trip.planned(pausePgbouncer, { database: 'postgres' });
    await lab.pooler.kill();
    expect((await trip.apply(made)).outcome).toMatchObject({
      outcome: 'failed',
      says: expect.stringMatching(
        /^nothing was done: pooler bouncer: .* Cure: Check that PgBouncer/,
      ),
    });
    await expect(trip.probe(made)).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' });
  });
});
