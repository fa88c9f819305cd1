import type { Clock } from './clock.ts';
import { NetFlow } from './net-flow.ts';
import { PolicyError, stackless } from './policy-error.ts';
import type { QueuedWork, WorkKeeper } from './queued-work.ts';
import { timerWheelOf, type TimerWheel } from './timer-wheel.ts';
import { WaitingWorks } from './waiting-works.ts';
import type { DrainRule, WorkQueueSettings } from './work-queue-options.ts';

/** The works of a queue that wait, with their patience. How many may wait is not decided here. */
export class WaitingRoom implements WorkKeeper {
  readonly #queue: string;
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #settings: () => WorkQueueSettings;
  readonly #works = new WaitingWorks();
  readonly #flow = new NetFlow();
  readonly #listeners = new Set<() => void>();
  expired = 0;
  withdrawn = 0;

  constructor(queue: string, clock: Clock, settings: () => WorkQueueSettings) {
    this.#queue = queue;
    this.#clock = clock;
    this.#wheel = timerWheelOf(clock);
    this.#settings = settings;
  }

  get size(): number {
    return this.#works.size;
  }

  enter(work: QueuedWork): void {
    work.keepContext();
    this.#works.push(work);
    this.#flow.record(1, work.addedAtMs);
    this.#arm(work, work.addedAtMs);
    this.#tell();
  }

  /** Works that went before higher ones because of their age. */
  get aged(): number {
    return this.#works.aged;
  }

  leave(work: QueuedWork, nowMs: number): void {
    this.#works.remove(work);
    this.#left(work, nowMs);
  }

  /** To a worker; only the one that goes next. */
  leaveToRun(work: QueuedWork, nowMs: number): void {
    this.#works.take(work);
    this.#left(work, nowMs);
  }

  /** Which one goes next; it still waits. Those that have waited too long have gone. */
  next(nowMs: number): QueuedWork | undefined {
    const agedIfAddedAtMs = nowMs - agedAfterMs(this.#settings());
    for (;;) {
      const work = this.#works.peek(agedIfAddedAtMs);
      // the timer may be late: what is due does not run all the same
      if (!work || work.waitEndsAtMs > nowMs) return work;
      this.onDue(work);
    }
  }

  /** Which one makes room for `work`; absent: none. */
  victimFor(work: QueuedWork): QueuedWork | undefined {
    return this.#works.victimFor(work.level, this.#settings().whenFull);
  }

  surplus(count: number, rule: DrainRule): QueuedWork[] {
    return this.#works.surplus(count, rule);
  }

  all(): QueuedWork[] {
    return [...this.#works];
  }

  /** After `waitTimeoutMs` has changed. */
  rearm(): void {
    const nowMs = this.#clock.nowMs();
    for (const work of this.#works) this.#arm(work, nowMs);
  }

  /** The caller may take the work back: it goes when it waits, and is told when it runs. */
  listenToCaller(work: QueuedWork): void {
    const { callersSignal } = work;
    if (!callersSignal) return;
    work.onCallersAbort = () => {
      if (work.state === 'waiting') this.#withdraw(work, callersSignal.reason);
      else work.abort(callersSignal.reason);
    };
    callersSignal.addEventListener('abort', work.onCallersAbort, { once: true });
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  oldestWaitMs(nowMs: number): number {
    return nowMs - (this.#works.oldestAddedAtMs() ?? nowMs);
  }

  timeToFull(nowMs: number): { readonly timeToFullMs: number } | undefined {
    const perMs = this.#flow.perMs(nowMs);
    const places = this.#settings().maxSize - this.size;
    if (perMs === undefined || perMs <= 0 || places < 0) return undefined;
    return { timeToFullMs: places / perMs };
  }

  #arm(work: QueuedWork, nowMs: number): void {
    const waitTimeoutMs = work.ownWaitTimeoutMs ?? this.#settings().waitTimeoutMs;
    work.waitEndsAtMs = work.addedAtMs + waitTimeoutMs;
    work.arm(this, this.#wheel, work.waitEndsAtMs - nowMs);
  }

  /** A work has waited as long as it may. */
  onDue(work: QueuedWork): void {
    this.expired++;
    work.operation.timedOut++;
    this.leave(work, this.#clock.nowMs());
    work.end();
    const says = `waited ${work.waitEndsAtMs - work.addedAtMs} ms in queue ${this.#queue}`;
    work.reject(stackless(() => new PolicyError('wait-timeout', this.#queue, says)));
  }

  #left(work: QueuedWork, nowMs: number): void {
    this.#flow.record(-1, nowMs);
    work.disarm();
    this.#tell();
  }

  #withdraw(work: QueuedWork, reason: unknown): void {
    this.withdrawn++;
    this.leave(work, this.#clock.nowMs());
    work.end();
    work.reject(reason);
  }

  #tell(): void {
    if (this.#listeners.size === 0) return;
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch {
        // a listener must not take a work's place in the queue
      }
    }
  }
}

/** Infinity: age counts for nothing. */
function agedAfterMs({ agedAfterMs: wantedMs, waitTimeoutMs }: WorkQueueSettings): number {
  // later than the end of its wait is never
  return wantedMs === 0 ? Infinity : Math.min(wantedMs, waitTimeoutMs / 2);
}
