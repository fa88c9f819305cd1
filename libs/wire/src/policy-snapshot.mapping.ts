import type {
  BreakerSnapshot,
  BreakerState,
  PolicySnapshot,
  PoolSnapshot,
  QueueSnapshot,
} from '@starr/policies';
import type { Duration } from './gen/google/protobuf/duration.ts';
import {
  limitedFromProto,
  optionalCount,
  overrideFromProto,
  overrideToProto,
} from './override.mapping.ts';
import * as pb from './gen/starr/resilience/v1/resilience.ts';
import {
  dateFromProto,
  dateToProto,
  durationFromProto,
  durationToProto,
} from './moment.mapping.ts';

const STATE = {
  closed: pb.BreakerState.BREAKER_STATE_CLOSED,
  open: pb.BreakerState.BREAKER_STATE_OPEN,
  'half-open': pb.BreakerState.BREAKER_STATE_HALF_OPEN,
} as const satisfies Record<BreakerState, pb.BreakerState>;

export function breakerStateToProto(state: BreakerState): pb.BreakerState {
  return STATE[state];
}

/** Absent for a state that this version does not know. */
export function breakerStateFromProto(state: pb.BreakerState): BreakerState | undefined {
  return (Object.keys(STATE) as BreakerState[]).find((name) => STATE[name] === state);
}

export function policyToProto(snapshot: PolicySnapshot): pb.Policy {
  switch (snapshot.kind) {
    case 'breaker':
      return { name: snapshot.name, kind: { $case: 'breaker', value: breakerToProto(snapshot) } };
    case 'queue':
      return { name: snapshot.name, kind: { $case: 'queue', value: queueToProto(snapshot) } };
    case 'pool':
      return { name: snapshot.name, kind: { $case: 'pool', value: poolToProto(snapshot) } };
  }
}

/** Absent for a kind or state that this version does not know. */
export function policyFromProto({ name, kind }: pb.Policy): PolicySnapshot | undefined {
  switch (kind?.$case) {
    case 'breaker':
      return breakerFromProto(name, kind.value);
    case 'queue':
      return queueFromProto(name, kind.value);
    case 'pool':
      return poolFromProto(name, kind.value);
    case undefined:
      return undefined;
  }
}

function breakerToProto(breaker: BreakerSnapshot): pb.Breaker {
  const { totals, timeUntilRetryMs, notClosedForMs, lastFailure, override, limited } = breaker;
  return {
    guards: breaker.guards,
    state: STATE[breaker.state],
    epoch: count(breaker.epoch),
    since: dateToProto(breaker.since),
    stateAge: durationToProto(breaker.stateAgeMs),
    windowCalls: count(breaker.windowCalls),
    windowFailures: count(breaker.windowFailures),
    timeUntilRetry: timeUntilRetryMs === undefined ? undefined : durationToProto(timeUntilRetryMs),
    openingsInARow: count(breaker.openingsInARow),
    probesInFlight: count(breaker.probesInFlight),
    rejectedInState: count(breaker.rejectedInState),
    lastFailure: lastFailure && { name: lastFailure.name, at: dateToProto(lastFailure.at) },
    succeeded: count(totals.succeeded),
    failed: count(totals.failed),
    ignored: count(totals.ignored),
    rejected: count(totals.rejected),
    late: count(totals.late),
    notClosedFor: notClosedForMs === undefined ? undefined : durationToProto(notClosedForMs),
    override: override && overrideToProto(override),
    overLimit: optionalCount(breaker.overLimit),
    overridden: optionalCount(totals.overridden),
    heldThrough: optionalCount(totals.heldThrough),
    policyVersion: breaker.policyVersion ?? '',
    limited: limited && { library: limited.library, lacks: [...limited.lacks] },
  };
}

function breakerFromProto(name: string, breaker: pb.Breaker): BreakerSnapshot | undefined {
  const state = breakerStateFromProto(breaker.state);
  if (state === undefined) return undefined;
  const override = breaker.override && overrideFromProto(breaker.override);
  // one that may turn every call away: rather not seen than taken for none
  if (breaker.override && !override) return undefined;
  const windowCalls = Number(breaker.windowCalls);
  const windowFailures = Number(breaker.windowFailures);
  const { lastFailure } = breaker;
  return {
    kind: 'breaker',
    name,
    guards: breaker.guards,
    state,
    epoch: Number(breaker.epoch),
    since: breaker.since ? dateFromProto(breaker.since) : new Date(0),
    stateAgeMs: ms(breaker.stateAge),
    ...(breaker.notClosedFor && { notClosedForMs: durationFromProto(breaker.notClosedFor) }),
    windowCalls,
    windowFailures,
    ...(windowCalls > 0 && { failureRatio: windowFailures / windowCalls }),
    ...(breaker.timeUntilRetry && { timeUntilRetryMs: durationFromProto(breaker.timeUntilRetry) }),
    openingsInARow: Number(breaker.openingsInARow),
    probesInFlight: Number(breaker.probesInFlight),
    rejectedInState: Number(breaker.rejectedInState),
    ...(lastFailure?.at && {
      lastFailure: { name: lastFailure.name, at: dateFromProto(lastFailure.at) },
    }),
    totals: {
      succeeded: Number(breaker.succeeded),
      failed: Number(breaker.failed),
      ignored: Number(breaker.ignored),
      rejected: Number(breaker.rejected),
      late: Number(breaker.late),
      ...(breaker.overridden !== undefined && { overridden: Number(breaker.overridden) }),
      ...(breaker.heldThrough !== undefined && { heldThrough: Number(breaker.heldThrough) }),
    },
    ...(override && { override }),
    ...(breaker.overLimit !== undefined && { overLimit: Number(breaker.overLimit) }),
    ...(breaker.policyVersion !== '' && { policyVersion: breaker.policyVersion }),
    ...(breaker.limited && { limited: limitedFromProto(breaker.limited) }),
  };
}

