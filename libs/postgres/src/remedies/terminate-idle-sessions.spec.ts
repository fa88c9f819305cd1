import { describe, expect, it } from '@jest/globals';
import type { Json, Plan } from '@starr/kernel';
import type { PostgresAct } from '../postgres-act.ts';
import type { IdleSession } from '../reads/idle-candidates.ts';
import type { PooledSession } from '../reads/pooled-sessions.ts';
import type { Slots } from '../reads/slots.ts';
import { lookOf } from '../test/lab-target.ts';
import { pooledClient, pooledSession } from '../test/pooled.ts';
import { terminateIdleSessions } from './terminate-idle-sessions.ts';

const moment = (second: number) => `2026-11-24T03:00:${String(second).padStart(2, '0')}.123456Z`;

const session = (pid: number, more: Partial<IdleSession> = {}): IdleSession => ({
  pid,
  backendStart: moment(pid % 60),
  stateChange: moment((pid + 1) % 60),
  application: 'checkout',
  address: '127.0.3.2',
  role: 'shop',
  idleMs: 120_000 - pid * 1000,
  ageMs: 121_000 - pid * 1000,
  usedOnce: true,
  isWalsender: false,
  isSuperuser: false,
  holdsAdvisoryLock: false,
  listens: false,
  ...more,
});

function plan(
  params: Record<string, unknown>,
  sessions: readonly IdleSession[],
  slots: Partial<Slots> = {},
  options: Record<string, Json> = {},
  pooled: readonly PooledSession[] = [],
) {
  return terminateIdleSessions.plan(
    terminateIdleSessions.params.parse(params),
    {
      candidates: { sessions, truncated: false },
      slots: { usable: 97, used: 93, ...slots } as Slots,
      pooled: { sessions: pooled, waiting: [], clients: [], blind: [] },
    },
    lookOf({ options }),
  );
}

function planned(...given: Parameters<typeof plan>): Plan<PostgresAct> {
  const made = plan(...given);
  if ('refused' in made) throw new Error(made.refused);
  return made;
}

const pidsOf = (made: Plan<PostgresAct>) => {
  const act = made.operations[0]!.act;
  if (act.kind !== 'terminate-sessions') throw new Error(act.kind);
  return act.sessions.map(({ pid }) => pid);
};

describe('the parameters of db.terminate-idle-sessions', () => {
  it.each<[Record<string, unknown>, boolean]>([
    [{}, false],
    [{ addresses: '127.0.3.2' }, false],
    [{ application: 'checkout' }, true],
    [{ application: '' }, true],
    [{ idleFloorMs: 999 }, false],
    [{ idleFloorMs: 1000 }, true],
    [{ idleFloorMs: Number.NaN }, false],
    [{ idleFloorMs: -1 }, false],
    [{ application: 'checkout', maxShare: 0 }, false],
    [{ application: 'checkout', maxShare: 0.01 }, true],
    [{ application: 'checkout', maxShare: 1 }, true],
    [{ application: 'checkout', maxShare: 1.01 }, false],
    [{ application: 'checkout', limit: 0 }, false],
    [{ application: 'checkout', limit: 1 }, true],
    [{ application: 'checkout', limit: 500 }, true],
    [{ application: 'checkout', limit: 501 }, false],
    [{ application: 'x'.repeat(64) }, false],
    [{ application: 'checkout', user: 'shop' }, false],
  ])('%j: %s', (params, valid) => {
    expect(terminateIdleSessions.params.safeParse(params).success).toBe(valid);
  });
});

