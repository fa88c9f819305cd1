import type { Limits, Look, Thresholds } from '@starr/kernel';
import type { AttachedProcess } from '../attached-process.ts';
import type { BreakerView, PolicyView, PoolView, QueueView } from '../policy-view.ts';
import { processesOptionsToJson, type ProcessesOptions } from '../processes-options.ts';

export const now = new Date('2026-01-02T03:04:05.000Z');

export function lookOf(options: Partial<ProcessesOptions> = {}): Look {
  const all = { expect: {}, dependencies: [], clusters: [], databases: {}, ...options };
  return {
    now,
    windowMs: 1_800_000,
    version: '',
    target: 'processes',
    options: processesOptionsToJson(all),
  };
}

/** The thresholds of a diagnostic at their defaults, as the host gives them to the judge. */
export function limitsOf<L extends Thresholds>(thresholds: L): Limits<L> {
  return Object.fromEntries(
    Object.entries(thresholds).map(([name, { value }]) => [name, value]),
  ) as Limits<L>;
}

export function processOf(
  instance: string,
  policies: readonly PolicyView[],
  more: Partial<AttachedProcess> = {},
): AttachedProcess {
  return {
    service: 'checkout',
    instance,
    pid: 7,
    answer: { kind: 'reported', policies, unreadable: 0 },
    ...more,
  };
}

export function silent(instance: string): AttachedProcess {
  return processOf(instance, [], { answer: { kind: 'silent', waitedMs: 700 } });
}

export function breakerOf(more: Partial<BreakerView> = {}): BreakerView {
  return {
    kind: 'breaker',
    name: 'payments',
    guards: 'payments-api',
    state: 'closed',
    epoch: 1,
    stateAgeMs: 0,
    windowCalls: 0,
    windowFailures: 0,
    rejectedInState: 0,
    ...more,
  };
}

export function openBreaker(notClosedForMs = 1000, more: Partial<BreakerView> = {}): BreakerView {
  return breakerOf({
    state: 'open',
    epoch: 2,
    stateAgeMs: notClosedForMs,
    notClosedForMs,
    windowCalls: 10,
    windowFailures: 9,
    timeUntilRetryMs: 500,
    rejectedInState: 3,
    ...more,
  });
}

export function queueOf(more: Partial<QueueView> = {}): QueueView {
  return {
    kind: 'queue',
    name: 'mails',
    size: 0,
    maxSize: 1000,
    activeWorkers: 0,
    maxWorkers: 4,
    processed: 0,
    failed: 0,
    timedOut: 0,
    rejected: 0,
    oldestWaitMs: 0,
    ...more,
  };
}

export function poolOf(more: Partial<PoolView> = {}): PoolView {
  return {
    kind: 'pool',
    name: 'orders',
    size: 0,
    idle: 0,
    waiting: 0,
    max: 10,
    oldestWaitMs: 0,
    oldestHeldMs: 0,
    lastMinute: { acquired: 0, failed: 0, longestWaitMs: 0 },
    ...more,
  };
}
