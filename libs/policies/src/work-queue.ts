import { checkCount, checkPositive } from './check-option.ts';
import { monotonicClock, type Cancel, type Clock } from './clock.ts';
import { Fifo } from './fifo.ts';
import { PolicyError } from './policy-error.ts';
import type { QueueSnapshot } from './snapshots.ts';

export interface WorkQueueOptions {
  /** Works that run at the same time. */
  readonly maxWorkers: number;
  /** Works that may wait; 0: none waits, what finds no free worker is rejected. */
  readonly maxSize: number;
  /** A work that has waited so long is not run any more. Absent: it may wait for ever. */
  readonly waitTimeoutMs?: number;
  readonly clock?: Clock;
}

interface Waiting {
  readonly since: number;
  start(): void;
  refuse(error: PolicyError): void;
}

/** A bounded queue of works and the workers that run them, first come first served. */
export class WorkQueue {
  readonly kind = 'queue';
  readonly name: string;
  readonly #options: WorkQueueOptions;
  readonly #clock: Clock;
  readonly #waiting = new Fifo<Waiting>();
  readonly #idle: (() => void)[] = [];
  #cancelExpiry: Cancel | undefined;
  #stopped = false;
  #active = 0;
  #processed = 0;
  #failed = 0;
  #timedOut = 0;
  #rejected = 0;

  /** Throws PolicyError `invalid-option`. */
  constructor(name: string, options: WorkQueueOptions) {
    checkCount(name, 'maxWorkers', options.maxWorkers);
    checkCount(name, 'maxSize', options.maxSize, Number.MAX_SAFE_INTEGER, 0);
    if (options.waitTimeoutMs !== undefined) {
      checkPositive(name, 'waitTimeoutMs', options.waitTimeoutMs);
    }
    this.name = name;
    this.#options = options;
    this.#clock = options.clock ?? monotonicClock;
  }

  /**
   * Runs `work` when a worker is free. Rejects with what the work throws, or with PolicyError `queue-full`,
   * `wait-timeout` or `stopped`, and then the work never runs.
   */
  submit<T>(work: () => PromiseLike<T> | T): Promise<T> {
    const full =
      this.#active >= this.#options.maxWorkers && this.#waiting.size >= this.#options.maxSize;
    if (this.#stopped || full) {
      this.#rejected++;
      return Promise.reject(
        this.#stopped
          ? new PolicyError('stopped', this.name, `queue ${this.name} is stopped`)
          : new PolicyError('queue-full', this.name, `queue ${this.name} is full`),
      );
    }
    if (this.#active < this.#options.maxWorkers) return this.#run(work);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        since: this.#clock.nowMs(),
        start: () => {
          this.#run(work).then(resolve, reject);
        },
        refuse: reject,
      });
      this.#armExpiry();
    });
  }

  /** Takes no more work, refuses what waits, and resolves when the last running work has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelExpiry?.();
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.#rejected++;
      next.refuse(new PolicyError('stopped', this.name, `queue ${this.name} was stopped`));
    }
    if (this.#active === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  snapshot(): QueueSnapshot {
    this.#expire();
    const oldest = this.#waiting.peek();
    return {
      kind: 'queue',
      name: this.name,
      size: this.#waiting.size,
      maxSize: this.#options.maxSize,
      activeWorkers: this.#active,
      maxWorkers: this.#options.maxWorkers,
      processed: this.#processed,
      failed: this.#failed,
      timedOut: this.#timedOut,
      rejected: this.#rejected,
      oldestWaitMs: oldest ? this.#clock.nowMs() - oldest.since : 0,
    };
  }

  async #run<T>(work: () => PromiseLike<T> | T): Promise<T> {
    this.#active++;
    try {
      const value = await work();
      this.#processed++;
      return value;
    } catch (error) {
      if (isTimeout(error)) this.#timedOut++;
      else this.#failed++;
      throw error;
    } finally {
      this.#active--;
      this.#startNext();
    }
  }

  #startNext(): void {
    this.#expire();
    this.#waiting.shift()?.start();
    if (this.#active > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #expire(): void {
    const { waitTimeoutMs } = this.#options;
    if (waitTimeoutMs === undefined) return;
    const startedBefore = this.#clock.nowMs() - waitTimeoutMs;
    for (
      let next = this.#waiting.peek();
      next && next.since <= startedBefore;
      next = this.#waiting.peek()
    ) {
      this.#waiting.shift();
      this.#timedOut++;
      next.refuse(
        new PolicyError(
          'wait-timeout',
          this.name,
          `waited ${waitTimeoutMs} ms in queue ${this.name}`,
        ),
      );
    }
  }

  // One timer a queue, for its oldest work: who waits longest expires first.
  #armExpiry(): void {
    const { waitTimeoutMs } = this.#options;
    const oldest = this.#waiting.peek();
    if (waitTimeoutMs === undefined || this.#cancelExpiry !== undefined || !oldest) return;
    const dueInMs = oldest.since + waitTimeoutMs - this.#clock.nowMs();
    this.#cancelExpiry = this.#clock.schedule(() => {
      this.#cancelExpiry = undefined;
      this.#expire();
      this.#armExpiry();
    }, dueInMs);
  }
}

function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'name' in error && error.name === 'TimeoutError'
  );
}
