import { describe, expect, it } from '@jest/globals';
import { statusOf } from '@starr/kernel';
import type { AttachedProcess } from '../attached-process.ts';
import type { QueueView } from '../policy-view.ts';
import { limitsOf, lookOf, now, processOf, queueOf } from '../test/seen.ts';
import { queues } from './queues.ts';

const limits = limitsOf(queues.thresholds);
function judge(
  after: readonly AttachedProcess[],
  before: readonly AttachedProcess[] = after,
  elapsedMs = 60_000,
) {
  return queues.judge({ processes: { before, after, elapsedMs } }, limits, lookOf());
}
const one = (more: Partial<QueueView>) => [processOf('a', [queueOf(more)])];

describe('resilience.queues', () => {
  it.each<[string, Partial<QueueView>, string | undefined]>([
    ['empty', {}, undefined],
    ['100 deep', { size: 100 }, undefined],
    ['101 deep', { size: 101 }, 'warning'],
    ['just under 0.8 full', { size: 79, maxSize: 100 }, undefined],
    ['0.8 full', { size: 80, maxSize: 100 }, 'warning'],
    ['one place short of full', { size: 99, maxSize: 100 }, 'warning'],
    ['full', { size: 100, maxSize: 100 }, 'critical'],
    ['without any place to wait', { size: 0, maxSize: 0, activeWorkers: 4 }, undefined],
  ])('judges one that is %s', (_says, queue, severity) => {
    const verdict = judge(one(queue));
    expect(verdict.findings?.[0]?.severity).toBe(severity);
    expect(statusOf(verdict)).toBe(severity === undefined ? 'healthy' : 'found');
  });

  it.each<[string, Partial<QueueView>, number, string | undefined]>([
    ['nothing lost', { rejected: 5, timedOut: 5 }, 60_000, undefined],
    ['one rejected in two minutes', { rejected: 6, timedOut: 5 }, 120_000, undefined],
    ['one rejected in a minute', { rejected: 6, timedOut: 5 }, 60_000, 'critical'],
    ['one timed out in a minute', { rejected: 5, timedOut: 6 }, 60_000, 'critical'],
    ['counters of a younger process', { rejected: 1, timedOut: 1 }, 60_000, undefined],
  ])('judges losses between two looks: %s', (_says, queue, elapsedMs, severity) => {
    const before = one({ rejected: 5, timedOut: 5 });
    expect(judge(one(queue), before, elapsedMs).findings?.[0]?.severity).toBe(severity);
  });

  it('counts no loss for a process that was not there before, and none without time between', () => {
    const after = [processOf('new', [queueOf({ rejected: 50 })])];
    expect(judge(after, one({})).findings).toEqual([]);
    expect(judge(one({ rejected: 50 }), one({}), 0).findings).toEqual([]);
  });

  it('sums over the processes and shows the worst first', () => {
    const verdict = judge([
      processOf('a', [queueOf({ size: 10, maxSize: 100, activeWorkers: 2, oldestWaitMs: 50 })]),
      processOf('b', [queueOf({ size: 90, maxSize: 100, activeWorkers: 4, oldestWaitMs: 2000 })]),
      processOf('c', [queueOf({ size: 95, maxSize: 100, activeWorkers: 4, oldestWaitMs: 1000 })]),
    ]);
    const measured = Object.fromEntries(verdict.measured.map(({ name, value }) => [name, value]));
    expect(measured).toMatchObject({
      depth: 95,
      waiting: 195,
      fillRatio: 0.95,
      workersRatio: 10 / 12,
      oldestWaitMs: 2000,
    });
    const [finding] = verdict.findings ?? [];
    expect(finding?.rows?.map((row) => row['process'])).toEqual(['c', 'b']);
    expect(finding?.since).toEqual(new Date(now.getTime() - 2000));
    expect(finding?.says).toBe(
      'queue checkout/mails: 95 of 100 places taken in the fullest of 3 processes, 4 of 4 workers busy, the oldest waits 2.0 s',
    );
  });

  it('says what is lost, also where no place is taken any more', () => {
    const verdict = judge(one({ rejected: 30 }), one({}), 30_000);
    expect(verdict.findings?.[0]?.says).toBe(
      'queue checkout/mails: 60 works a minute rejected or timed out',
    );
  });
});
