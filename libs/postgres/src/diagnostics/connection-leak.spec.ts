import { describe, expect, it } from '@jest/globals';
import { statusOf, type Limits, type Severity } from '@starr/kernel';
import type { PooledSession, PooledSessions } from '../reads/pooled-sessions.ts';
import type { ConnectionLimit, ConnectionLimits } from '../reads/connection-limits.ts';
import type { SessionGroup } from '../reads/session-groups.ts';
import type { SessionShares } from '../reads/session-shares.ts';
import type { Slots } from '../reads/slots.ts';
import { lookOf } from '../test/lab-target.ts';
import { pooledSession } from '../test/pooled.ts';
import { connectionLeak } from './connection-leak.ts';

const limits = Object.fromEntries(
  Object.entries(connectionLeak.thresholds).map(([name, { value }]) => [name, value]),
) as Limits<typeof connectionLeak.thresholds>;

const NO_POOLER: PooledSessions = { sessions: [], waiting: [], clients: [], blind: [] };
const NO_LIMIT: Ceilings = {
  ceilings: { limits: [], truncated: false },
  shares: { shares: [], truncated: false },
};

interface Ceilings {
  readonly ceilings: ConnectionLimits;
  readonly shares: SessionShares;
}
const ago = (ms: number) => new Date(lookOf().now.getTime() - ms);

/** Sessions that leak at a steady pace; 12 a minute for three minutes unless said otherwise. */
function group(more: Partial<SessionGroup> = {}): SessionGroup {
  return {
    application: 'checkout',
    address: '127.0.3.2',
    sessions: 36,
    active: 0,
    idleInTransaction: 0,
    idle: 36,
    idleLong: 24,
    longestIdleMs: 180_000,
    settled: 36,
    undecided: 0,
    usedOnce: 36,
    usedOnceLastMinute: 11,
    usedOnceLastFiveMinutes: 36,
    idleSpreadMs: 140_000,
    usedOnceSince: ago(180_000),
    ...more,
  };
}

/** As a pool looks like: of ten, one was never needed twice. */
const pool = (more: Partial<SessionGroup> = {}) =>
  group({
    application: 'worker',
    address: '127.0.3.9',
    sessions: 10,
    idle: 10,
    usedOnce: 1,
    usedOnceLastMinute: 0,
    idleSpreadMs: 0,
    ...more,
  });

interface Case {
  readonly after: readonly SessionGroup[];
  /** Absent: no earlier sample. */
  readonly before?: readonly SessionGroup[];
  readonly elapsedMs?: number;
  readonly used?: number;
}

function judge({ after, before, elapsedMs = 60_000, used = 50 }: Case, ceilings = NO_LIMIT) {
  const slots = { usable: 100, used } as Slots;
  const pair = {
    after: { groups: after, truncated: false },
    before: { groups: before ?? after, truncated: false },
    elapsedMs: before === undefined ? 300 : elapsedMs,
  };
  return connectionLeak.judge(
    { groups: pair, slots, pooled: NO_POOLER, ...ceilings },
    limits,
    lookOf(),
  );
}

