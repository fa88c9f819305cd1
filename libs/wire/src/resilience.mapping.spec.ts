import { describe, expect, it } from '@jest/globals';
import type { BreakerSnapshot, PolicySnapshot } from '@starr/policies';
import type { ProcessMessage, ServiceMessage, ShownProcess } from './attach-messages.ts';
import { AttachRequest, AttachResponse, Process } from './gen/starr/resilience/v1/resilience.ts';
import {
  processMessageFromProto,
  processMessageToProto,
  serviceMessageFromProto,
  serviceMessageToProto,
  shownProcessFromProto,
  shownProcessToProto,
} from './resilience.mapping.ts';

const at = new Date('2026-01-02T03:04:05.678Z');
const open: BreakerSnapshot = {
  kind: 'breaker',
  name: 'payments',
  guards: 'payments-api',
  state: 'open',
  epoch: 7,
  since: at,
  stateAgeMs: 1500.5,
  notClosedForMs: 61_500.5,
  windowCalls: 4,
  windowFailures: 3,
  failureRatio: 0.75,
  timeUntilRetryMs: 0,
  openingsInARow: 2,
  probesInFlight: 0,
  rejectedInState: 12,
  lastFailure: { name: 'ECONNREFUSED', at },
  totals: { succeeded: 1, failed: 3, ignored: 4, rejected: 5, late: 6 },
};
const closed: BreakerSnapshot = {
  kind: 'breaker',
  name: 'payments',
  guards: 'payments-api',
  state: 'closed',
  epoch: 8,
  since: at,
  stateAgeMs: 0,
  windowCalls: 0,
  windowFailures: 0,
  openingsInARow: 0,
  probesInFlight: 0,
  rejectedInState: 0,
  totals: { succeeded: 1, failed: 3, ignored: 4, rejected: 5, late: 6 },
};
const forced: BreakerSnapshot = {
  ...closed,
  override: {
    id: 'o1',
    kind: 'force-open',
    by: 'anna',
    reason: 'payments charges twice',
    since: at,
    leaseLeftMs: 60_000,
  },
  overLimit: 0,
  policyVersion: 'payments-4',
  totals: { ...closed.totals, overridden: 0, heldThrough: 2 },
};
const policies: PolicySnapshot[] = [
  open,
  forced,
  {
    ...closed,
    override: {
      id: 'o2',
      kind: 'shed',
      share: 0.5,
      by: 'b',
      reason: 'r',
      since: at,
      leaseLeftMs: 1,
    },
    limited: { library: 'opossum', lacks: ['late results'] },
  },
  {
    kind: 'queue',
    name: 'told',
    size: 1,
    maxSize: 2,
    activeWorkers: 3,
    maxWorkers: 4,
    processed: 5,
    failed: 6,
    timedOut: 7,
    rejected: 8,
    oldestWaitMs: 9.25,
    expired: 0,
    abandoned: 1,
    overLimit: { workers: 0, places: 2 },
    limited: { library: 'p-queue', lacks: [] },
  },
  {
    kind: 'pool',
    name: 'shrunk',
    size: 1,
    idle: 2,
    waiting: 3,
    max: 4,
    oldestWaitMs: 5,
    oldestHeldMs: 6,
    lastMinute: { acquired: 7, failed: 8, meanWaitMs: 9.5, longestWaitMs: 10 },
    overLimit: 0,
  },
  { ...closed, state: 'half-open', probesInFlight: 1 },
  {
    kind: 'queue',
    name: 'mails',
    size: 1,
    maxSize: 2,
    activeWorkers: 3,
    maxWorkers: 4,
    processed: 5,
    failed: 6,
    timedOut: 7,
    rejected: 8,
    oldestWaitMs: 9.25,
  },
  {
    kind: 'pool',
    name: 'orders',
    connectsTo: { host: 'db', port: 5432, database: 'orders' },
    size: 1,
    idle: 2,
    waiting: 3,
    max: 4,
    oldestWaitMs: 5,
    oldestHeldMs: 6,
    lastMinute: { acquired: 7, failed: 8, meanWaitMs: 9.5, longestWaitMs: 10 },
  },
  {
    kind: 'pool',
    name: 'users',
    connectsTo: { host: 'db', port: 5432 },
    size: 0,
    idle: 0,
    waiting: 0,
    max: 4,
    oldestWaitMs: 0,
    oldestHeldMs: 0,
    lastMinute: { acquired: 0, failed: 0, meanWaitMs: 0, longestWaitMs: 0 },
  },
];

