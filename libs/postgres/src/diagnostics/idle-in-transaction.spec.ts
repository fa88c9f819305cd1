import { describe, expect, it } from '@jest/globals';
import { blindSpot, isPartial, type Limits, type Severity } from '@starr/kernel';
import type { LockWaits } from '../lock-party.ts';
import type { BusySession } from '../reads/busy-sessions.ts';
import { busySession } from '../test/busy-session.ts';
import { lookOf } from '../test/lab-target.ts';
import { blockedBy } from '../test/lock-party.ts';
import { idleInTransaction } from './idle-in-transaction.ts';

const limits = Object.fromEntries(
  Object.entries(idleInTransaction.thresholds).map(([name, { value }]) => [name, value]),
) as Limits<typeof idleInTransaction.thresholds>;

const idle = (stateMs: number, more: Partial<BusySession> = {}) =>
  busySession({
    state: 'idle in transaction',
    stateMs,
    statementMs: stateMs + 5000,
    transactionMs: stateMs + 9000,
    ...more,
  });

const judge = (sessions: readonly BusySession[], locks: LockWaits = blockedBy()) =>
  idleInTransaction.judge({ busy: { sessions }, locks }, limits, lookOf());

describe('db.idle-in-transaction', () => {
  it.each<[string, BusySession, LockWaits, Severity | undefined]>([
    ['a pause of nothing', idle(0), blockedBy(), undefined],
    ['an idle transaction just below a minute', idle(59_999), blockedBy(), undefined],
    ['an idle transaction of a minute', idle(60_000), blockedBy(), 'warning'],
    [
      'an aborted one of a minute',
      idle(60_000, { state: 'idle in transaction (aborted)' }),
      blockedBy(),
      'warning',
    ],
    ['one of a minute that others wait for', idle(60_000), blockedBy(4711), 'critical'],
    [
      'one of a minute beside a queue that waits for another',
      idle(60_000),
      blockedBy(5),
      'warning',
    ],
    [
      'one of a minute that pins the horizon',
      idle(60_000, { pinsHorizon: true }),
      blockedBy(),
      'critical',
    ],
    [
      'one of less than a minute that others wait for, which db.lock-waits judges',
      idle(59_999),
      blockedBy(4711),
      undefined,
    ],
    ['an idle transaction just below ten minutes', idle(599_999), blockedBy(), 'warning'],
    ['an idle transaction of ten minutes', idle(600_000), blockedBy(), 'critical'],
    [
      'a young pause in an old transaction: it is aged by its last activity',
      idle(10, { statementMs: 900_000, transactionMs: 900_000 }),
      blockedBy(),
      undefined,
    ],
    ['an active one', busySession({ stateMs: 900_000 }), blockedBy(), undefined],
    ['a clock that ran backwards', idle(-5), blockedBy(), undefined],
  ])('%s', (_, given, locks, severity) => {
    expect(judge([given], locks).findings?.map((finding) => finding.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('says for how long, who waits for it, and that vacuum is held up', () => {
    const [finding] = judge([idle(90_000, { pinsHorizon: true })], blockedBy(4711, 50)).findings!;
    expect(finding?.says).toBe(
      'a session of reports did nothing in an open transaction, for up to 90 s; 50 wait for it; vacuum cannot clean behind it',
    );
    expect(finding?.since).toEqual(new Date(lookOf().now.getTime() - 90_000));
    expect(finding?.rows?.[0]).toMatchObject({
      pid: 4711,
      for: { durationMs: 90_000 },
      transaction: { durationMs: 99_000 },
      blocks: 50,
    });
    expect(finding?.involves?.[0]).toEqual({
      kind: 'backend',
      name: '4711/2026-11-24T03:00:00.123456Z',
      scope: 'orders',
    });
  });

  it('makes one finding an application', () => {
    const findings = judge([
      idle(70_000),
      idle(80_000, { pid: 2 }),
      idle(60_000, { application: 'b' }),
    ]);
    expect(findings.findings?.map(({ says }) => says)).toEqual([
      '2 sessions of reports did nothing in an open transaction, for up to 80 s',
      'a session of b did nothing in an open transaction, for up to 60 s',
    ]);
  });

  it.each<[readonly BusySession[], number, number]>([
    [[], 0, 0],
    [[idle(400), idle(20), busySession()], 2, 400],
  ])('measures also when healthy', (sessions, count, longest) => {
    expect(judge(sessions).measured.map(({ value }) => value)).toEqual([count, longest]);
  });

  it('still judges ages when it cannot see who waits for whom, and says so', () => {
    const verdict = idleInTransaction.judge(
      { busy: { sessions: [idle(60_000)] }, locks: blindSpot('timeout', 'slow') },
      limits,
      lookOf(),
    );
    expect(verdict.findings).toHaveLength(1);
    expect(isPartial(verdict)).toBe(true);
  });
});
