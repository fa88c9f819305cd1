import { monotonicClock, type Clock } from '../clock.ts';
import { withoutBound, type AdaptedQueueSnapshot } from './adapted.ts';
import type { AdaptedQueue } from './adapt-p-queue.ts';

/** What of a BullMQ Worker is used; BullMQ itself is not imported. */
export interface BullWorkerLike {
  readonly name: string;
  concurrency: number;
  on(event: 'active' | 'completed', listener: () => void): unknown;
  on(event: 'failed', listener: (job: unknown, error: Error) => void): unknown;
  off(event: 'active' | 'completed' | 'failed', listener: (...args: never[]) => void): unknown;
}

/** What of a BullMQ Queue is used: it knows what waits in Redis. */
export interface BullQueueLike {
  getWaitingCount(): Promise<number>;
  getWaiting(start: number, end: number): Promise<readonly { readonly timestamp: number }[]>;
  setGlobalConcurrency(concurrency: number): Promise<unknown>;
  removeGlobalConcurrency(): Promise<unknown>;
}

export interface AdaptBullWorkerOptions {
  /** Default: the name of its queue. */
  readonly name?: string;
  /** The queue that the worker works for. Absent: what waits is not shown. */
  readonly queue?: BullQueueLike;
  /** A look at what waits in Redis that is older than so long is followed by another. Default 5000. */
  readonly lookEveryMs?: number;
  readonly clock?: Clock;
}

export interface AdaptedBullWorker extends AdaptedQueue {
  /** Looks at what waits in Redis. Rejects with BullMQ's own error; the last figures stay. */
  look(): Promise<void>;
  /** For the workers of all processes; 0: no limit beyond their own. Rejects when there is no queue. */
  scaleFleet(maxWorkers: number): Promise<void>;
}

const limited = {
  library: 'bullmq',
  lacks: [
    'what waits is in Redis: size and oldest wait are those of the last look, not of this moment; 0 without a queue',
    'no bound: maxSize is the greatest number there is, and nothing is ever rejected',
    'counts are those of this worker, since it is watched; retries of a job are works of their own',
  ],
} as const;

/** Shows a BullMQ worker as one of our queues, and lets its concurrency be set, here or for all processes. */
export function adaptBullWorker(
  worker: BullWorkerLike,
  options: AdaptBullWorkerOptions = {},
): AdaptedBullWorker {
  const { queue, lookEveryMs = 5000, clock = monotonicClock } = options;
  const name = options.name ?? worker.name;
  const counts = { active: 0, processed: 0, failed: 0, timedOut: 0 };
  const unlisten = listen(worker, counts);
  let seen = { size: 0, oldestAtMs: 0 };
  let lookedAtMs = -Infinity;
  const look = async (): Promise<void> => {
    if (!queue) return;
    lookedAtMs = clock.nowMs();
    const [size, [oldest]] = await Promise.all([queue.getWaitingCount(), queue.getWaiting(0, 0)]);
    seen = { size, oldestAtMs: oldest?.timestamp ?? 0 };
  };
  const snapshot = (): AdaptedQueueSnapshot => {
    // Nobody waits for Redis to be shown something: the next one sees what this look brings.
    if (queue && clock.nowMs() - lookedAtMs >= lookEveryMs) void look().catch(() => undefined);
    const { active, ...totals } = counts;
    return {
      kind: 'queue',
      name,
      limited,
      size: seen.size,
      maxSize: withoutBound,
      activeWorkers: active,
      maxWorkers: worker.concurrency,
      ...totals,
      rejected: 0,
      // BullMQ dates jobs by the clock of the machine that added them
      oldestWaitMs:
        seen.size > 0 && seen.oldestAtMs > 0
          ? Math.max(0, clock.wallTime().getTime() - seen.oldestAtMs)
          : 0,
    };
  };
  return {
    kind: 'queue',
    name,
    limited,
    snapshot,
    look,
    scaleWorkers: (maxWorkers) => {
      worker.concurrency = maxWorkers;
    },
    scaleFleet: async (maxWorkers) => {
      if (!queue) throw new TypeError(`${name} is watched without its queue`);
      await (maxWorkers === 0
        ? queue.removeGlobalConcurrency()
        : queue.setGlobalConcurrency(maxWorkers));
    },
    end: unlisten,
  };
}

interface Counts {
  active: number;
  processed: number;
  failed: number;
  timedOut: number;
}

function listen(worker: BullWorkerLike, counts: Counts): () => void {
  // jobs that were running when the watch began end without having begun
  const ended = () => {
    counts.active = Math.max(0, counts.active - 1);
  };
  const active = () => {
    counts.active++;
  };
  const completed = () => {
    ended();
    counts.processed++;
  };
  const failed = (_job: unknown, error: Error) => {
    ended();
    if (error.name === 'TimeoutError') counts.timedOut++;
    else counts.failed++;
  };
  worker.on('active', active);
  worker.on('completed', completed);
  worker.on('failed', failed);
  return () => {
    worker.off('active', active);
    worker.off('completed', completed);
    worker.off('failed', failed);
  };
}
