import { checkPositive, checkRatio } from './check-option.ts';
import { monotonicClock, type Clock } from './clock.ts';
import type { WorkQueueSnapshot } from './flow-snapshots.ts';
import { OperationBooks } from './operation-timings.ts';
import { PolicyError, stackless, type PolicyErrorCode } from './policy-error.ts';
import { QueuedWork } from './queued-work.ts';
import { retuneSettings } from './retune-settings.ts';
import type { Retuned, Touch } from './retuned.ts';
import { type Slowable, SlowDowns } from './slow-downs.ts';
import { noteOnActiveSpan } from './span-events.ts';
import { Touches } from './touches.ts';
import { WaitingRoom } from './waiting-room.ts';
import { levelOfPriority } from './waiting-works.ts';
import {
  checkTimeout,
  parseQueueSettings,
  type WorkOptions,
  type WorkQueueOptions,
  type WorkQueueSettings,
  type WorkQueueTuning,
  type WorkRun,
} from './work-queue-options.ts';
import { Workers } from './workers.ts';

export type { WorkQueueOptions };

const noOptions: WorkOptions = {};

/**
 * A bounded queue of works and the workers that run them: the highest priority first, within one first come first
 * served; what has waited long goes before higher ones now and then. Limits can be changed at any time; what a smaller one leaves over runs to its end.
 */
export class WorkQueue implements Slowable {
  readonly kind = 'queue';
  readonly name: string;
  readonly #clock: Clock;
  readonly #waiting: WaitingRoom;
  readonly #workers: Workers;
  readonly #books = new OperationBooks();
  readonly #slowDowns = new SlowDowns();
  readonly #idle: (() => void)[] = [];
  readonly #touches: Touches;
  #settings: WorkQueueSettings;
  #stopped = false;
  #rejected = 0;
  #drained = 0;
  #withdrawn = 0;

