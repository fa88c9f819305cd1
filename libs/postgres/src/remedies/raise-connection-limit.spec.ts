import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startPostgres, type LabPostgres } from '@starr/lab';
import { createPostgresAdapter } from '../adapter/create-postgres-adapter.ts';
import type { Alterable } from '../reads/alterable.ts';
import type { Slots } from '../reads/slots.ts';
import { alterable, alterables } from '../test/alterables.ts';
import { Clients } from '../test/clients.ts';
import { configOf, createRoles, lookOf } from '../test/lab-target.ts';
import { MAJORS } from '../test/majors.ts';
import { RoundTrip } from '../test/round-trip.ts';
import { raiseConnectionLimit } from './raise-connection-limit.ts';

jest.setTimeout(60_000); // a loaded machine is slow, not wrong

const database: Partial<Alterable> = { of: 'database', name: 'shop', owner: 'own er' };

function plan(
  params: Record<string, unknown>,
  more: Partial<Alterable> = {},
  { version = '18.4', ...slots }: Partial<Slots> & { version?: string } = {},
) {
  return raiseConnectionLimit.plan(
    raiseConnectionLimit.params.parse(params),
    {
      alterable: alterables([alterable(more)]),
      slots: { usable: 97, used: 30, ...slots } as Slots,
    },
    lookOf({ version, options: { acting: 'starr_act' } }),
  );
}

describe('the plan of db.raise-connection-limit', () => {
  it.each([
    [{}, false],
    [{ limit: 30 }, false],
    [{ role: 'checkout', limit: 30 }, true],
    [{ database: 'shop', limit: 30 }, true],
    [{ role: 'checkout', database: 'shop', limit: 30 }, false],
    [{ role: 'checkout', limit: 0 }, false],
    [{ role: 'checkout', limit: -1 }, false],
    [{ role: 'checkout', limit: 1.5 }, false],
    [{ role: '', limit: 30 }, false],
    [{ role: 'x'.repeat(64), limit: 30 }, false],
  ])('parameters %j: %s', (params, valid) => {
    expect(raiseConnectionLimit.params.safeParse(params).success).toBe(valid);
  });

  it('is exact', () => {
    expect(plan({ role: 'checkout', limit: 40 })).toMatchObject({
      operations: [
        {
          act: { kind: 'alter-connection-limit', role: 'checkout', from: 20, to: 40 },
          says: 'raise the connection limit of role checkout from 20 to 40; 20 sessions count against it now',
          byHand: 'ALTER ROLE checkout CONNECTION LIMIT 40;',
          reversible: true,
        },
      ],
      touches: [
        {
          name: 'connectionLimit',
          about: { kind: 'role', name: 'checkout', scope: 'orders' },
          value: 40,
        },
      ],
      warnings: [
        '67 of 97 slots of the server are free',
        'who was turned away may come back all at once',
      ],
    });
  });

  it.each([
    [{ role: 'checkout', limit: 20 }, {}, {}, 'is 20 already'],
    [{ role: 'checkout', limit: 21 }, {}, {}, undefined],
    [{ role: 'checkout', limit: 97 }, {}, {}, undefined],
    [{ role: 'checkout', limit: 98 }, {}, {}, 'allowed: 21 to 97'],
    [{ role: 'checkout', limit: 40 }, {}, { used: 92 }, undefined],
    [{ role: 'checkout', limit: 40 }, {}, { used: 93 }, 'nearly full'],
    [{ role: 'checkout', limit: 40 }, { limit: -1 }, {}, 'has no limit'],
    [{ role: 'checkout', limit: 40 }, { limit: 0, sessions: 0 }, {}, undefined],
    [{ role: 'checkout', limit: 40 }, { isSuperuser: true }, {}, 'superuser'],
    [{ role: 'other', limit: 40 }, {}, {}, 'there is no role other'],
    [{ database: 'checkout', limit: 40 }, {}, {}, 'there is no database checkout'],
    [{ database: 'shop', limit: 40 }, database, {}, undefined],
    [
      { role: 'checkout', limit: 40 },
      { mayAlter: false },
      { version: '15.18' },
      'Cure: ALTER ROLE starr_act CREATEROLE;',
    ],
    [
      { role: 'checkout', limit: 40 },
      { mayAlter: false },
      {},
      'GRANT checkout TO starr_act WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;',
    ],
    [
      { database: 'shop', limit: 40 },
      { ...database, mayAlter: false, isSuperusers: true, owner: 'postgres' },
      {},
      'since postgres is a superuser',
    ],
    [
      { database: 'shop', limit: 40 },
      { ...database, mayAlter: false },
      {},
      'Cure: GRANT "own er" TO starr_act WITH INHERIT TRUE;',
    ],
  ])('%j of %j with %j: %s', (params, more, slots, refused) => {
    const made = plan(params, more, slots);
    if (refused === undefined) expect(made).not.toHaveProperty('refused');
    else expect(made).toEqual({ refused: expect.stringContaining(refused) });
  });
});

