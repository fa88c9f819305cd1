import { describe, expect, it } from '@jest/globals';
import type { OwnSetting, Setting, Settings } from '../reads/settings.ts';
import { limitsOf } from '../test/limits-of.ts';
import { lookOf } from '../test/lab-target.ts';
import { settings } from './settings.ts';

const ago = (ms: number) => new Date(lookOf().now.getTime() - ms);
const HOUR = 3_600_000;

const setting = (more: Partial<Setting> = {}): Setting => ({
  name: 'work_mem',
  value: '4096 kB',
  source: 'configuration file',
  pendingRestart: false,
  ...more,
});
const of = (all: readonly Setting[], more: Partial<Settings> = {}): Settings => ({
  settings: all,
  own: [],
  startedAt: ago(100 * HOUR),
  loadedAt: ago(100 * HOUR),
  ...more,
});
const judge = (after: Settings, before = after) =>
  settings.judge({ settings: { before, after, elapsedMs: 60_000 } }, limitsOf(settings), lookOf());

describe('db.settings', () => {
  it.each<[string, Partial<Setting>, string | undefined]>([
    ['autovacuum on', { name: 'autovacuum', value: 'on' }, undefined],
    ['autovacuum off', { name: 'autovacuum', value: 'off' }, 'warning'],
    ['track_counts off', { name: 'track_counts', value: 'off' }, 'warning'],
    ['read-only for everybody', { name: 'default_transaction_read_only', value: 'on' }, 'critical'],
    [
      'read-only for our role alone',
      { name: 'default_transaction_read_only', value: 'on', source: 'user' },
      undefined,
    ],
    ['a small work_mem', { value: '64 kB' }, undefined],
  ])('%s', (_, more, severity) => {
    expect(judge(of([setting(more)])).findings?.map((each) => each.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('what differs from the sample before is a change, dated by the load of the configuration', () => {
    const verdict = judge(
      of([setting({ value: '65536 kB' })], { loadedAt: ago(30_000) }),
      of([setting()]),
    );
    expect(verdict.findings).toEqual([]);
    expect(verdict.changes).toEqual([
      {
        about: { kind: 'postgres', name: 'orders' },
        at: ago(30_000),
        says: 'work_mem 4096 kB → 65536 kB',
        facts: { setting: 'work_mem', from: '4096 kB', to: '65536 kB' },
      },
    ]);
  });

  it('set, reset, and waiting for a restart are changes too', () => {
    const waits = setting({ pendingRestart: true });
    const says = (after: readonly Setting[], before: readonly Setting[]) =>
      judge(of(after), of(before)).changes?.map((change) => change.says);
    expect(says([setting()], [])).toEqual(['work_mem (not set) → 4096 kB']);
    expect(says([], [setting()])).toEqual(['work_mem 4096 kB → (not set)']);
    expect(says([waits], [setting()])).toEqual([
      'work_mem 4096 kB → 4096 kB (waits for a restart)',
    ]);
    expect(says([setting()], [setting()])).toEqual([]);
  });

  it('of a role, dated where the server keeps the moment', () => {
    const own = (more: Partial<OwnSetting> = {}): OwnSetting => ({
      of: 'role checkout',
      name: 'statement_timeout',
      value: '1s',
      ...more,
    });
    const changed = judge(of([], { own: [own({ at: ago(9000) })] }), of([]));
    expect(changed.changes).toMatchObject([
      { at: ago(9000), says: 'role checkout: statement_timeout (not set) → 1s' },
    ]);
    expect(judge(of([], { own: [own()] }), of([])).changes).toMatchObject([{ at: ago(0) }]);
    const older = (at: Date) => judge(of([], { own: [own({ at })] })).changes;
    expect(older(ago(1_800_000))).toHaveLength(1);
    expect(older(ago(1_800_001))).toEqual([]);
  });

  it('a start and a load within the window are told with their moment', () => {
    const says = (more: Partial<Settings>) =>
      judge(of([], more)).changes?.map((change) => change.says);
    expect(says({ startedAt: ago(HOUR), loadedAt: ago(HOUR) })).toEqual([]);
    expect(says({ startedAt: ago(60_000), loadedAt: ago(59_000) })).toEqual([
      'the server was started',
    ]);
    expect(says({ startedAt: ago(HOUR), loadedAt: ago(60_000) })).toEqual([
      'the configuration was loaded again; what changed in it the server does not keep',
    ]);
  });

  it('measures also when nothing is wrong', () => {
    const verdict = judge(of([setting({ pendingRestart: true })]));
    expect(verdict.measured.map(({ name, value }) => [name, value])).toEqual([
      ['settingsAtFault', 0],
      ['pendingRestart', 1],
      ['settingsChanged', 0],
      ['uptimeMs', 100 * HOUR],
    ]);
  });
});
