import { describe, expect, it } from '@jest/globals';
import { blindSpot, isPartial, statusOf, type Limits, type Severity } from '@starr/kernel';
import type { Refusal } from '../postgres-request.ts';
import type { ConnectionLimit } from '../reads/connection-limits.ts';
import type { SessionShare } from '../reads/session-shares.ts';
import type { Slots } from '../reads/slots.ts';
import { lookOf } from '../test/lab-target.ts';
import { connectionLimits } from './connection-limits.ts';

const bounds = Object.fromEntries(
  Object.entries(connectionLimits.thresholds).map(([name, { value }]) => [name, value]),
) as Limits<typeof connectionLimits.thresholds>;

const share = (sessions: number, more: Partial<SessionShare> = {}): SessionShare => ({
  role: 'shop',
  database: 'orders',
  application: 'checkout',
  sessions,
  active: 0,
  idle: sessions,
  idleInTransaction: 0,
  idleLong: 0,
  ...more,
});
const ofRole = (limit: number, name = 'shop'): ConnectionLimit => ({ of: 'role', name, limit });
const ofDatabase = (limit: number): ConnectionLimit => ({ of: 'database', name: 'orders', limit });
const slots = (used: number) => ({ usable: 97, used }) as Slots;

const judge = (
  limits: readonly ConnectionLimit[],
  shares: readonly SessionShare[],
  used = 12,
  truncated = false,
) =>
  connectionLimits.judge(
    {
      limits: { limits, truncated },
      shares: { shares, truncated: false },
      slots: slots(used),
      refusals: [],
    },
    bounds,
    lookOf(),
  );

describe('db.connection-limits', () => {
  it.each<[string, ConnectionLimit, SessionShare, Severity | undefined]>([
    ['a role with room', ofRole(10), share(5), undefined],
    ['a role just below 95 %', ofRole(100), share(94), undefined],
    ['a role at 95 %', ofRole(100), share(95), 'warning'],
    ['a role at its limit', ofRole(10), share(10), 'critical'],
    ['a role above its limit, which was lowered', ofRole(10), share(12), 'critical'],
    ['a role at its limit of which half rests', ofRole(10), share(10, { idleLong: 5 }), 'critical'],
    [
      'a role at its limit of which more than half rests',
      ofRole(10),
      share(10, { idleLong: 6 }),
      'warning',
    ],
    ['a database at its limit', ofDatabase(10), share(10), 'critical'],
    ['a database just below it', ofDatabase(100), share(94), undefined],
    ['a role that is closed on purpose', ofRole(0), share(1), undefined],
    ['a limit that nobody uses', ofRole(10, 'nobody'), share(10), undefined],
    ['a limit that holds Starr alone', ofRole(2), share(2, { application: 'starr' }), undefined],
    ['an absurd limit', ofRole(Number.MAX_SAFE_INTEGER), share(10), undefined],
  ])('%s', (_, limit, given, severity) => {
    expect(judge([limit], [given]).findings?.map((finding) => finding.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('says that the server is nearly empty, who fills the limit, and how far it can be raised', () => {
    const worker = share(2, { application: 'worker', active: 2, idle: 0 });
    const [finding] = judge(
      [ofRole(10)],
      [share(8), worker, share(3, { role: 'other' })],
    ).findings!;
    expect(finding?.says).toBe(
      'role shop is at its connection limit (10 of 10): its next connect is refused, while 85 of 97 slots of the server are free',
    );
    expect(finding?.about).toEqual({ kind: 'role', name: 'shop', scope: 'orders' });
    expect(finding?.rows).toMatchObject([
      { application: 'checkout', sessions: 8 },
      { application: 'worker', sessions: 2, active: 2 },
    ]);
    expect(finding?.involves).toEqual([
      { kind: 'application', name: 'checkout', scope: 'orders' },
      { kind: 'application', name: 'worker', scope: 'orders' },
    ]);
    expect(finding?.measured.map(({ name, value }) => [name, value])).toEqual([
      ['limitUseRatio', 1],
      ['limitedSessions', 10],
      ['raiseTo', 52],
    ]);
  });

  it.each([
    [96, 'slots of the server are free', false],
    [95, 'slots of the server are free', true],
    [97, 'the server has no free slot either', false],
  ])('offers a higher limit only while slots are free: %i of 97 used', (used, says, offers) => {
    const [finding] = judge([ofDatabase(10)], [share(10)], used).findings!;
    expect(finding?.says).toContain(says);
    expect(finding?.measured.some(({ name }) => name === 'raiseTo')).toBe(offers);
  });

  it('measures also when healthy, and when there is no limit at all', () => {
    const none = judge([], [share(10)]);
    expect(none.measured.map(({ name, value }) => [name, value])).toEqual([
      ['limits', 0],
      ['limitUseRatio', 0],
    ]);
    expect(statusOf(none)).toBe('healthy');
    expect(judge([ofRole(10)], [share(5)]).measured).toContainEqual(
      expect.objectContaining({ name: 'limitUseRatio', value: 0.5, limit: 0.95 }),
    );
  });

  describe('with nothing seen', () => {
    const blind = blindSpot('unreachable', 'connection refused', 'a cure');
    const unseen = (by: Refusal['by'], isStanding = true) =>
      connectionLimits.judge(
        {
          limits: blind,
          shares: blind,
          slots: blind,
          refusals: [
            { by, at: lookOf().now, role: 'starr', database: 'orders', isStanding: false },
            { by, at: lookOf().now, role: 'starr', database: 'orders', isStanding },
          ],
        },
        bounds,
        lookOf(),
      );

    it.each([
      [
        'role-limit',
        'role',
        'starr',
        'role starr is at its connection limit, by sessions of its own',
      ],
      [
        'database-limit',
        'database',
        'orders',
        'database orders is at its connection limit, by the',
      ],
    ] as const)(
      'names the %s that turns us away, and stays blind to the rest',
      (by, kind, name, says) => {
        const verdict = unseen(by);
        expect(verdict.findings).toMatchObject([
          {
            severity: 'critical',
            about: { kind, name, scope: 'orders' },
            says: expect.stringContaining(says),
            measured: [{ name: 'limitUseRatio', value: 1, limit: 0.95 }],
          },
        ]);
        expect(verdict.blind).toEqual([blind]);
      },
    );

    it.each([
      ['that want of a slot turns us away', 'all', true],
      ['that the pooler turns us away', 'pooler-clients', true],
      ['that an earlier connect was refused', 'role-limit', false],
    ] as const)('is blind, and leaves it to others %s', (_, by, isStanding) => {
      expect(unseen(by, isStanding)).toEqual({ measured: [], blind: [blind] });
    });
  });

  it('says that there are more limits than it asked about', () => {
    expect(isPartial(judge([], [], 12, true))).toBe(true);
  });
});