describe('the plan of db.terminate-idle-sessions', () => {
  it('is exact', () => {
    expect(
      planned({ application: 'checkout' }, [session(1), session(2, { address: '127.0.3.3' })]),
    ).toEqual({
      operations: [
        {
          act: {
            kind: 'terminate-sessions',
            sessions: [
              { pid: 1, backendStart: moment(1), stateChange: moment(2) },
              { pid: 2, backendStart: moment(2), stateChange: moment(3) },
            ],
            protectedApplications: [
              'starr',
              'pg_dump',
              'pg_dumpall',
              'pg_restore',
              'pg_basebackup',
              'pg_receivewal',
              'pg_recvlogical',
            ],
          },
          says: 'end 2 sessions of checkout at 2 addresses, each used once and idle for 118 s to 119 s; one that has moved since is left alone',
          byHand: [
            "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'idle'",
            ' AND (pid, backend_start, state_change) IN (VALUES',
            `  (1, timestamptz '${moment(1)}', timestamptz '${moment(2)}'),`,
            `  (2, timestamptz '${moment(2)}', timestamptz '${moment(3)}'));`,
          ].join('\n'),
          reversible: false,
          onRefused: 'stop',
          onFailed: 'stop',
        },
      ],
      effect: {
        diagnostic: 'db.connection-use',
        about: { kind: 'postgres', name: 'orders' },
        measurement: 'useRatio',
        below: 0.8,
        settleMs: 5000,
        holdMs: 30_000,
        withinMs: 120_000,
        onMiss: 'ask',
      },
      touches: [
        {
          name: 'sessionsEnded',
          about: { kind: 'application', name: 'checkout', scope: 'orders' },
          value: 2,
        },
        {
          name: 'sessionsSpared',
          about: { kind: 'application', name: 'checkout', scope: 'orders' },
          value: 0,
        },
      ],
      warnings: [
        'applications that pool connections open new ones: a leak goes on until its cause is cured',
      ],
    });
  });

  it.each<[string, Record<string, unknown>, Partial<IdleSession>, boolean]>([
    ['used once', { application: 'checkout' }, {}, true],
    ['used more than once', { application: 'checkout' }, { usedOnce: false }, false],
    ['of another application', { application: 'worker' }, {}, false],
    ['of an application that only begins so', { application: 'check' }, {}, false],
    [
      'at one of the addresses',
      { application: 'checkout', addresses: '127.0.3.1, 127.0.3.2' },
      {},
      true,
    ],
    ['at none of the addresses', { application: 'checkout', addresses: '127.0.3.22' }, {}, false],
    ['without an application_name', { application: '' }, { application: '' }, true],
    ['idle just below the floor', { idleFloorMs: 60_000 }, { idleMs: 59_999 }, false],
    ['idle for the floor', { idleFloorMs: 60_000 }, { idleMs: 60_000 }, true],
    ['idle for the floor and used often', { idleFloorMs: 60_000 }, { usedOnce: false }, true],
    [
      'idle for the floor, of another application',
      { application: 'worker', idleFloorMs: 60_000 },
      {},
      false,
    ],
  ])('a session %s', (_, params, more, chosen) => {
    expect('refused' in plan(params, [session(1, more)])).toBe(!chosen);
  });

  it.each<[string, Partial<IdleSession>, Record<string, Json>]>([
    ['a replication connection', { isWalsender: true }, {}],
    ['a superuser’s', { isSuperuser: true }, {}],
    ['holds an advisory lock', { holdsAdvisoryLock: true }, {}],
    ['listens', { listens: true }, {}],
    ['a protected application', {}, { protect: ['checkout'] }],
    ['a protected application', { application: 'pg_dump' }, {}],
    ['a protected application', { application: 'starr' }, {}],
  ])('spares a session and says why: %s', (reason, more, options) => {
    const spared = session(1, more);
    const made = plan({ application: spared.application }, [spared], {}, options);
    expect(made).toMatchObject({ refused: expect.stringContaining(reason) });
    const beside = plan(
      { idleFloorMs: 1000 },
      [spared, session(2, { application: 'worker' })],
      {},
      options,
    );
    if ('refused' in beside) throw new Error(beside.refused);
    expect(pidsOf(beside)).toEqual([2]);
    expect(beside.warnings.join('\n')).toContain(reason);
    expect(beside.touches).toContainEqual(
      expect.objectContaining({ name: 'sessionsSpared', value: 1 }),
    );
  });

  it('takes the longest idle first, at most so many, and says how many are left', () => {
    const many = Array.from({ length: 5 }, (_, index) => session(index + 1));
    const made = planned({ application: 'checkout', limit: 3 }, many);
    expect(pidsOf(made)).toEqual([1, 2, 3]);
    expect(made.warnings).toContain('2 sessions more match; the longest idle are ended first');
    expect(pidsOf(planned({ application: 'checkout', limit: 5 }, many))).toHaveLength(5);
  });

  it.each([
    ['used once: all that leaked', {}, 10],
    ['by a floor: a fifth', { idleFloorMs: 1000 }, 2],
    ['by a floor and a share', { idleFloorMs: 1000, maxShare: 0.5 }, 5],
    ['by a share that is less than one: one', { idleFloorMs: 1000, maxShare: 0.01 }, 1],
    ['by the whole share', { idleFloorMs: 1000, maxShare: 1 }, 10],
  ])('of ten sessions of an application ends, %s', (_, params, ended) => {
    const ten = Array.from({ length: 10 }, (_none, index) => session(index + 1));
    const other = session(50, { application: 'worker' });
    const made = planned({ application: 'checkout', ...params }, [...ten, other]);
    expect(pidsOf(made)).toHaveLength(ended);
    const left = made.warnings.find((warning) => warning.includes('match and stay'));
    expect(left?.startsWith(`${10 - ended} sessions more`) ?? ended === 10).toBe(true);
  });

  it.each([
    [93, 77, 0.562],
    [93, 2, 0.8],
    [30, 20, 0.206],
    [5, 1, 0.046],
  ])('with %i slots used and %i ended wants the use below %f', (used, ended, below) => {
    const sessions = Array.from({ length: ended }, (_, index) =>
      session(index + 1, { idleMs: 60_000 }),
    );
    expect(planned({ application: 'checkout' }, sessions, { used }).effect.below).toBe(below);
  });

  it('says when it is full again at the pace of the leak', () => {
    const sessions = [...Array(12).keys()].map((index) => session(index + 1, { ageMs: 30_000 }));
    expect(planned({ application: 'checkout' }, sessions).warnings).toContain(
      'at 12 new ones a minute it is full again in ~80 s',
    );
  });

  it.each([
    [{ application: 'checkout' }, 'no idle session of checkout was used once and left idle'],
    [{ application: '' }, 'no idle session of (unnamed) was used once and left idle'],
    [{ idleFloorMs: 60_000 }, 'no session has been idle for 60 s'],
  ])('refuses %j when nothing matches', (params, refused) => {
    expect(plan(params, [])).toEqual({ refused });
  });
});

