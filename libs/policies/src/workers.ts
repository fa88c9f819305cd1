import type { Clock } from './clock.ts';
import { isTimeout } from './is-timeout.ts';
import { CallTimeoutError, stackless } from './policy-error.ts';
import type { QueuedWork } from './queued-work.ts';
import { WorkLine } from './work-line.ts';
import type { WorkQueueSettings } from './work-queue-options.ts';

/** The works of a queue that run, until their callers are answered. How many may run is not decided here. */
export class Workers {
  /** In the order of their beginning. */
  readonly running = new WorkLine();
  readonly #queue: string;
  readonly #clock: Clock;
  readonly #settings: () => WorkQueueSettings;
  readonly #onFree: () => void;
  processed = 0;
  failed = 0;
  /** Failed with a TimeoutError of their own. */
  workTimedOut = 0;
  /** Answered with ours. */
  runTimedOut = 0;
  /** Failed after their callers took them back. */
  withdrawn = 0;
  /** Still run although their callers have been answered. */
  abandoned = 0;

  /** `onFree` is called each time that a worker has become free. */
  constructor(queue: string, clock: Clock, settings: () => WorkQueueSettings, onFree: () => void) {
    this.#queue = queue;
    this.#clock = clock;
    this.#settings = settings;
    this.#onFree = onFree;
  }

  start(work: QueuedWork, nowMs: number): void {
    work.state = 'running';
    work.startedAtMs = nowMs;
    work.operation.running++;
    this.running.push(work);
    this.#arm(work, nowMs);
    let result: unknown;
    try {
      result = work.work(work);
    } catch (error) {
      this.#settleLater(work, error);
      return;
    }
    Promise.resolve(result).then(
      (value) => {
        this.#succeed(work, value);
      },
      (error: unknown) => {
        this.#fail(work, error);
      },
    );
  }

  /** After `runTimeoutMs` has changed. */
  rearm(): void {
    const nowMs = this.#clock.nowMs();
    for (const work of this.running) this.#arm(work, nowMs);
  }

  // Never while the caller of `start` is still at it: who starts works in a loop must not be called from within.
  #settleLater(work: QueuedWork, error: unknown): void {
    queueMicrotask(() => {
      this.#fail(work, error);
    });
  }

  #succeed(work: QueuedWork, value: unknown): void {
    if (this.#wasAbandoned(work)) return;
    this.#free(work);
    this.processed++;
    work.operation.processed++;
    work.resolve(value);
    this.#onFree();
  }

  #fail(work: QueuedWork, error: unknown): void {
    if (this.#wasAbandoned(work)) return;
    this.#free(work);
    if (work.callersSignal?.aborted === true) {
      this.withdrawn++;
    } else if (isTimeout(error)) {
      this.workTimedOut++;
      work.operation.timedOut++;
    } else {
      this.failed++;
      work.operation.failed++;
    }
    work.reject(error);
    this.#onFree();
  }

  // The caller is answered and the worker is free: a work that hangs must not hold it for ever.
  #abandon(work: QueuedWork, runTimeoutMs: number): void {
    this.#free(work);
    work.state = 'abandoned';
    this.abandoned++;
    this.runTimedOut++;
    work.operation.timedOut++;
    const error = stackless(() => new CallTimeoutError(this.#queue, runTimeoutMs));
    work.abort(error);
    work.reject(error);
    this.#onFree();
  }

  #wasAbandoned(work: QueuedWork): boolean {
    if (work.state !== 'abandoned') return false;
    work.state = 'ended';
    this.abandoned--;
    return true;
  }

  #free(work: QueuedWork): void {
    this.running.remove(work);
    work.end();
    const { operation, waitedMs, startedAtMs } = work;
    operation.running--;
    operation.record(waitedMs, this.#clock.nowMs() - startedAtMs, this.#settings().slowMs);
  }

  #arm(work: QueuedWork, nowMs: number): void {
    work.cancelTimer?.();
    work.cancelTimer = undefined;
    const runTimeoutMs = work.ownRunTimeoutMs ?? this.#settings().runTimeoutMs;
    if (runTimeoutMs === Infinity) return;
    work.cancelTimer = this.#clock.schedule(
      () => {
        this.#abandon(work, runTimeoutMs);
      },
      work.startedAtMs + runTimeoutMs - nowMs,
    );
  }
}
