import { describe, expect, it } from '@jest/globals';
import type { Limits } from '@starr/kernel';
import type { SessionGroup } from '../reads/session-groups.ts';
import type { Slots } from '../reads/slots.ts';
import { lookOf } from '../test/lab-target.ts';
import { idleSessions } from './idle-sessions.ts';

const limits = Object.fromEntries(
  Object.entries(idleSessions.thresholds).map(([name, { value }]) => [name, value]),
) as Limits<typeof idleSessions.thresholds>;

const group = (idleLong: number, application = 'reports'): SessionGroup => ({
  application,
  address: '127.0.3.7',
  sessions: 60,
  active: 0,
  idleInTransaction: 0,
  idle: 60,
  idleLong,
  longestIdleMs: 720_000,
  settled: 60,
  undecided: 0,
  usedOnce: 0,
  usedOnceLastMinute: 0,
  usedOnceLastFiveMinutes: 0,
  idleSpreadMs: 0,
});

const slots = (used: number, more: Partial<Slots> = {}) =>
  ({ usable: 100, used, waiting: 0, longestWaitMs: 0, ...more }) as Slots;

function judge(
  used: number,
  groups: readonly SessionGroup[],
  before = used,
  more: Partial<Slots> = {},
) {
  return idleSessions.judge(
    {
      slots: { before: slots(before), after: slots(used, more), elapsedMs: 60_000 },
      groups: { groups, truncated: false },
      refusals: [],
    },
    limits,
    lookOf(),
  );
}

describe('db.idle-sessions', () => {
  it.each<[string, number, number, number, Partial<Slots>, boolean]>([
    ['a big static pool, flat and idle', 85, 85, 60, {}, false],
    ['the same beside growth', 85, 75, 60, {}, true],
    ['the same beside waiters', 85, 85, 60, { waiting: 3, longestWaitMs: 10_000 }, true],
    [
      'the same beside waiters that wait just too short',
      85,
      85,
      60,
      { waiting: 3, longestWaitMs: 9999 },
      false,
    ],
    ['the same with the slots full', 95, 95, 60, {}, true],
    ['growth with slots to spare', 79, 60, 60, {}, false],
    ['just less than a fifth of the slots', 95, 95, 19, {}, false],
    ['a fifth of the slots', 95, 95, 20, {}, true],
  ])('%s', (_, used, before, idleLong, more, found) => {
    expect(judge(used, [group(idleLong)], before, more).findings).toHaveLength(found ? 1 : 0);
  });

  it('says who holds how many, and for how long', () => {
    const [finding] = judge(95, [group(60)]).findings!;
    expect(finding?.says).toBe(
      'reports holds 60 of 100 usable slots with sessions idle for up to 12 min, while slots are short',
    );
    expect(finding?.about).toEqual({ kind: 'application', name: 'reports', scope: 'orders' });
    expect(finding?.involves).toContainEqual({ kind: 'address', name: '127.0.3.7' });
  });

  it('counts the addresses of an application together', () => {
    expect(judge(95, [group(12), { ...group(12), address: '127.0.3.8' }]).findings).toHaveLength(1);
  });

  it.each([
    [[], 0],
    [[group(60), group(3, 'worker')], 63],
  ])('measures also when healthy', (groups, expected) => {
    const measured = judge(10, groups).measured.find(({ name }) => name === 'longIdleSessions');
    expect(measured).toMatchObject({
      value: expected,
      about: { kind: 'postgres', name: 'orders' },
    });
  });
});