describe.each(MAJORS)('raising a connection limit on PostgreSQL %i', (major) => {
  let server: LabPostgres;
  let clients: Clients;
  let trip: RoundTrip;

  beforeAll(async () => {
    server = await startPostgres({ major });
    await createRoles(server);
    await server.query('CREATE ROLE "Check-out" LOGIN CONNECTION LIMIT 2; CREATE ROLE own LOGIN');
    await server.query('CREATE DATABASE "Sh op" OWNER own CONNECTION LIMIT 1');
    clients = new Clients(server);
    trip = new RoundTrip(server, createPostgresAdapter(configOf(server)));
  }, 180_000);
  afterEach(() => clients.close());
  afterAll(async () => {
    await trip.adapter.close();
    await server.stop();
  });

  /** What the refusal says, run as it stands. */
  async function cured(params: Record<string, unknown>): Promise<void> {
    const refused = await trip.refused(raiseConnectionLimit, params);
    await server.query(refused.slice(refused.indexOf('Cure: ') + 6));
  }

  it('refused without the right; with it lets the next one in, proves it, and is undone', async () => {
    const params = { role: 'Check-out', limit: 3 };
    await cured(params);
    const open = () => clients.open('app', 'Check-out');
    await Promise.all([open(), open()]);
    await expect(open()).rejects.toMatchObject({ code: '53300' });
    const plan = await trip.planned(raiseConnectionLimit, params);
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
    const applied = await trip.apply(plan);
    expect(applied.outcome).toMatchObject({
      outcome: 'applied',
      before: { value: 2 },
      after: { value: 3 },
    });
    expect(await trip.probe(plan)).toMatchObject({ state: 'applied', before: { value: 2 } });
    await open();
    expect((await trip.apply(plan)).outcome).toMatchObject({ outcome: 'refused' });

    const receipt = trip.receiptOf(raiseConnectionLimit, plan, applied);
    const undo = await trip.undone(raiseConnectionLimit, [receipt]);
    if ('refused' in undo) throw new Error(undo.refused);
    expect(undo.warnings).toEqual([
      '1 sessions more than that are open; they stay, and no new one gets in',
    ]);
    expect((await trip.apply(undo)).outcome).toMatchObject({
      outcome: 'applied',
      after: { value: 2 },
    });
    expect(await trip.undone(raiseConnectionLimit, [receipt])).toEqual({
      refused: expect.stringContaining('is 2 by now'),
    });
    expect(await trip.probe(plan)).toMatchObject({ state: 'not-applied' });
    await server.query('ALTER ROLE "Check-out" CONNECTION LIMIT 9');
    expect(await trip.probe(plan)).toMatchObject({ state: 'indeterminate' });
  });

  it('of a database is its owner’s, and the printed command, verbatim, does the same', async () => {
    const params = { database: 'Sh op', limit: 4 };
    await cured(params);
    const plan = await trip.planned(raiseConnectionLimit, params);
    expect((await trip.apply(plan)).outcome).toMatchObject({ outcome: 'applied' });
    const limit = async () =>
      (await server.query(`SELECT datconnlimit FROM pg_database WHERE datname = 'Sh op'`))[0];
    expect(await limit()).toEqual({ datconnlimit: 4 });
    await server.query('ALTER DATABASE "Sh op" CONNECTION LIMIT 1');
    await server.query(plan.operations[0]!.byHand);
    expect(await limit()).toEqual({ datconnlimit: 4 });
  });
});