function queueToProto(queue: QueueSnapshot): pb.Queue {
  const { limited } = queue;
  return {
    size: count(queue.size),
    maxSize: count(queue.maxSize),
    activeWorkers: count(queue.activeWorkers),
    maxWorkers: count(queue.maxWorkers),
    processed: count(queue.processed),
    failed: count(queue.failed),
    timedOut: count(queue.timedOut),
    rejected: count(queue.rejected),
    oldestWait: durationToProto(queue.oldestWaitMs),
    expired: optionalCount(queue.expired),
    abandoned: optionalCount(queue.abandoned),
    workersOverLimit: optionalCount(queue.overLimit?.workers),
    placesOverLimit: optionalCount(queue.overLimit?.places),
    limited: limited && { library: limited.library, lacks: [...limited.lacks] },
  };
}

function queueFromProto(name: string, queue: pb.Queue): QueueSnapshot {
  const { workersOverLimit: workers, placesOverLimit: places } = queue;
  return {
    kind: 'queue',
    name,
    size: Number(queue.size),
    maxSize: Number(queue.maxSize),
    activeWorkers: Number(queue.activeWorkers),
    maxWorkers: Number(queue.maxWorkers),
    processed: Number(queue.processed),
    failed: Number(queue.failed),
    timedOut: Number(queue.timedOut),
    rejected: Number(queue.rejected),
    oldestWaitMs: ms(queue.oldestWait),
    ...(queue.expired !== undefined && { expired: Number(queue.expired) }),
    ...(queue.abandoned !== undefined && { abandoned: Number(queue.abandoned) }),
    ...(workers !== undefined &&
      places !== undefined && {
        overLimit: { workers: Number(workers), places: Number(places) },
      }),
    ...(queue.limited && { limited: limitedFromProto(queue.limited) }),
  };
}

function poolToProto(pool: PoolSnapshot): pb.Pool {
  const { connectsTo, lastMinute } = pool;
  return {
    connectsTo: connectsTo && { ...connectsTo, database: connectsTo.database ?? '' },
    size: count(pool.size),
    idle: count(pool.idle),
    waiting: count(pool.waiting),
    max: count(pool.max),
    oldestWait: durationToProto(pool.oldestWaitMs),
    oldestHeld: durationToProto(pool.oldestHeldMs),
    minuteAcquired: count(lastMinute.acquired),
    minuteFailed: count(lastMinute.failed),
    minuteMeanWait: durationToProto(lastMinute.meanWaitMs),
    minuteLongestWait: durationToProto(lastMinute.longestWaitMs),
    overLimit: optionalCount(pool.overLimit),
  };
}

function poolFromProto(name: string, pool: pb.Pool): PoolSnapshot {
  const { connectsTo } = pool;
  return {
    kind: 'pool',
    name,
    ...(connectsTo && {
      connectsTo: {
        host: connectsTo.host,
        port: connectsTo.port,
        ...(connectsTo.database !== '' && { database: connectsTo.database }),
      },
    }),
    size: Number(pool.size),
    idle: Number(pool.idle),
    waiting: Number(pool.waiting),
    max: Number(pool.max),
    oldestWaitMs: ms(pool.oldestWait),
    oldestHeldMs: ms(pool.oldestHeld),
    lastMinute: {
      acquired: Number(pool.minuteAcquired),
      failed: Number(pool.minuteFailed),
      meanWaitMs: ms(pool.minuteMeanWait),
      longestWaitMs: ms(pool.minuteLongestWait),
    },
    ...(pool.overLimit !== undefined && { overLimit: Number(pool.overLimit) }),
  };
}

function count(value: number): bigint {
  return BigInt(Math.trunc(value));
}

function ms(duration: Duration | undefined): number {
  return duration ? durationFromProto(duration) : 0;
}
