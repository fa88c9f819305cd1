import { monotonicClock, type Clock } from '../clock.ts';
import { boundOf, withoutBound, type AdaptedPolicy, type AdaptedQueueSnapshot } from './adapted.ts';

/** What of a PQueue is used (version 10, which is an EventTarget); p-queue itself is not imported. */
export interface PQueueLike {
  readonly size: number;
  readonly pending: number;
  concurrency: number;
  addEventListener(event: string, listener: (event: object) => void): void;
  removeEventListener(event: string, listener: (event: object) => void): void;
}

export interface AdaptPQueueOptions {
  /** It has no name of its own. */
  readonly name: string;
  readonly clock?: Clock;
}

export interface AdaptedQueue extends AdaptedPolicy {
  readonly kind: 'queue';
  snapshot(): AdaptedQueueSnapshot;
  /** At once; running works are not ended by a lower number. Throws what the queue itself throws for a wrong one. */
  scaleWorkers(maxWorkers: number): void;
}

const limited = {
  library: 'p-queue',
  lacks: [
    'no bound: maxSize is the greatest number there is, and nothing is ever rejected',
    'its timeout begins with the work: how long a work may wait has no limit',
    'a work that timed out goes on without being counted among the active ones',
    'the oldest wait is exact without priorities; with them it is that of the first to come',
  ],
} as const;

/** Shows a p-queue as one of ours, and lets its concurrency be set. */
export function adaptPQueue(queue: PQueueLike, options: AdaptPQueueOptions): AdaptedQueue {
  const clock = options.clock ?? monotonicClock;
  let waitingSince: number[] = [];
  let started = 0;
  const totals = { processed: 0, failed: 0, timedOut: 0 };
  const listeners: Readonly<Record<string, (event: object) => void>> = {
    add: () => {
      waitingSince.push(clock.nowMs());
    },
    active: () => {
      started++;
      if (started * 2 > waitingSince.length) {
        waitingSince = waitingSince.slice(started);
        started = 0;
      }
    },
    completed: () => {
      totals.processed++;
    },
    error: (event) => {
      if (nameOfDetail(event) === 'TimeoutError') totals.timedOut++;
      else totals.failed++;
    },
  };
  for (const [event, listener] of Object.entries(listeners)) {
    queue.addEventListener(event, listener);
  }
  // Works that were there before, or left without a start, leave moments too many or too few: the newest are right.
  const oldestWaitMs = (): number => {
    if (queue.size === 0) return 0;
    const oldest = waitingSince.at(-Math.min(queue.size, waitingSince.length - started));
    return oldest === undefined ? 0 : clock.nowMs() - oldest;
  };
  return {
    kind: 'queue',
    name: options.name,
    limited,
    snapshot: () => ({
      kind: 'queue',
      name: options.name,
      limited,
      size: queue.size,
      maxSize: withoutBound,
      activeWorkers: queue.pending,
      maxWorkers: boundOf(queue.concurrency),
      ...totals,
      rejected: 0,
      oldestWaitMs: oldestWaitMs(),
    }),
    scaleWorkers: (maxWorkers) => {
      queue.concurrency = maxWorkers;
    },
    end: () => {
      for (const [event, listener] of Object.entries(listeners)) {
        queue.removeEventListener(event, listener);
      }
    },
  };
}

function nameOfDetail(event: object): unknown {
  const error: unknown = 'detail' in event ? event.detail : undefined;
  return typeof error === 'object' && error !== null && 'name' in error ? error.name : undefined;
}
