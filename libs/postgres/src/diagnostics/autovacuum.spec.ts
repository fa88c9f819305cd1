import { describe, expect, it } from '@jest/globals';
import type { Severity } from '@starr/kernel';
import type { HorizonHolder } from '../reads/horizon.ts';
import type { TableStats } from '../reads/tables.ts';
import type { Vacuums } from '../reads/vacuums.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { tableStats, tablesOf } from '../test/table-stats.ts';
import { autovacuum } from './autovacuum.ts';

const ago = (ms: number) => new Date(lookOf().now.getTime() - ms);
const TEN_MINUTES = 600_000;

const table = (more: Partial<TableStats> = {}) =>
  tableStats({ dead: 10_000, vacuumTrigger: 5000, vacuumedAt: ago(TEN_MINUTES), ...more });
const never = (more: Partial<TableStats> = {}): TableStats => {
  const { vacuumedAt: _, ...rest } = table(more);
  return rest;
};
const holder = (more: Partial<HorizonHolder> = {}): HorizonHolder => ({
  kind: 'session',
  ageXids: 10,
  catalogsOnly: false,
  heldMs: 60_000,
  name: 'reports',
  pid: 4711,
  backendStart: '2026-11-24T03:00:00.123456Z',
  role: 'shop',
  database: 'shop',
  state: 'idle in transaction',
  statement: '',
  ...more,
});

interface Case {
  readonly before?: readonly TableStats[];
  readonly elapsedMs?: number;
  readonly holders?: readonly HorizonHolder[];
  readonly vacuums?: Partial<Vacuums>;
  readonly autovacuums?: boolean;
  readonly needed?: number;
}

function judge(after: readonly TableStats[], more: Case = {}) {
  const { before = after, elapsedMs = 60_000, holders = [], autovacuums = true } = more;
  return autovacuum.judge(
    {
      tables: {
        before: tablesOf(before),
        after: { ...tablesOf(after), autovacuums },
        elapsedMs,
      },
      vacuums: { running: [], lockers: [], workers: 0, maxWorkers: 3, ...more.vacuums },
      horizon: { holders, freezeMaxAge: 200_000_000 },
      widths: new Map(more.needed === undefined ? [] : [['16400', more.needed]]),
    },
    limitsOf(autovacuum),
    lookOf(),
  );
}

describe('db.autovacuum', () => {
  it.each<[string, TableStats, Severity | undefined]>([
    ['no dead row', table({ dead: 0 }), undefined],
    ['just too few to harm', table({ dead: 9999, vacuumTrigger: 50 }), undefined],
    ['just below twice the trigger', table({ vacuumTrigger: 5001 }), undefined],
    ['twice the trigger', table(), 'warning'],
    ['autovacuum still has time', table({ vacuumedAt: ago(TEN_MINUTES - 1) }), undefined],
    ['just too few to be critical', table({ dead: 99_999, live: 1 }), 'warning'],
    ['just below half', table({ dead: 100_000, live: 100_001 }), 'warning'],
    ['half of the table', table({ dead: 100_000, live: 100_000 }), 'critical'],
    ['never vacuumed, and it lasts', never(), 'warning'],
  ])('%s', (_, given, severity) => {
    expect(judge([given]).findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('one that was never vacuumed must last', () => {
    expect(judge([never()], { before: [never({ dead: 0 })] }).findings).toEqual([]);
    expect(judge([never()], { before: [] }).findings).toEqual([]);
    expect(judge([never()], { elapsedMs: 14_999 }).findings).toEqual([]);
    expect(judge([never()], { elapsedMs: 15_000 }).findings).toHaveLength(1);
  });

  const fresh = () => table({ vacuumedAt: ago(1000) });
  it.each<[string, HorizonHolder, boolean]>([
    ['just too short', holder({ heldMs: 59_999 }), false],
    ['long enough', holder(), true],
    ['in another database', holder({ database: 'ledger' }), false],
    ['a logical slot', holder({ kind: 'slot', catalogsOnly: true }), false],
    ['a prepared transaction', holder({ kind: 'prepared' }), true],
  ])('a vacuum that has just come and could not clean, behind a holder: %s', (_, by, isFound) => {
    expect(judge([fresh()], { holders: [by] }).findings).toHaveLength(isFound ? 1 : 0);
  });

  it.each<[string, Case, string]>([
    [
      'a session',
      { holders: [holder()] },
      'vacuum cannot clean behind reports (pid 4711, idle in transaction) for 60 s',
    ],
    [
      'a slot',
      { holders: [holder({ kind: 'slot', name: 'standby_2', state: 'inactive' })] },
      'vacuum cannot clean behind the inactive replication slot standby_2',
    ],
    [
      'a running vacuum',
      {
        vacuums: {
          running: [
            {
              tableOid: '16400',
              pid: 5,
              phase: 'scanning heap',
              ratio: 0.4,
              runsMs: 90_000,
              isAutovacuum: true,
            },
          ],
        },
      },
      'a vacuum of it (pid 5) runs for 90 s and is at 40 % (scanning heap)',
    ],
    [
      'a lock',
      {
        vacuums: {
          lockers: [
            {
              tableOid: '16400',
              pid: 6,
              application: 'migration',
              mode: 'ShareLock',
              heldMs: 200_000,
            },
          ],
        },
      },
      'pid 6 of migration holds ShareLock on it for 3 min, and autovacuum does not wait',
    ],
    ['a server without', { autovacuums: false }, 'autovacuum is off on this server'],
    ['busy workers', { vacuums: { workers: 3 } }, 'all 3 autovacuum workers are busy'],
    ['nothing that can be seen', { vacuums: { workers: 2 } }, 'autovacuum has not come'],
  ])('says what stands in the way: %s', (_, more, says) => {
    const [finding] = judge([table()], more).findings!;
    expect(finding?.says).toBe(`public.orders in shop has 10000 dead rows, 1 % of all: ${says}`);
  });

  it('says that it is off for the table', () => {
    const [finding] = judge([table({ autovacuums: false })]).findings!;
    expect(finding?.says).toContain('autovacuum is off for this table');
  });

  it('names who holds it up, for the join', () => {
    const [finding] = judge([table()], { holders: [holder()] }).findings!;
    expect(finding?.involves).toEqual([
      { kind: 'database', name: 'shop', scope: 'orders' },
      { kind: 'application', name: 'reports', scope: 'orders' },
      { kind: 'backend', name: '4711/2026-11-24T03:00:00.123456Z', scope: 'orders' },
    ]);
  });

  it('estimates bloat where it may read the table', () => {
    const of = (more: Case) =>
      judge([table()], more).findings![0]!.measured.find(({ name }) => name === 'bloatRatio')
        ?.value;
    expect(of({})).toBeUndefined();
    expect(of({ needed: 25 * 1024 ** 2 })).toBe(0.75);
    expect(of({ needed: 1e12 })).toBe(0);
  });

  it('measures also when healthy', () => {
    expect(judge([]).measured.map(({ name, value }) => [name, value])).toEqual([
      ['tablesBehind', 0],
      ['deadRows', 0],
      ['deadRatio', 0],
      ['autovacuumWorkers', 0],
    ]);
  });
});
