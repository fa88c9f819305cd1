import { describe, expect, it } from '@jest/globals';
import { blindSpot } from '@starr/kernel';
import type { LockForestView, LockNodeView, LockSessionView } from '@starr/wire';
import { lockForestText } from './lock-forest-text.ts';

const session = (more: Partial<LockSessionView> = {}): LockSessionView => ({
  kind: 'session',
  backendStart: '2026-11-24T03:00:00Z',
  type: 'client backend',
  state: 'active',
  stateMs: 1000,
  application: 'checkout',
  role: 'shop',
  database: 'shop',
  writes: false,
  statement: '',
  ...more,
});
const node = (more: Partial<LockNodeView>): LockNodeView => ({
  depth: 0,
  blocks: 0,
  frees: 0,
  loses: 'nothing',
  blockedBy: [],
  pid: 1,
  who: session(),
  ...more,
});
const forest = (nodes: readonly LockNodeView[], more: Partial<LockForestView> = {}) =>
  ({ seenAt: new Date('2026-11-24T03:12:08Z'), nodes, truncated: false, ...more }) as const;
const waits = (pid: number, depth: number, more: Partial<LockNodeView> = {}) =>
  node({
    pid,
    depth,
    blockedBy: [1],
    who: session({
      wait: { ms: 3000, mode: 'AccessShareLock', target: 'table', table: 'public.orders' },
    }),
    ...more,
  });

describe('the lock forest as text', () => {
  it('draws a DDL sandwich', () => {
    const text = lockForestText(
      'orders',
      forest([
        node({
          frees: 3,
          loses: 'a transaction of 12 min that has written nothing',
          who: session({
            application: 'batch',
            address: '10.0.0.7',
            state: 'idle in transaction',
            stateMs: 720_000,
            holds: 'AccessShareLock',
            statement: 'SELECT * FROM orders WHERE id = ?',
          }),
        }),
        waits(2, 1, {
          frees: 2,
          loses: 'its statement, which has not begun to write',
          who: session({
            application: 'migration',
            wait: {
              ms: 180_000,
              mode: 'AccessExclusiveLock',
              target: 'table',
              table: 'public.orders',
            },
          }),
        }),
        waits(3, 2),
        waits(4, 2, { blockedBy: [2, 3] }),
      ]),
    );
    expect(text.split('\n')).toEqual([
      'orders · 03:12:08 UTC by its own clock',
      '3 sessions wait, behind 1.',
      '',
      'pid 1 · batch · 10.0.0.7 · role shop · idle in transaction 12 min · holds AccessShareLock',
      '  SELECT * FROM orders WHERE id = ?',
      '  its end frees 3 and loses a transaction of 12 min that has written nothing',
      '  └ pid 2 · migration · role shop',
      '      waits 3 min for AccessExclusiveLock on public.orders',
      '      its end frees 2 and loses its statement, which has not begun to write',
      '    └ pid 3 · checkout · role shop',
      '        waits 3.0 s for AccessShareLock on public.orders',
      '    └ pid 4 · checkout · role shop',
      '        waits 3.0 s for AccessShareLock on public.orders, behind 2 in all',
    ]);
  });

  it('cuts a queue of many, and says how many are left out', () => {
    const many = Array.from({ length: 400 }, (_, n) => waits(n + 2, 1));
    const lines = lockForestText('orders', forest([node({ frees: 400 }), ...many])).split('\n');
    expect(lines.length).toBeLessThan(30);
    expect(lines.at(-1)).toBe('  … and 392 more that wait like these');
  });

  it('draws exactly as many as it may without a word about more', () => {
    const eight = Array.from({ length: 8 }, (_, n) => waits(n + 2, 1));
    expect(lockForestText('orders', forest([node({}), ...eight]))).not.toContain('more');
  });

  it.each<[string, LockNodeView, string]>([
    [
      'a prepared transaction',
      node({
        pid: 0,
        who: { kind: 'prepared', gid: 't-1', owner: 'shop', database: 'shop', ms: 720_000 },
      }),
      'prepared transaction t-1 · role shop · database shop · 12 min old',
    ],
    [
      'one of which nothing is known',
      node({ pid: 0, who: { kind: 'gone' } }),
      'a prepared transaction',
    ],
    [
      'a session that has ended since',
      node({ pid: 9, who: { kind: 'gone' } }),
      'pid 9, ended since',
    ],
    [
      'an autovacuum',
      node({ who: session({ type: 'autovacuum worker', role: '' }) }),
      'pid 1 · autovacuum worker · active 1.0 s',
    ],
    ['a session without a name', node({ who: session({ application: '' }) }), 'pid 1 · unnamed'],
    ['two that are both in the way', node({ frees: 0 }), 'its end alone frees nobody'],
  ])('names %s', (_, given, says) => {
    expect(lockForestText('orders', forest([given]))).toContain(says);
  });

  it.each([
    ['row', 'public.orders', 'a row of public.orders'],
    ['row', undefined, 'ShareLock on a row'],
    ['advisory lock', undefined, 'ShareLock on a advisory lock'],
    ['table', undefined, 'ShareLock on a table of another database'],
  ])('says what is waited for: %s of %s', (target, table, says) => {
    const wait = { ms: 1, mode: 'ShareLock', target, ...(table !== undefined && { table }) };
    const given = waits(2, 1, { who: session({ wait }) });
    expect(lockForestText('orders', forest([node({}), given]))).toContain(
      says.replace('a advisory', 'an advisory'),
    );
  });

  it('says when nobody waits, when it could not see, and when there is more', () => {
    expect(lockForestText('orders', forest([]))).toContain('Nobody waits for a lock.');
    const blind = blindSpot('redacted', 'hidden from starr', 'GRANT pg_monitor TO starr;');
    expect(lockForestText('orders', blind)).toBe(
      'orders: the locks could not be seen (redacted): hidden from starr\n  cure  GRANT pg_monitor TO starr;',
    );
    expect(lockForestText('orders', forest([node({})], { truncated: true }))).toContain(
      'More sessions wait than were asked about.',
    );
  });
});