describe('db.connection-leak', () => {
  it.each<[string, Case, Severity | undefined]>([
    ['a steady leak, seen once', { after: [group()] }, 'warning'],
    [
      'a steady leak, seen twice',
      { after: [group()], before: [group({ usedOnce: 24 })] },
      'warning',
    ],
    ['nobody', { after: [] }, undefined],
    ['a pool', { after: [pool()] }, undefined],
    [
      'a pool that was opened at once',
      { after: [group({ idleSpreadMs: 800, usedOnceSince: ago(60_000) })] },
      undefined,
    ],
    ['just too little spread', { after: [group({ idleSpreadMs: 2999 })] }, undefined],
    ['just enough spread', { after: [group({ idleSpreadMs: 3000 })] }, 'warning'],
    [
      'four sessions',
      { after: [group({ idle: 4, usedOnce: 4, usedOnceLastMinute: 4 })] },
      undefined,
    ],
    [
      'five sessions',
      { after: [group({ idle: 5, usedOnce: 5, usedOnceLastMinute: 5 })] },
      'warning',
    ],
    ['79 % used once', { after: [group({ idle: 100, usedOnce: 79 })] }, undefined],
    ['80 % used once', { after: [group({ idle: 100, usedOnce: 80 })], used: 80 }, 'critical'],
    [
      'a fast leak whose youngest sessions are too young to tell',
      { after: [group({ idle: 50, undecided: 20, usedOnce: 26, settled: 26 })] },
      'warning',
    ],
    [
      'a pool of young sessions, of which few are old enough to tell',
      { after: [group({ idle: 50, undecided: 20, usedOnce: 23, settled: 30 })] },
      undefined,
    ],
    ['none started of late', { after: [group({ usedOnceLastMinute: 0 })] }, undefined],
    ['flat between two samples', { after: [group()], before: [group()] }, undefined],
    [
      'growing by less than one a minute',
      { after: [group()], before: [group({ usedOnce: 34 })], elapsedMs: 121_000 },
      undefined,
    ],
    [
      'growing by one a minute',
      { after: [group()], before: [group({ usedOnce: 34 })], elapsedMs: 120_000 },
      'warning',
    ],
    [
      'two samples too close to tell: the ages do',
      { after: [group()], before: [group()], elapsedMs: 14_999 },
      'warning',
    ],
    [
      'a pool whose sessions are replaced at their pace',
      { after: [group()], before: [group({ usedOnceLastMinute: 12 })], elapsedMs: 15_000 },
      undefined,
    ],
    [
      'holding just less than half of the slots',
      { after: [group({ idle: 49, usedOnce: 49 })] },
      'warning',
    ],
    ['holding half of the slots', { after: [group({ idle: 50, usedOnce: 50 })] }, 'critical'],
    ['while the slots are nearly full', { after: [group()], used: 94 }, 'warning'],
    ['while the slots are full', { after: [group()], used: 95 }, 'critical'],
    [
      'stopped since the slots are full',
      { after: [group({ idle: 60, usedOnce: 60, usedOnceLastMinute: 0 })], used: 97 },
      'critical',
    ],
    [
      'stopped with slots to spare',
      { after: [group({ idle: 60, usedOnce: 60, usedOnceLastMinute: 0 })], used: 94 },
      undefined,
    ],
    [
      'a static pool that fills the slots',
      {
        after: [group({ idle: 90, usedOnce: 90, usedOnceLastMinute: 0, idleSpreadMs: 500 })],
        used: 97,
      },
      undefined,
    ],
  ])('%s', (_, given, severity) => {
    const verdict = judge(given);
    expect(verdict.findings?.map((finding) => finding.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
    expect(statusOf(verdict)).toBe(severity === undefined ? 'healthy' : 'found');
  });

  it('is about the client where one address leaks', () => {
    const [finding] = judge({ after: [group(), pool()] }).findings!;
    expect(finding?.about).toEqual({ kind: 'client', name: 'checkout@127.0.3.2', scope: 'orders' });
    expect(finding?.involves).toEqual([
      { kind: 'client', name: 'checkout@127.0.3.2', scope: 'orders' },
      { kind: 'address', name: '127.0.3.2' },
    ]);
    expect(finding?.since).toEqual(ago(180_000));
  });

  it('is about the application where several addresses leak, with all of them', () => {
    const addresses = ['127.0.3.2', '127.0.3.3', '127.0.3.4'];
    const slow = addresses.map((address) =>
      group({ address, idle: 3, usedOnce: 3, usedOnceLastMinute: 1 }),
    );
    const [finding] = judge({ after: slow }).findings!;
    expect(finding?.about).toEqual({ kind: 'application', name: 'checkout', scope: 'orders' });
    expect(
      finding?.involves?.filter(({ kind }) => kind === 'address').map(({ name }) => name),
    ).toEqual(addresses);
    expect(finding?.says).toBe(
      'checkout leaks connections: 9 sessions from 3 addresses, each used once and idle since, for up to 3 min, growing by 3 a minute',
    );
  });

  it('is about the one sick client of an application that is healthy as a whole', () => {
    const healthy = ['127.0.3.3', '127.0.3.4'].map((address) =>
      pool({ application: 'checkout', address, sessions: 60, idle: 60 }),
    );
    const findings = judge({ after: [group(), ...healthy] }).findings!;
    expect(findings.map(({ about }) => about.name)).toEqual(['checkout@127.0.3.2']);
  });

  it('measures by stable names, also when healthy', () => {
    const measured = judge({ after: [pool()] }).measured;
    expect(measured).toContainEqual({
      name: 'leakedSessions',
      about: { kind: 'postgres', name: 'orders' },
      value: 0,
    });
    const about = { kind: 'application', name: 'worker', scope: 'orders' };
    const names = measured.filter((each) => each.about.name === about.name).map(({ name }) => name);
    expect(names).toEqual(['leakedSessions', 'usedOnceRatio', 'growthPerMinute', 'idleSpreadMs']);
  });

  it('names sessions without an application_name and without an address', () => {
    const { address: _, ...local } = group({ application: '' });
    const [finding] = judge({ after: [local] }).findings!;
    expect(finding?.about.name).toBe('(unnamed)@local');
    expect(finding?.involves).toHaveLength(1);
  });

  it('says that the smallest groups were left out', () => {
    const groups = { groups: [], truncated: true };
    const verdict = connectionLeak.judge(
      {
        groups: { before: groups, after: groups, elapsedMs: 300 },
        slots: { usable: 10, used: 1 } as Slots,
        pooled: NO_POOLER,
        ...NO_LIMIT,
      },
      limits,
      lookOf(),
    );
    expect(verdict.blind?.map(({ why }) => why)).toEqual(['truncated']);
  });
});

describe('db.connection-leak at a connection limit', () => {
  /** Ten that were leaked within ten minutes, an hour ago; none has come since. */
  const stopped = group({
    sessions: 10,
    idle: 10,
    settled: 10,
    usedOnce: 10,
    usedOnceLastMinute: 0,
    usedOnceLastFiveMinutes: 0,
    longestIdleMs: 3_600_000,
    usedOnceSince: ago(3_600_000),
  });
  const at = (limit: ConnectionLimit, sessions = 10, application = 'checkout'): Ceilings => ({
    ceilings: { limits: [limit], truncated: false },
    shares: {
      shares: [
        {
          role: 'shop',
          database: 'orders',
          application,
          sessions,
          active: 0,
          idle: sessions,
          idleInTransaction: 0,
          idleLong: sessions,
        },
      ],
      truncated: false,
    },
  });
  const ofRole = (limit: number): ConnectionLimit => ({ of: 'role', name: 'shop', limit });

  it.each<[string, Ceilings, boolean]>([
    ['without a limit it is over, whatever it was', NO_LIMIT, false],
    ['below the limit of its role too', at(ofRole(11)), false],
    ['at the limit of its role it is one still', at(ofRole(10)), true],
    ['at the limit of its database too', at({ of: 'database', name: 'orders', limit: 10 }), true],
    ['not at the limit of another role', at({ of: 'role', name: 'other', limit: 10 }), false],
    ['not when others have filled the limit', at(ofRole(10), 10, 'worker'), false],
    ['nor when it holds less than half of the limit', at(ofRole(21), 21), false],
    ['a limit of 0 is closed on purpose', at(ofRole(0)), false],
  ])('a leak that grows no more: %s', (_, ceilings, found) => {
    const { findings } = judge({ after: [stopped], before: [stopped] }, ceilings);
    expect(findings).toHaveLength(found ? 1 : 0);
    if (found)
      expect(findings![0]).toMatchObject({
        severity: 'critical',
        says: expect.stringContaining('no longer growing, since its connection limit is reached'),
      });
  });
});

describe('db.connection-leak behind a pooler', () => {
  /** What the server sees: the pooler's address, and backends that were used by one client after another. */
  const asSeen = (sessions: number) =>
    group({ address: '127.0.0.1', sessions, idle: sessions, usedOnce: 2, idleSpreadMs: 100 });
  const client = (address: string, ageMs: number, usedMs = 0) => ({
    application: 'checkout',
    address,
    port: 40_000,
    ageMs,
    usedMs,
  });
  const held = (address: string, count: number, more: Partial<PooledSession> = {}) =>
    Array.from({ length: count }, (_, index) =>
      pooledSession(index, {
        backendUsedMs: 60_000,
        stateMs: 6000 + index * 2000,
        client: client(address, 6000 + index * 2000),
        ...more,
      }),
    );
  const judgePooled = (sessions: readonly PooledSession[], more: Partial<PooledSessions> = {}) => {
    const groups = { groups: [asSeen(sessions.length)], truncated: false };
    return connectionLeak.judge(
      {
        groups: { before: groups, after: groups, elapsedMs: 60_000 },
        slots: { usable: 100, used: 50 } as Slots,
        pooled: { sessions, waiting: [], clients: [], blind: [], ...more },
        ...NO_LIMIT,
      },
      limits,
      lookOf(),
    );
  };

  it('is about the one real client, not about the pooler that the server sees', () => {
    const { findings, measured } = judgePooled(held('127.0.3.2', 20));
    expect(findings).toHaveLength(1);
    const [finding] = findings!;
    expect(finding).toMatchObject({
      about: { kind: 'client', name: 'checkout@127.0.3.2', scope: 'orders' },
      says: 'checkout@127.0.3.2 leaks connections: 20 sessions behind pooler bouncer, each used once and idle since, for up to 44 s, growing by 32 a minute',
      involves: [{ name: 'checkout@127.0.3.2' }, { kind: 'address', name: '127.0.3.2' }],
      rows: [{ application: 'checkout', address: '127.0.3.2', pooler: 'bouncer', usedOnce: 20 }],
    });
    expect(measured.filter(({ about }) => about.name === 'checkout@127.0.0.1')).toEqual([]);
  });

  it('is about the application when several addresses share it', () => {
    const [finding] = judgePooled([...held('127.0.3.2', 9), ...held('127.0.3.3', 9)]).findings!;
    expect(finding?.about).toEqual({ kind: 'application', name: 'checkout', scope: 'orders' });
    expect(finding?.says).toContain('18 sessions from 2 addresses behind pooler bouncer');
  });

  it.each<[string, readonly PooledSession[]]>([
    [
      'clients that came back for more',
      held('127.0.3.2', 20, { client: client('127.0.3.2', 60_000, 30_000) }),
    ],
    [
      'connections that the pooler keeps for nobody',
      held('127.0.3.2', 20).map(({ client: _, ...rest }) => rest),
    ],
    ['clients in the middle of a statement', held('127.0.3.2', 20, { state: 'active' })],
    ['too few', held('127.0.3.2', 4)],
  ])('%s are no leak', (_, sessions) => {
    expect(judgePooled(sessions).findings).toEqual([]);
  });

  it('is a leak still when its pool is full and cannot grow, and critical, since others wait', () => {
    const old = held('127.0.3.2', 12, {}).map((each, index) => ({
      ...each,
      stateMs: 3_600_000 - index * 1000,
      client: client('127.0.3.2', 3_600_000 - index * 1000),
    }));
    expect(judgePooled(old).findings).toEqual([]);
    const waits = { pooler: 'bouncer', database: 'orders', application: 'checkout', waitMs: 4000 };
    const [finding] = judgePooled(old, { waiting: [{ ...waits, user: 'checkout' }] }).findings!;
    expect(finding).toMatchObject({
      severity: 'critical',
      says: expect.stringContaining('no longer growing, since its pool is full'),
    });
    expect(judgePooled(old, { waiting: [{ ...waits, user: 'worker' }] }).findings).toEqual([]);
  });

  it.each([
    [1249, 0],
    [1250, 1],
  ])('a pool that filled within %i ms, with others waiting: %i leaks', (spanMs, leaks) => {
    // 10th to 90th percentile of eleven: eight tenths of the span.
    const fast = held('127.0.3.2', 11).map((each, index) => ({
      ...each,
      stateMs: 6000 + (index * spanMs) / 10,
    }));
    const waiting = [
      { pooler: 'bouncer', database: 'orders', user: 'checkout', application: 'x', waitMs: 4000 },
    ];
    expect(judgePooled(fast).findings).toEqual([]);
    expect(judgePooled(fast, { waiting }).findings).toHaveLength(leaks);
  });

  it('leaves a leak from the same host that does not go through the pooler where it is', () => {
    const groups = {
      groups: [group({ address: '127.0.0.1', sessions: 56, idle: 56 })],
      truncated: false,
    };
    const [finding] = connectionLeak.judge(
      {
        groups: { before: groups, after: groups, elapsedMs: 60_000 },
        slots: { usable: 100, used: 50 } as Slots,
        pooled: {
          sessions: held('127.0.3.2', 20, { client: client('127.0.3.2', 60_000, 30_000) }),
          waiting: [],
          clients: [],
          blind: [],
        },
        ...NO_LIMIT,
      },
      limits,
      lookOf(),
    ).findings!;
    expect(finding?.about.name).toBe('checkout@127.0.0.1');
    expect(finding?.measured[0]).toMatchObject({ name: 'leakedSessions', value: 36 });
  });

  it('says that a pooler did not answer, and judges by what the server sees', () => {
    const away = { kind: 'blind', why: 'unreachable', detail: 'pooler bouncer: away' } as const;
    const verdict = judgePooled([], { blind: [away] });
    expect(verdict.blind).toEqual([away]);
  });
});
