import { describe, expect, it } from '@jest/globals';
import type { Severity } from '@starr/kernel';
import type { HorizonHolder } from '../reads/horizon.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { tableStats, tablesOf } from '../test/table-stats.ts';
import { xminHorizon } from './xmin-horizon.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;

const holder = (more: Partial<HorizonHolder> = {}): HorizonHolder => ({
  kind: 'session',
  ageXids: 10,
  catalogsOnly: false,
  heldMs: 1000,
  name: 'reports',
  pid: 4711,
  backendStart: '2026-11-24T03:00:00.123456Z',
  address: '127.0.3.7',
  role: 'shop',
  database: 'shop',
  state: 'idle in transaction',
  statement: 'SELECT ?',
  ...more,
});

const piled = tableStats({ dead: 20_000, vacuumTrigger: 10_000 });
const tidy = tableStats({ dead: 19_999, vacuumTrigger: 10_000 });
const small = tableStats({ dead: 9999, vacuumTrigger: 50 });

const judge = (holders: readonly HorizonHolder[], ...tables: ReturnType<typeof tableStats>[]) =>
  xminHorizon.judge(
    { horizon: { holders, freezeMaxAge: 200_000_000 }, tables: tablesOf(tables) },
    limitsOf(xminHorizon),
    lookOf(),
  );

describe('db.xmin-horizon', () => {
  it.each<[string, HorizonHolder, ReturnType<typeof tableStats>, Severity | undefined]>([
    ['a short transaction', holder(), tidy, undefined],
    ['just below 10 % of the freeze age', holder({ ageXids: 19_999_999 }), tidy, undefined],
    ['10 % of the freeze age', holder({ ageXids: 20_000_000 }), tidy, 'warning'],
    ['just below 50 %', holder({ ageXids: 99_999_999 }), tidy, 'warning'],
    ['50 % of the freeze age', holder({ ageXids: 100_000_000 }), tidy, 'critical'],
    ['just below an hour', holder({ heldMs: HOUR - 1 }), tidy, undefined],
    ['an hour', holder({ heldMs: HOUR }), tidy, 'warning'],
    ['just below a day', holder({ heldMs: 24 * HOUR - 1 }), tidy, 'warning'],
    ['a day', holder({ heldMs: 24 * HOUR }), tidy, 'critical'],
    ['a minute, nothing piled up', holder({ heldMs: MINUTE }), tidy, undefined],
    ['a minute, too few dead rows to matter', holder({ heldMs: MINUTE }), small, undefined],
    ['a minute, dead rows pile up', holder({ heldMs: MINUTE }), piled, 'warning'],
    ['just below a minute, dead rows pile up', holder({ heldMs: MINUTE - 1 }), piled, undefined],
    [
      'a minute, dead rows pile up in another database',
      holder({ heldMs: MINUTE, database: 'ledger' }),
      piled,
      undefined,
    ],
    [
      'a minute, a slot that holds the catalogs only',
      holder({ kind: 'slot', heldMs: MINUTE, catalogsOnly: true }),
      piled,
      undefined,
    ],
    ['a minute, a standby', holder({ kind: 'standby', heldMs: MINUTE }), piled, 'warning'],
    [
      'just below ten minutes, dead rows pile up',
      holder({ heldMs: 10 * MINUTE - 1 }),
      piled,
      'warning',
    ],
    ['ten minutes, dead rows pile up', holder({ heldMs: 10 * MINUTE }), piled, 'critical'],
  ])('%s', (_, given, table, severity) => {
    expect(judge([given], table).findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('names a session as its application, with backend, client, address and the tables that suffer', () => {
    const [finding] = judge([holder({ heldMs: 2 * HOUR, ageXids: 77 })], piled).findings!;
    expect(finding).toMatchObject({
      about: { kind: 'application', name: 'reports', scope: 'orders' },
      says: 'a session of reports (pid 4711, idle in transaction) for 2 h 0 min keeps vacuum from cleaning what is newer than 77 transactions; 20000 dead rows wait behind it',
      since: new Date(lookOf().now.getTime() - 2 * HOUR),
      involves: [
        { kind: 'backend', name: '4711/2026-11-24T03:00:00.123456Z' },
        { kind: 'client', name: 'reports@127.0.3.7' },
        { kind: 'address', name: '127.0.3.7' },
        { kind: 'table', name: 'public.orders' },
      ],
    });
  });

  it.each<[Partial<HorizonHolder>, string]>([
    [{ kind: 'slot', name: 'cdc', state: 'inactive' }, 'the inactive replication slot cdc'],
    [{ kind: 'slot', name: 'cdc', state: 'active' }, 'the active replication slot cdc keeps'],
    [{ kind: 'standby', name: 'replica-1' }, 'the standby replica-1 (pid 4711) by its feedback'],
    [{ kind: 'prepared', name: 'tx-1', pid: 0 }, 'the prepared transaction tx-1'],
  ])('says what holds: %j', (more, says) => {
    const [finding] = judge([holder({ ageXids: 100_000_000, ...more })]).findings!;
    expect(finding?.says).toContain(says);
  });

  it('judges a slot of which nobody knows since when by its transactions', () => {
    const { heldMs: _, ...slot } = holder({ kind: 'slot', ageXids: 20_000_000 });
    expect(judge([slot]).findings).toMatchObject([{ severity: 'warning' }]);
    expect(judge([slot]).findings?.[0]).not.toHaveProperty('since');
  });

  it('measures also when nothing holds, and says which database it saw', () => {
    const verdict = xminHorizon.judge(
      {
        horizon: { holders: [], freezeMaxAge: 200_000_000 },
        tables: { ...tablesOf([tidy]), elsewhere: ['ledger'] },
      },
      limitsOf(xminHorizon),
      lookOf(),
    );
    expect(verdict.measured.map(({ name, value }) => [name, value])).toEqual([
      ['horizonAgeXids', 0],
      ['horizonAgeRatio', 0],
      ['heldMs', 0],
      ['deadRowsWaiting', 0],
    ]);
    expect(verdict.blind?.[0]?.detail).toContain('in the database shop only');
  });
});