  /** Throws PolicyError `invalid-option`. */
  constructor(name: string, options: WorkQueueOptions) {
    this.name = name;
    this.#settings = parseQueueSettings(name, options);
    this.#clock = options.clock ?? monotonicClock;
    this.#touches = new Touches(this.#clock);
    const settings = () => this.#settings;
    this.#waiting = new WaitingRoom(name, this.#clock, settings);
    this.#workers = new Workers(name, this.#clock, settings, () => {
      this.#startNext();
    });
  }

  get settings(): WorkQueueSettings {
    return this.#settings;
  }

  /** Works that wait, as a share of `maxSize`. */
  get utilisation(): number {
    const { maxSize } = this.#settings;
    return maxSize === 0 ? 1 : this.#waiting.size / maxSize;
  }

  /**
   * Runs `work` when a worker is free. Rejects with what the work throws; with PolicyError `queue-full`, `evicted`,
   * `wait-timeout` or `stopped`, and then the work never runs; with CallTimeoutError when it runs too long; with the
   * reason of the signal when that takes it back before it runs.
   */
  submit<T>(
    work: (run: WorkRun) => PromiseLike<T> | T,
    options: WorkOptions = noOptions,
  ): Promise<T> {
    const { operation, priority, waitTimeoutMs, runTimeoutMs, signal } = options;
    return new Promise<T>((resolve, reject) => {
      if (waitTimeoutMs !== undefined) checkTimeout(this.name, 'waitTimeoutMs', waitTimeoutMs);
      if (runTimeoutMs !== undefined) checkTimeout(this.name, 'runTimeoutMs', runTimeoutMs);
      this.#take(
        new QueuedWork({
          work,
          operation: this.#books.of(operation),
          level: levelOfPriority(priority),
          addedAtMs: this.#clock.nowMs(),
          waitTimeoutMs,
          runTimeoutMs,
          signal,
          resolve: resolve as (value: unknown) => void,
          reject,
        }),
      );
    });
  }

  /**
   * Applies at once: more workers start what waits, timeouts count from when the work came or began. Workers and
   * places that are too many now are given back as their works end (see `overLimit`), or by `drain`.
   */
  retune(
    { drain = 'keep', ...change }: WorkQueueTuning,
    touch?: Touch,
  ): Retuned<WorkQueueSettings> {
    const before = this.#settings;
    const retuned = retuneSettings(before, change, (wanted) => {
      const after = parseQueueSettings(this.name, wanted);
      this.#settings = after;
      if (after.waitTimeoutMs !== before.waitTimeoutMs) this.#waiting.rearm();
      if (after.runTimeoutMs !== before.runTimeoutMs) this.#workers.rearm();
      this.#startNext();
      const surplus = this.#waiting.size - after.maxSize;
      if (surplus > 0) {
        for (const work of this.#waiting.surplus(surplus, drain)) this.#evict(work);
      }
      return after;
    });
    return this.#touches.noteRetune(retuned, touch);
  }

  /** Runs with a share of the workers, at least one. */
  slowDown(by: string, share: number, forMs = Infinity): void {
    checkRatio(this.name, 'share', share);
    if (forMs !== Infinity) checkPositive(this.name, 'forMs', forMs);
    this.#slowDowns.hold(by, share, this.#clock.nowMs() + forMs);
    this.#startNext();
  }

  release(by: string): boolean {
    const held = this.#slowDowns.release(by);
    this.#startNext();
    return held;
  }

  /** Called after each change of the works that wait; what it throws is dropped. Returns how to stop it. */
  onUtilisation(listener: () => void): () => void {
    return this.#waiting.onChange(listener);
  }

  /** Takes no more work, refuses what waits, and resolves when the last running work has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const work of this.#waiting.all()) {
      this.#waiting.leave(work, this.#clock.nowMs());
      this.#refuse(work, 'stopped', 'was stopped');
    }
    if (this.#workers.running.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  snapshot(): WorkQueueSnapshot {
    const nowMs = this.#clock.nowMs();
    this.#waiting.next(nowMs);
    const { maxSize, maxWorkers } = this.#settings;
    const { running, processed, failed, workTimedOut, runTimedOut, abandoned } = this.#workers;
    const { size, expired, aged } = this.#waiting;
    const oldestRun = running.first;
    return {
      kind: 'queue',
      name: this.name,
      size,
      maxSize,
      activeWorkers: running.size,
      maxWorkers,
      processed,
      failed,
      timedOut: expired + runTimedOut + workTimedOut,
      rejected: this.#rejected,
      oldestWaitMs: this.#waiting.oldestWaitMs(nowMs),
      utilisation: this.utilisation,
      workerUtilisation: running.size / maxWorkers,
      overLimit: {
        workers: Math.max(0, running.size - this.#mayRun(nowMs)),
        places: Math.max(0, size - maxSize),
      },
      expired,
      aged,
      runTimedOut,
      drained: this.#drained,
      withdrawn: this.#withdrawn + this.#waiting.withdrawn + this.#workers.withdrawn,
      oldestRunMs: oldestRun ? nowMs - oldestRun.startedAtMs : 0,
      ...(oldestRun && { oldestRunOperation: oldestRun.operation.operation }),
      abandoned,
      slowedBy: this.#slowDowns.list(nowMs),
      ...this.#waiting.timeToFull(nowMs),
      operations: this.#books.snapshot(),
      ...this.#touches.show(),
    };
  }

  #take(work: QueuedWork): void {
    const { callersSignal } = work;
    if (callersSignal?.aborted === true) {
      this.#withdrawn++;
      work.reject(callersSignal.reason);
    } else if (this.#stopped) {
      this.#refuse(work, 'stopped', 'is stopped');
    } else if (
      this.#waiting.size === 0 &&
      this.#workers.running.size < this.#mayRun(work.addedAtMs)
    ) {
      this.#waiting.listenToCaller(work);
      this.#workers.start(work, work.addedAtMs);
    } else if (this.#makeRoom(work)) {
      this.#waiting.listenToCaller(work);
      this.#waiting.enter(work);
    } else {
      noteOnActiveSpan('starr.queue.rejected', { 'starr.queue': this.name });
      this.#refuse(work, 'queue-full', 'is full');
    }
  }

  #makeRoom(work: QueuedWork): boolean {
    const { maxSize } = this.#settings;
    if (this.#waiting.size < maxSize) return true;
    this.#waiting.next(work.addedAtMs);
    if (this.#waiting.size < maxSize) return true;
    // over its limit it is not more so with one for another
    const victim = this.#waiting.victimFor(work);
    if (victim) this.#evict(victim);
    return victim !== undefined;
  }

  #evict(work: QueuedWork): void {
    this.#drained++;
    this.#waiting.leave(work, this.#clock.nowMs());
    this.#refuse(work, 'evicted', 'gave its place to other work');
  }

  #refuse(work: QueuedWork, code: PolicyErrorCode, says: string): void {
    this.#rejected++;
    work.end();
    const { name } = this;
    work.reject(stackless(() => new PolicyError(code, name, `queue ${name} ${says}`)));
  }

  #startNext(): void {
    if (this.#waiting.size > 0) {
      const nowMs = this.#clock.nowMs();
      for (;;) {
        const work = this.#waiting.next(nowMs);
        if (!work || this.#workers.running.size >= this.#mayRun(nowMs)) break;
        this.#waiting.leaveToRun(work, nowMs);
        this.#workers.start(work, nowMs);
      }
    }
    if (this.#workers.running.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #mayRun(nowMs: number): number {
    if (this.#slowDowns.nextEndMs <= nowMs) this.#slowDowns.expire(nowMs);
    const { maxWorkers } = this.#settings;
    const { share } = this.#slowDowns;
    return share === 1 ? maxWorkers : Math.max(1, Math.floor(maxWorkers * share));
  }
}
