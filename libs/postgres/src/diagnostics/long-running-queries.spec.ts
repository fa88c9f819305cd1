import { describe, expect, it } from '@jest/globals';
import { blindSpot, isPartial, type Limits, type Severity } from '@starr/kernel';
import type { Blocker } from '../reads/blockers.ts';
import type { BusySession } from '../reads/busy-sessions.ts';
import { lookOf } from '../test/lab-target.ts';
import { longRunningQueries } from './long-running-queries.ts';

const limits = Object.fromEntries(
  Object.entries(longRunningQueries.thresholds).map(([name, { value }]) => [name, value]),
) as Limits<typeof longRunningQueries.thresholds>;

const session = (more: Partial<BusySession> = {}): BusySession => ({
  pid: 4711,
  backendStart: '2026-11-24T03:00:00.123456Z',
  state: 'active',
  application: 'reports',
  address: '127.0.3.7',
  role: 'shop',
  database: 'shop',
  transactionMs: 10,
  statementMs: 10,
  stateMs: 10,
  pinsHorizon: false,
  statement: 'SELECT * FROM orders WHERE id = ?',
  ...more,
});

const active = (statementMs: number, more: Partial<BusySession> = {}) =>
  session({ statementMs, ...more });
const idle = (stateMs: number, more: Partial<BusySession> = {}) =>
  session({ state: 'idle in transaction', stateMs, statementMs: stateMs + 5000, ...more });

const judge = (sessions: readonly BusySession[], blockers: readonly Blocker[] = []) =>
  longRunningQueries.judge({ busy: { sessions }, blockers }, limits, lookOf());

describe('db.long-running-queries', () => {
  it.each<[string, BusySession, readonly Blocker[], Severity | undefined]>([
    ['a short statement', active(300), [], undefined],
    ['a statement just below a minute', active(59_999), [], undefined],
    ['a statement of a minute', active(60_000), [], 'warning'],
    ['a statement just below half an hour', active(1_799_999), [], 'warning'],
    ['a statement of half an hour', active(1_800_000), [], 'critical'],
    ['a statement that waits for a lock', active(3_600_000, { waitsFor: 'Lock' }), [], undefined],
    [
      'a client that stopped in its request',
      active(60_000, { waitsFor: 'Client', waitEvent: 'ClientRead' }),
      [],
      'warning',
    ],
    ['an idle transaction just below a minute', idle(59_999), [], undefined],
    ['an idle transaction of a minute', idle(60_000), [], 'warning'],
    [
      'an aborted one of a minute',
      idle(60_000, { state: 'idle in transaction (aborted)' }),
      [],
      'warning',
    ],
    [
      'an idle transaction of a minute that others wait for',
      idle(60_000),
      [{ pid: 4711, blocks: 3 }],
      'critical',
    ],
    [
      'an idle transaction of a minute that pins the horizon',
      idle(60_000, { pinsHorizon: true }),
      [],
      'critical',
    ],
    [
      'an idle transaction of less than a minute that others wait for',
      idle(59_999),
      [{ pid: 4711, blocks: 3 }],
      undefined,
    ],
    ['an idle transaction just below ten minutes', idle(599_999), [], 'warning'],
    ['an idle transaction of ten minutes', idle(600_000), [], 'critical'],
    [
      'an idle transaction is aged by its last activity',
      idle(10, { statementMs: 900_000, transactionMs: 900_000 }),
      [],
      undefined,
    ],
  ])('%s', (_, given, blockers, severity) => {
    expect(judge([given], blockers).findings?.map((finding) => finding.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('says what a session is at, and who waits for it', () => {
    const says = (given: BusySession, blockers: readonly Blocker[] = []) =>
      judge([given], blockers).findings?.[0]?.says;
    expect(says(active(90_000))).toBe('a session of reports ran a statement for up to 90 s');
    expect(says(idle(90_000, { pinsHorizon: true }), [{ pid: 4711, blocks: 50 }])).toBe(
      'a session of reports did nothing in an open transaction, for up to 90 s; 50 wait for it; vacuum cannot clean behind it',
    );
    expect(says(active(90_000, { waitsFor: 'Client', waitEvent: 'ClientRead' }))).toContain(
      'a cancel does nothing',
    );
  });

  it('makes one finding an application and kind, worst first', () => {
    const many = Array.from({ length: 30 }, (_, index) =>
      active(60_000 + index, { pid: index + 1 }),
    );
    const findings = judge([
      ...many,
      idle(700_000),
      active(61_000, { application: 'worker' }),
    ]).findings!;
    expect(findings.map(({ severity, about }) => [severity, about.name])).toEqual([
      ['critical', 'reports'],
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
      ['longestIdleInTransactionMs', 0],
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
      { busy: { sessions: [active(60_000)] }, blockers: blindSpot('timeout', 'slow') },
      limits,
      lookOf(),
    );
    expect(verdict.findings).toHaveLength(1);
    expect(isPartial(verdict)).toBe(true);
  });
});
