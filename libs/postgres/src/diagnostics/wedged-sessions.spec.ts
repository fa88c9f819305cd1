import { describe, expect, it } from '@jest/globals';
import { blindSpot, isPartial, type Limits, type Severity } from '@starr/kernel';
import type { LockWaits } from '../lock-party.ts';
import type { BusySession } from '../reads/busy-sessions.ts';
import { busySession } from '../test/busy-session.ts';
import { lookOf } from '../test/lab-target.ts';
import { blockedBy } from '../test/lock-party.ts';
import { wedgedSessions } from './wedged-sessions.ts';

const limits = Object.fromEntries(
  Object.entries(wedgedSessions.thresholds).map(([name, { value }]) => [name, value]),
) as Limits<typeof wedgedSessions.thresholds>;

const wedged = (statementMs: number, more: Partial<BusySession> = {}) =>
  busySession({ statementMs, waitsFor: 'Client', waitEvent: 'ClientRead', ...more });

const judge = (sessions: readonly BusySession[], locks: LockWaits = blockedBy()) =>
  wedgedSessions.judge({ busy: { sessions }, locks }, limits, lookOf());

describe('db.wedged-sessions', () => {
  it.each<[string, BusySession, LockWaits, Severity | undefined]>([
    ['a request of which the rest is on its way', wedged(0), blockedBy(), undefined],
    ['one just below a minute', wedged(59_999), blockedBy(), undefined],
    ['one of a minute', wedged(60_000), blockedBy(), 'warning'],
    ['one of a minute that others wait for', wedged(60_000), blockedBy(4711), 'critical'],
    ['one just below half an hour', wedged(1_799_999), blockedBy(), 'warning'],
    ['one of half an hour', wedged(1_800_000), blockedBy(), 'critical'],
    ['one of three days', wedged(259_200_000), blockedBy(), 'critical'],
    [
      'a COPY that its client feeds',
      wedged(900_000, { statement: 'COPY orders FROM STDIN' }),
      blockedBy(),
      undefined,
    ],
    [
      'a client that does not read its result',
      wedged(900_000, { waitEvent: 'ClientWrite' }),
      blockedBy(),
      undefined,
    ],
    [
      'an idle transaction, which waits for its client too',
      wedged(900_000, { state: 'idle in transaction' }),
      blockedBy(),
      undefined,
    ],
    ['a statement that runs', busySession({ statementMs: 900_000 }), blockedBy(), undefined],
  ])('%s', (_, given, locks, severity) => {
    expect(judge([given], locks).findings?.map((finding) => finding.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('says that a cancel does nothing, and never proposes one', () => {
    const [finding] = judge([wedged(90_000)], blockedBy(4711, 2)).findings!;
    expect(finding?.says).toBe(
      'a session of reports stopped in the middle of a request 90 s ago; 2 wait for it; a cancel does nothing, only ending the session does',
    );
    expect(wedgedSessions.explains).not.toContain('pg_cancel_backend');
  });

  it.each<[readonly BusySession[], number, number]>([
    [[], 0, 0],
    [[wedged(400)], 0, 400],
    [[wedged(60_000), wedged(61_000, { pid: 2 })], 2, 61_000],
  ])('measures also when healthy', (sessions, count, longest) => {
    expect(judge(sessions).measured.map(({ value }) => value)).toEqual([count, longest]);
  });

  it('still judges ages when it cannot see who waits for whom, and says so', () => {
    const verdict = wedgedSessions.judge(
      { busy: { sessions: [wedged(60_000)] }, locks: blindSpot('timeout', 'slow') },
      limits,
      lookOf(),
    );
    expect(verdict.findings).toHaveLength(1);
    expect(isPartial(verdict)).toBe(true);
  });
});
