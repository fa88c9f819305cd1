import type { Clock } from './clock.ts';
import { isTimeout } from './is-timeout.ts';
import { CallTimeoutError, stackless } from './policy-error.ts';
import type { QueuedWork, WorkKeeper } from './queued-work.ts';
import { timerWheelOf, type TimerWheel } from './timer-wheel.ts';
import { WorkLine } from './work-line.ts';
import type { WorkQueueSettings } from './work-queue-options.ts';

/** The works of a queue that run, until their callers are answered. How many may run is not decided here. */
export class Workers implements WorkKeeper {
  /** In the order of their beginning. */
  readonly running = new WorkLine();
  readonly #queue: string;
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
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
    this.#wheel = timerWheelOf(clock);
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
      result = work.call();
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

  /** A work has run as long as it may. Its worker is free, since a work that hangs must not hold it for ever. */
  onDue(work: QueuedWork): void {
    const runTimeoutMs = this.#runTimeoutMs(work);
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
    work.arm(this, this.#wheel, work.startedAtMs + this.#runTimeoutMs(work) - nowMs);
  }

  #runTimeoutMs(work: QueuedWork): number {
    return work.ownRunTimeoutMs ?? this.#settings().runTimeoutMs;
  }
}
