import { describe, expect, it } from '@jest/globals';
import { isPartial, statusOf, type Limits, type Severity } from '@starr/kernel';
import type { LockParty } from '../lock-party.ts';
import { lookOf } from '../test/lab-target.ts';
import { lockParty, waitingParty } from '../test/lock-party.ts';
import { lockWaits } from './lock-waits.ts';

const limits = Object.fromEntries(
  Object.entries(lockWaits.thresholds).map(([name, { value }]) => [name, value]),
) as Limits<typeof lockWaits.thresholds>;

const judge = (...parties: LockParty[]) =>
  lockWaits.judge({ locks: { parties, truncated: false } }, limits, lookOf());
const head = lockParty(1, { application: 'batch', state: 'idle in transaction', stateMs: 720_000 });
const ddl = (ms: number) => waitingParty(2, [1], { ms, mode: 'AccessExclusiveLock' });
const waits = (pid: number, ms: number, blocker = 1) => waitingParty(pid, [blocker], { ms });

describe('db.lock-waits', () => {
  it.each<[string, LockParty[], Severity | undefined]>([
    ['nobody waits', [], undefined],
    ['a wait just below ten seconds', [head, waits(2, 9999)], undefined],
    ['a wait of ten seconds', [head, waits(2, 10_000)], 'warning'],
    ['two that wait for a minute', [head, waits(2, 60_000), waits(3, 60_000)], 'warning'],
    [
      'three of which one waits just below a minute',
      [head, waits(2, 60_000), waits(3, 60_000), waits(4, 59_999)],
      'warning',
    ],
    [
      'three that wait for a minute',
      [head, waits(2, 60_000), waits(3, 60_000), waits(4, 60_000)],
      'critical',
    ],
    ['a change of the table that waits, with nobody behind it', [head, ddl(10_000)], 'warning'],
    [
      'a change of the table at the head of a queue',
      [head, ddl(10_000), waits(3, 5, 2)],
      'critical',
    ],
    ['the same just below ten seconds', [head, ddl(9999), waits(3, 5, 2)], undefined],
    [
      'a change of the table that runs and lets nobody in',
      [lockParty(1, { holds: 'AccessExclusiveLock' }), waits(2, 10_000)],
      'critical',
    ],
    [
      'the same held by one that does nothing',
      [{ ...head, holds: 'AccessExclusiveLock' }, waits(2, 10_000)],
      'warning',
    ],
    [
      'a row for which one waits in front of others',
      [
        head,
        waitingParty(2, [1], { ms: 10_000, target: 'row', mode: 'ExclusiveLock' }),
        waits(3, 5, 2),
      ],
      'warning',
    ],
    ['an absurd wait', [head, waits(2, Number.MAX_SAFE_INTEGER)], 'warning'],
    ['a clock that ran backwards', [head, waits(2, -10_000)], undefined],
  ])('%s', (_, parties, severity) => {
    expect(judge(...parties).findings?.map((finding) => finding.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('names the root, the change in the queue, and how many stand behind each', () => {
    const [finding] = judge(head, ddl(180_000), waits(3, 90_000, 2), waits(4, 80_000, 2)).findings!;
    expect(finding?.says).toBe(
      'a session of batch (pid 1, idle in transaction for 12 min) holds up 3 sessions for up to 3 min on public.orders; ' +
        'pid 2 of checkout waits for AccessExclusiveLock in front of 2 of them',
    );
    expect(finding?.about).toEqual({
      kind: 'backend',
      name: '1/2026-11-24T03:00:00.123456Z',
      scope: 'orders',
    });
    expect(finding?.since).toEqual(new Date(lookOf().now.getTime() - 180_000));
    expect(finding?.measured.map(({ name, value }) => [name, value])).toEqual([
      ['longestBlockedMs', 180_000],
      ['blockedSessions', 3],
      ['ddlAtHead', 1],
      ['ddlWaiting', 1],
      ['freesSessions', 3],
    ]);
  });

  it('ranks the ways out by whom they free, and says what each loses', () => {
    const { rows } = judge(head, ddl(180_000), waits(3, 90_000, 2)).findings![0]!;
    expect(rows).toMatchObject([
      { pid: 1, frees: 2, loses: 'a transaction of 90 s that has written nothing' },
      { ddlPid: 2, frees: 1, loses: 'its statement, which has not begun to write' },
      { waiter: 3, wants: 'AccessShareLock on public.orders' },
    ]);
    const pids = rows?.filter((row) => 'pid' in row);
    expect(pids).toHaveLength(1); // a remedy of the root takes it from there
  });

  it('says what was written, and how long ago', () => {
    const writer = lockParty(1, { writes: true, xidAge: 4200, transactionMs: 720_000 });
    expect(judge(writer, waits(2, 10_000)).findings![0]!.rows![0]).toMatchObject({
      loses: 'what a transaction of 12 min, 4200 transactions back has written',
    });
  });

  it('is about the database of a prepared transaction, which no session can be ended for', () => {
    const prepared = [{ gid: 'transfer-1', owner: 'shop', database: 'shop', ms: 720_000 }];
    const [finding] = judge(
      waitingParty(2, [0], { ms: 10_000, target: 'row', prepared }),
    ).findings!;
    expect(finding?.about).toEqual({ kind: 'database', name: 'shop', scope: 'orders' });
    expect(finding?.says).toBe(
      'the prepared transaction transfer-1 of role shop, 12 min old, holds up 1 session for up to 10 s on a row of public.orders',
    );
    expect(finding?.rows?.[0]).toMatchObject({ gid: 'transfer-1', frees: 1 });
    expect(finding?.rows?.[0]).not.toHaveProperty('pid');
  });

  it('names a leader that holds an advisory lock, and an autovacuum', () => {
    const { transactionMs, ...idle } = lockParty(1, { state: 'idle' });
    expect(transactionMs).toBe(90_000);
    const advisory = waitingParty(2, [1], { target: 'advisory lock' });
    const [finding] = judge(idle, advisory).findings!;
    expect(finding?.says).toContain('on an advisory lock');
    expect(finding?.rows?.[0]?.['loses']).toContain('may elect a leader');
    const vacuum = lockParty(1, { type: 'autovacuum worker', application: '' });
    expect(judge(vacuum, waits(2, 10_000)).findings![0]!.says).toContain(
      'the autovacuum worker (pid 1, active for 90 s) holds up',
    );
  });

  it('makes one finding a tree, critical first, then the longest wait', () => {
    const findings = judge(
      head,
      waits(2, 200_000),
      lockParty(7),
      ddlOf(8, 7),
      waits(9, 5, 8),
    ).findings!;
    expect(findings.map(({ severity, about }) => [severity, about.name.split('/')[0]])).toEqual([
      ['critical', '7'],
      ['warning', '1'],
    ]);
  });

  it('measures also when healthy', () => {
    expect(judge().measured.map(({ name, value }) => [name, value])).toEqual([
      ['blockedSessions', 0],
      ['longestBlockedMs', 0],
      ['ddlAtHead', 0],
    ]);
    expect(statusOf(judge(head, waits(2, 500)))).toBe('healthy');
  });

  it('says that more wait than it asked about', () => {
    const verdict = lockWaits.judge({ locks: { parties: [], truncated: true } }, limits, lookOf());
    expect(isPartial(verdict)).toBe(true);
  });
});

function ddlOf(pid: number, blocker: number): LockParty {
  return waitingParty(pid, [blocker], { ms: 20_000, mode: 'AccessExclusiveLock' });
}