describe('what a process says', () => {
  it.each<ProcessMessage>([
    { kind: 'goodbye' },
    { kind: 'hello', identity: { service: 'checkout', instance: 'a', pid: 7 } },
    {
      kind: 'hello',
      identity: {
        service: 'checkout',
        instance: 'a',
        pid: 7,
        version: '1.8.2',
        startedAt: at,
        pod: { namespace: 'shop', name: 'checkout-x', ip: '10.0.0.7' },
      },
    },
    { kind: 'report', report: { takenAt: at, policies, unreadable: 0 } },
    { kind: 'report', report: { takenAt: at, policies: [], unreadable: 0, answers: 'c1' } },
    {
      kind: 'acknowledgement',
      commandId: 'c1',
      end: { kind: 'done', before: open, after: closed },
    },
    { kind: 'acknowledgement', commandId: 'c1', end: { kind: 'refused', now: closed } },
    {
      kind: 'acknowledgement',
      commandId: 'c1',
      end: { kind: 'not-done', says: 'no such breaker' },
    },
  ])('comes through the bytes unchanged: %j', (message) => {
    const bytes = AttachRequest.encode(processMessageToProto(message)).finish();
    expect(processMessageFromProto(AttachRequest.decode(bytes))).toEqual(message);
  });

  it('is absent when it is of an unknown kind', () => {
    expect(processMessageFromProto({ message: undefined })).toBeUndefined();
    expect(
      processMessageFromProto({
        message: { $case: 'acknowledgement', value: { commandId: 'c1', end: undefined } },
      }),
    ).toBeUndefined();
  });

  it('counts the policies that cannot be read instead of guessing them', () => {
    const { message } = processMessageToProto({
      kind: 'report',
      report: { takenAt: at, policies: [open, closed], unreadable: 0 },
    });
    if (message?.$case !== 'report') throw new Error('not a report');
    const [first, second] = message.value.policies;
    if (first?.kind?.$case === 'breaker') first.kind.value.state = 99 as never;
    if (second) second.kind = undefined;
    expect(processMessageFromProto({ message })).toMatchObject({
      report: { policies: [], unreadable: 2 },
    });
  });
});

it('does not take an override of an unknown kind for none', () => {
  const { message } = processMessageToProto({
    kind: 'report',
    report: { takenAt: at, policies: [forced], unreadable: 0 },
  });
  const [first] = message?.$case === 'report' ? message.value.policies : [];
  if (first?.kind?.$case !== 'breaker' || !first.kind.value.override) throw new Error('none');
  first.kind.value.override.kind = 99 as never;
  expect(processMessageFromProto({ message })).toMatchObject({
    report: { policies: [], unreadable: 1 },
  });
});

describe('what the service says', () => {
  it.each<ServiceMessage>([
    { kind: 'welcome', reportIntervalMs: 2500 },
    { kind: 'command', id: 'c1', command: { kind: 'report-now' } },
    {
      kind: 'command',
      id: 'c1',
      command: { kind: 'reset-breaker', breaker: 'payments', epoch: 7, state: 'open' },
    },
    { kind: 'command', id: 'c1', command: { kind: 'recall', commandId: 'c0' } },
    { kind: 'command', id: 'c1', command: undefined },
  ])('comes through the bytes unchanged: %j', (message) => {
    const bytes = AttachResponse.encode(serviceMessageToProto(message)).finish();
    expect(serviceMessageFromProto(AttachResponse.decode(bytes))).toEqual(message);
  });
});

it.each<ShownProcess>([
  { identity: { service: 'checkout', instance: 'a', pid: 7 }, attachedAt: at },
  {
    identity: { service: 'checkout', instance: 'a', pid: 7 },
    attachedAt: at,
    peerAddress: '127.0.102.1',
    reportedAt: at,
    report: { takenAt: at, policies, unreadable: 0 },
  },
])('a shown process comes through the bytes unchanged', (process) => {
  const bytes = Process.encode(shownProcessToProto(process)).finish();
  expect(shownProcessFromProto(Process.decode(bytes))).toEqual(process);
});
