import { describe, expect, it } from '@jest/globals';
import { statusOf } from '@starr/kernel';
import type { PoolView } from '../policy-view.ts';
import { limitsOf, lookOf, now, poolOf, processOf } from '../test/seen.ts';
import { pools } from './pools.ts';

const limits = limitsOf(pools.thresholds);
const judge = (...members: Partial<PoolView>[]) =>
  pools.judge(
    { processes: members.map((more, index) => processOf(`p${index}`, [poolOf(more)])) },
    limits,
    lookOf(),
  );
const out = { size: 10, idle: 0 };
const failed = (count: number) => ({
  lastMinute: { acquired: 5, failed: count, longestWaitMs: 1000 },
});

describe('resilience.pools', () => {
  it.each<[string, Partial<PoolView>, string | undefined]>([
    ['unused', {}, undefined],
    ['all out, nobody waits', out, undefined],
    ['waited for just under 250 ms', { ...out, waiting: 1, oldestWaitMs: 249 }, undefined],
    ['waited for 250 ms', { ...out, waiting: 1, oldestWaitMs: 250 }, 'warning'],
    ['waited for just under a second', { ...out, waiting: 9, oldestWaitMs: 999 }, 'warning'],
    ['waited for a second', { ...out, waiting: 1, oldestWaitMs: 1000 }, 'critical'],
    ['connecting anew for long', { size: 1, waiting: 0, oldestWaitMs: 5000 }, undefined],
    ['failing while connections are free', { size: 5, idle: 5, ...failed(1) }, 'warning'],
    ['failing while all are out', { ...out, ...failed(1) }, 'critical'],
    ['all out with old failures', { ...out, ...failed(0) }, undefined],
  ])('judges one that is %s', (_says, pool, severity) => {
    const verdict = judge(pool);
    expect(verdict.findings?.[0]?.severity).toBe(severity);
    expect(statusOf(verdict)).toBe(severity === undefined ? 'healthy' : 'found');
  });

  it('tells how many processes are out of connections, who waits and who went without', () => {
    const [finding] =
      judge({ ...out, waiting: 3, oldestWaitMs: 4000, ...failed(7) }, { size: 2, idle: 1 })
        .findings ?? [];
    expect(finding?.says).toBe(
      'pool checkout/orders: all connections are out in 1 of 2 processes, 3 callers wait, the oldest for 4.0 s, 7 callers got no connection in the last minute',
    );
    expect(finding?.since).toEqual(new Date(now.getTime() - 4000));
    expect(finding?.involves).toEqual([{ kind: 'process', name: 'checkout/p0' }]);
    expect(finding?.rows).toMatchObject([{ process: 'p0', used: 10, max: 10, failedInMinute: 7 }]);
  });

  it('measures use of the fullest and sums the rest', () => {
    const measured = Object.fromEntries(
      judge(
        { size: 10, idle: 5, oldestHeldMs: 100 },
        { size: 9, idle: 0, waiting: 2, oldestWaitMs: 10, oldestHeldMs: 900, ...failed(0) },
      ).measured.map(({ name, value }) => [name, value]),
    );
    expect(measured).toMatchObject({
      useRatio: 0.9,
      waiting: 2,
      oldestWaitMs: 10,
      failedPerMinute: 0,
      oldestHeldMs: 900,
    });
  });

  it('does not divide by a pool of no connections', () => {
    const useRatio = judge({ max: 0 }).measured.find(({ name }) => name === 'useRatio');
    expect(useRatio?.value).toBe(0);
  });
});