describe('the plan of db.terminate-idle-sessions behind a pooler', () => {
  /** As the server sees it: the pooler's address, and a backend that served others before. */
  const backend = (pid: number) => session(pid, { address: '127.0.0.1', usedOnce: false });
  const through = (pid: number, more: Partial<PooledSession> = {}) =>
    pooledSession(pid, { backendStart: backend(pid).backendStart, ...more });

  it('names the backends of the clients that leak, and of nobody else', () => {
    const made = planned(
      { application: 'checkout', addresses: '127.0.3.2' },
      [1, 2, 3, 4].map(backend),
      {},
      {},
      [
        through(1),
        through(2, { client: pooledClient({ address: '127.0.3.9' }) }),
        through(3, { client: pooledClient({ usedMs: 40_000 }) }),
      ],
    );
    expect(pidsOf(made)).toEqual([1]);
    expect(made.operations[0]!.says).toContain('of checkout at 127.0.3.2');
  });

  it('leaves alone what the pooler keeps for nobody, and takes another start for another session', () => {
    const kept = session(1, { address: '127.0.0.1' });
    const { client: _, ...idle } = through(1);
    expect(plan({ application: 'checkout' }, [kept], {}, {}, [idle])).toHaveProperty('refused');
    const other = through(1, {
      backendStart: moment(59),
      client: pooledClient({ usedMs: 40_000 }),
    });
    expect(pidsOf(planned({ application: 'checkout' }, [kept], {}, {}, [other]))).toEqual([1]);
  });

  it('a protected client is spared by its own name', () => {
    const ledger = pooledClient({ application: 'ledger' });
    const made = plan({ idleFloorMs: 1000 }, [backend(1)], {}, { protect: ['ledger'] }, [
      through(1, { client: ledger }),
    ]);
    expect(made).toMatchObject({ refused: expect.stringContaining('a protected application') });
  });
});
