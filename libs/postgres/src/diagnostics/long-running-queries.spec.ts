import { describe, expect, it } from '@jest/globals';
import { blindSpot, isPartial, type Limits, type Severity } from '@starr/kernel';
import type { BusySession } from '../reads/busy-sessions.ts';
import { busySession as session } from '../test/busy-session.ts';
import { lookOf } from '../test/lab-target.ts';
import { blockedBy } from '../test/lock-party.ts';
import { longRunningQueries } from './long-running-queries.ts';

const limits = Object.fromEntries(
  Object.entries(longRunningQueries.thresholds).map(([name, { value }]) => [name, value]),
) as Limits<typeof longRunningQueries.thresholds>;

const active = (statementMs: number, more: Partial<BusySession> = {}) =>
  session({ statementMs, ...more });
const working = (transactionMs: number, more: Partial<BusySession> = {}) =>
  session({ transactionMs, ...more });
const paused = (transactionMs: number, stateMs: number) =>
  session({ state: 'idle in transaction', transactionMs, stateMs, statementMs: transactionMs });

const judge = (sessions: readonly BusySession[], locks = blockedBy()) =>
  longRunningQueries.judge({ busy: { sessions }, locks }, limits, lookOf());

describe('db.long-running-queries', () => {
  it.each<[string, BusySession, Severity | undefined]>([
    ['a short statement', active(300), undefined],
    ['a statement just below a minute', active(59_999), undefined],
    ['a statement of a minute', active(60_000), 'warning'],
    ['a statement just below half an hour', active(1_799_999), 'warning'],
    ['a statement of half an hour', active(1_800_000), 'critical'],
    ['an absurd age', active(Number.MAX_SAFE_INTEGER), 'critical'],
    ['a clock that ran backwards', active(-5), undefined],
    ['a statement that waits for a lock', active(3_600_000, { waitsFor: 'Lock' }), undefined],
    [
      'a client that stopped in its request, which is another check’s',
      active(3_600_000, { waitsFor: 'Client', waitEvent: 'ClientRead' }),
      undefined,
    ],
    [
      'a COPY that is fed by its client for a minute',
      active(60_000, {
        waitsFor: 'Client',
        waitEvent: 'ClientRead',
        statement: 'COPY orders FROM STDIN',
      }),
      'warning',
    ],
    ['a transaction just below half an hour', working(1_799_999), undefined],
    ['a transaction of half an hour', working(1_800_000), 'warning'],
    ['a transaction just below an hour', working(3_599_999), 'warning'],
    ['a transaction of an hour', working(3_600_000), 'critical'],
    ['one of an hour between two statements', paused(3_600_000, 59_999), 'critical'],
    [
      'one of an hour in a long pause, which is another check’s',
      paused(3_600_000, 60_000),
      undefined,
    ],
    ['a session in no transaction', session({ state: 'active' }), undefined],
  ])('%s', (_, given, severity) => {
    expect(judge([given]).findings?.map((finding) => finding.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('says what a session is at, and who waits for it', () => {
    const says = (given: BusySession, locks = blockedBy()) =>
      judge([given], locks).findings?.map((finding) => finding.says);
    expect(says(active(90_000))).toEqual(['a session of reports ran a statement for up to 90 s']);
    expect(says(working(3_600_000, { pinsHorizon: true }), blockedBy(4711, 3))).toEqual([
      'a session of reports has worked in one transaction for up to 60 min; 3 wait for it; vacuum cannot clean behind it',
    ]);
    expect(says(active(1_800_000, { transactionMs: 1_800_000 }))).toHaveLength(1);
  });

  it('makes one finding an application and kind, worst first', () => {
    const many = Array.from({ length: 30 }, (_, index) =>
      active(60_000 + index, { pid: index + 1 }),
    );
    const findings = judge([
      ...many,
      active(1_900_000, { application: 'batch' }),
      active(61_000, { application: 'worker' }),
    ]).findings!;
    expect(findings.map(({ severity, about }) => [severity, about.name])).toEqual([
      ['critical', 'batch'],
      ['warning', 'worker'],
      ['warning', 'reports'],
    ]);
    expect(findings[2]?.rows).toHaveLength(10);
    expect(findings[2]?.rows?.[0]).toMatchObject({ pid: 30, for: { durationMs: 60_029 } });
  });

  it('names the backend, its client and its address', () => {
    const [finding] = judge([active(60_000)]).findings!;
    expect(finding?.involves).toEqual([
      { kind: 'backend', name: '4711/2026-11-24T03:00:00.123456Z', scope: 'orders' },
      { kind: 'client', name: 'reports@127.0.3.7', scope: 'orders' },
      { kind: 'address', name: '127.0.3.7' },
    ]);
    expect(finding?.since).toEqual(new Date(lookOf().now.getTime() - 60_000));
  });

  it('measures also when nothing runs, and counts the victims of locks', () => {
    expect(judge([]).measured.map(({ name, value }) => [name, value])).toEqual([
      ['longestActiveMs', 0],
      ['longestTransactionMs', 0],
      ['lockWaiters', 0],
      ['longestLockWaitMs', 0],
    ]);
    const waiting = Array.from({ length: 50 }, (_, pid) => active(5000, { pid, waitsFor: 'Lock' }));
    expect(judge(waiting).measured).toContainEqual(
      expect.objectContaining({ name: 'lockWaiters', value: 50 }),
    );
  });

  it('still judges ages when it cannot see who waits for whom, and says so', () => {
    const verdict = longRunningQueries.judge(
      { busy: { sessions: [active(60_000)] }, locks: blindSpot('timeout', 'slow') },
      limits,
      lookOf(),
    );
    expect(verdict.findings).toHaveLength(1);
    expect(isPartial(verdict)).toBe(true);
  });

  it('says that there were more sessions than it looked at', () => {
    const truncated = blindSpot('truncated', 'more');
    const verdict = longRunningQueries.judge(
      { busy: { sessions: [], truncated }, locks: blockedBy() },
      limits,
      lookOf(),
    );
    expect(verdict.blind).toEqual([truncated]);
  });
});
