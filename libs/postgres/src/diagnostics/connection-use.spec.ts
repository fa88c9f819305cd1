import { describe, expect, it } from '@jest/globals';
import { blindSpot, statusOf, type Limits, type Pair } from '@starr/kernel';
import type { Refusal } from '../postgres-request.ts';
import type { SessionShare } from '../reads/session-shares.ts';
import type { Slots } from '../reads/slots.ts';
import { lookOf } from '../test/lab-target.ts';
import { connectionUse } from './connection-use.ts';

const limits = Object.fromEntries(
  Object.entries(connectionUse.thresholds).map(([name, { value }]) => [name, value]),
) as Limits<typeof connectionUse.thresholds>;

interface Case {
  readonly used: number;
  readonly before?: number;
  readonly elapsedMs?: number;
  readonly usable?: number;
  readonly waiting?: number;
  readonly longestWaitMs?: number;
  readonly refusals?: readonly Refusal[];
}

const slots = (used: number, more: Partial<Slots> = {}): Slots => ({
  usable: 100,
  maxConnections: 103,
  reserved: 3,
  used,
  active: 1,
  idle: used - 1,
  idleInTransaction: 0,
  waiting: 0,
  longestWaitMs: 0,
  ...more,
});

function judge({
  used,
  before = used,
  elapsedMs = 60_000,
  usable = 100,
  refusals = [],
  waiting = 0,
  longestWaitMs = 0,
}: Case) {
  const pair: Pair<Slots> = {
    before: slots(before, { usable }),
    after: slots(used, { usable, waiting, longestWaitMs }),
    elapsedMs,
  };
  return connectionUse.judge(
    {
      slots: pair,
      refusals,
      groups: { groups: [], truncated: false },
      shares: {
        shares: [share('shop', 3), share('shop', 40, 'worker'), share('ops', 2)],
        truncated: false,
      },
    },
    limits,
    lookOf(),
  );
}

const share = (role: string, sessions: number, application = 'checkout'): SessionShare => ({
  role,
  database: 'orders',
  application,
  sessions,
  active: 1,
  idle: sessions - 1,
  idleInTransaction: 0,
  idleLong: 0,
});

const refusedAt = (minutesAgo: number, by: Refusal['by'] = 'reserved'): Refusal => ({
  by,
  at: new Date(lookOf().now.getTime() - minutesAgo * 60_000),
  role: 'starr',
  database: 'orders',
  isStanding: false,
});

