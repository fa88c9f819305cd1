import { describe, expect, it } from '@jest/globals';
import type { Severity } from '@starr/kernel';
import type { DatabaseAge } from '../reads/wraparound.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { tableStats, tablesOf } from '../test/table-stats.ts';
import { wraparound } from './wraparound.ts';

const IDS = 2 ** 31;
const age = (more: Partial<DatabaseAge> = {}): DatabaseAge => ({
  database: 'shop',
  xidAge: 1000,
  multixactAge: 1,
  freezeMaxAge: 200_000_000,
  multixactFreezeMaxAge: 400_000_000,
  ...more,
});
const judge = (...ages: DatabaseAge[]) =>
  wraparound.judge(
    {
      ages,
      tables: tablesOf([
        tableStats({ name: 'small', xidAge: 5 }),
        tableStats({ name: 'old', xidAge: 50 }),
      ]),
    },
    limitsOf(wraparound),
    lookOf(),
  );

describe('db.wraparound', () => {
  it.each<[string, DatabaseAge, Severity | undefined]>([
    ['a young database', age(), undefined],
    ['beyond the age at which autovacuum freezes', age({ xidAge: 250_000_000 }), undefined],
    ['just below half', age({ xidAge: IDS * 0.5 - 1 }), undefined],
    ['half', age({ xidAge: IDS * 0.5 }), 'warning'],
    ['just below 80 %', age({ xidAge: IDS * 0.8 - 1 }), 'warning'],
    ['80 %', age({ xidAge: IDS * 0.8 }), 'critical'],
    ['half of the multixacts', age({ multixactAge: IDS * 0.5 }), 'warning'],
    ['80 % of the multixacts', age({ multixactAge: IDS * 0.8 }), 'critical'],
    ['more than there can be', age({ xidAge: IDS * 2 }), 'critical'],
  ])('%s', (_, given, severity) => {
    expect(judge(given).findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('names the database, what is left until it stops, and the oldest tables that it can see', () => {
    const [finding] = judge(age({ xidAge: IDS * 0.8 })).findings!;
    expect(finding).toMatchObject({
      about: { kind: 'database', name: 'shop', scope: 'orders' },
      says: 'the oldest unfrozen transaction of the database shop is 1718 million old, 80 % of what there is; after 426 million more the server takes no writes',
      rows: [{ table: 'public.old' }, { table: 'public.small' }],
    });
    const [elsewhere] = judge(age({ database: 'ledger', multixactAge: IDS * 0.6 })).findings!;
    expect(elsewhere).toMatchObject({ rows: [], says: expect.stringContaining('multixact') });
  });

  it('measures the worst of all databases, and zero when there is none', () => {
    expect(judge(age(), age({ database: 'ledger', xidAge: IDS / 4 })).measured[0]).toMatchObject({
      name: 'xidAgeRatio',
      value: 0.25,
    });
    expect(judge().measured.map(({ value }) => value)).toEqual([0, 0, IDS - 3_000_000]);
    expect(judge(age({ xidAge: IDS })).measured[2]).toMatchObject({ value: 0 });
  });
});