describe('db.connection-use', () => {
  it.each<[string, Case, 'warning' | 'critical' | undefined]>([
    ['half full and growing fast', { used: 50, before: 20 }, undefined],
    ['just below the warning ratio, growing', { used: 79, before: 70 }, undefined],
    ['at the warning ratio, growing', { used: 80, before: 77 }, 'warning'],
    ['at the warning ratio, flat', { used: 80 }, undefined],
    ['a big static pool', { used: 85 }, undefined],
    ['a big static pool with jitter', { used: 87, before: 85, elapsedMs: 10_000 }, undefined],
    ['below the critical ratio, flat', { used: 94 }, undefined],
    ['at the critical ratio, flat', { used: 95 }, 'critical'],
    ['full', { used: 100 }, 'critical'],
    ['over full by reserved slots', { used: 103 }, 'critical'],
    ['growing slower than one a minute', { used: 88, before: 85, elapsedMs: 200_000 }, undefined],
    ['growing by one a minute', { used: 88, before: 85, elapsedMs: 180_000 }, 'warning'],
    ['shrinking', { used: 85, before: 95 }, undefined],
    ['full within five minutes at this growth', { used: 85, before: 82 }, 'critical'],
    ['full in a little more than five minutes', { used: 84, before: 80.9 }, 'warning'],
    ['waiters that wait just too short', { used: 85, waiting: 4, longestWaitMs: 9999 }, undefined],
    ['waiters that wait long enough', { used: 85, waiting: 4, longestWaitMs: 10_000 }, 'warning'],
    ['waiters with slots to spare', { used: 10, waiting: 4, longestWaitMs: 60_000 }, undefined],
    ['a connect refused within the window', { used: 85, refusals: [refusedAt(30)] }, 'warning'],
    ['a connect refused before the window', { used: 85, refusals: [refusedAt(31)] }, undefined],
    [
      'a refusal by a CONNECTION LIMIT',
      { used: 85, refusals: [refusedAt(1, 'role-limit')] },
      undefined,
    ],
    ['nobody', { used: 0 }, undefined],
    ['a server without a usable slot', { used: 0, usable: 0 }, 'critical'],
  ])('%s', (_, given, severity) => {
    const verdict = judge(given);
    expect(verdict.findings?.[0]?.severity).toBe(severity);
    expect(statusOf(verdict)).toBe(severity === undefined ? 'healthy' : 'found');
    expect(verdict.measured.map(({ name }) => name)).toContain('useRatio');
  });

  it('says how full, how fast, and until when', () => {
    const [finding] = judge({ used: 93, before: 81 }).findings!;
    expect(finding?.says).toBe(
      '93 of 100 usable slots are in use, growing by 12 a minute: full in ~35 s',
    );
    expect(finding?.about).toEqual({ kind: 'postgres', name: 'orders' });
  });

  it('says that ordinary roles are turned away when none is left', () => {
    const [finding] = judge({ used: 100, refusals: [refusedAt(1)] }).findings!;
    expect(finding?.says).toBe(
      'all 100 usable slots are in use: ordinary roles are turned away, Starr itself refused once',
    );
  });

  it.each([
    [4999, 85, ['no-history']],
    [5000, 85, []],
    [300, 79, []],
    [300, 95, []],
  ])(
    'two samples %i ms apart at %i of 100: blind to growth only where it matters: %j',
    (elapsedMs, used, why) => {
      expect(judge({ used, elapsedMs }).blind?.map((spot) => spot.why)).toEqual(why);
    },
  );

  it('measures growth only when it is known', () => {
    const names = (given: Case) => judge(given).measured.map(({ name }) => name);
    expect(names({ used: 10, elapsedMs: 300 })).not.toContain('growthPerMinute');
    expect(names({ used: 10, before: 4 })).toEqual(
      expect.arrayContaining(['growthPerMinute', 'fullInMs']),
    );
    expect(names({ used: 10 })).not.toContain('fullInMs');
  });

  describe('with nothing seen', () => {
    const blind = blindSpot('unreachable', 'connection refused', 'a cure');
    const unseen = (by: Refusal['by'], more: Partial<Refusal> = { isStanding: true }) =>
      connectionUse.judge(
        {
          slots: blind,
          groups: blind,
          shares: blind,
          refusals: [refusedAt(0, by), { ...refusedAt(0, by), ...more }],
        },
        limits,
        lookOf(),
      );

    it.each<[Refusal['by'], string, number[]]>([
      [
        'superuser-reserved',
        'all slots that are not reserved for superusers are in use',
        [1, 0, 2],
      ],
      ['reserved', 'all slots that are not reserved are in use, by whom', [1, 0, 2]],
      ['superuser-attribute', 'the reserved ones too; what is left is for superusers', [1, 0, 2]],
      ['all', 'turned away, superusers’ too: every slot is in use', [1, 0, 2]],
      ['rds-reserved', 'those that Amazon RDS keeps for itself', [1, 0, 2]],
      ['unknown', 'of role starr are turned away for want of a slot', [1, 0, 2]],
      ['pooler-clients', 'the pooler in between turns away new clients', [2]],
    ])('%s is a finding of its own, and the rest is not seen', (by, says, values) => {
      const verdict = unseen(by);
      expect(verdict.findings).toMatchObject([
        {
          severity: 'critical',
          about: { kind: 'postgres', name: 'orders' },
          says: expect.stringContaining(says),
          rows: [{ refusedRole: 'starr', database: 'orders' }],
        },
      ]);
      expect(verdict.measured.map(({ value }) => value)).toEqual(values);
      expect(verdict.blind).toEqual([blind]);
    });

    it('tells how many slots there are when it was let in before', () => {
      const [finding] = unseen('reserved', { isStanding: true, usableSlots: 97 }).findings!;
      expect(finding?.says).toContain('all 97 slots that are not reserved are in use');
    });

    it.each([
      ['an earlier connect was refused', 'reserved', false],
      ['a role is at its limit', 'role-limit', true],
      ['a database is at its limit', 'database-limit', true],
    ] as const)(
      'is blind though %s: what is not standing, or not ours to find',
      (_, by, isStanding) => {
        expect(unseen(by, { isStanding })).toEqual({ measured: [], blind: [blind] });
      },
    );
  });

  it('shows the sessions by role and database too', () => {
    const { rows } = judge({ used: 100 }).findings![0]!;
    expect(rows).toEqual([
      { role: 'shop', database: 'orders', sessions: 43, active: 2, idle: 41, idleInTransaction: 0 },
      { role: 'ops', database: 'orders', sessions: 2, active: 1, idle: 1, idleInTransaction: 0 },
    ]);
  });
});
