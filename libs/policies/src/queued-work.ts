import { AsyncResource } from 'node:async_hooks';
import type { OperationBook } from './operation-timings.ts';
import type { TimerWheel, WheelEntry } from './timer-wheel.ts';
import type { WorkRun } from './work-queue-options.ts';

/** Who has the work now and sets its timer. */
export interface WorkKeeper {
  onDue(work: QueuedWork): void;
}

/** How a work of a queue looks from inside; its own function sees only the part that is a WorkRun. */
export class QueuedWork implements WorkRun, WheelEntry {
  readonly work: (run: WorkRun) => unknown;
  readonly operation: OperationBook;
  /** 0 goes first. */
  readonly level: number;
  readonly addedAtMs: number;
  readonly ownWaitTimeoutMs: number | undefined;
  readonly ownRunTimeoutMs: number | undefined;
  readonly callersSignal: AbortSignal | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;

  // the wheel's own
  place = -1;
  when = 0;

  state: 'new' | 'waiting' | 'running' | 'abandoned' | 'ended' = 'new';
  /** In the line where it waits, or in the one of those that run. */
  previous: QueuedWork | undefined = undefined;
  next: QueuedWork | undefined = undefined;
  waitEndsAtMs = Infinity;
  startedAtMs = 0;
  onCallersAbort: (() => void) | undefined = undefined;
  /** Of the caller, once the work has to wait: it starts when another one ends, and would be traced as part of that. */
  #context: AsyncResource | undefined = undefined;
  #keeper: WorkKeeper | undefined = undefined;
  #wheel: TimerWheel | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #abortedFor: unknown = undefined;

  constructor(parts: {
    readonly work: (run: WorkRun) => unknown;
    readonly operation: OperationBook;
    readonly level: number;
    readonly addedAtMs: number;
    readonly waitTimeoutMs: number | undefined;
    readonly runTimeoutMs: number | undefined;
    readonly signal: AbortSignal | undefined;
    readonly resolve: (value: unknown) => void;
    readonly reject: (error: unknown) => void;
  }) {
    this.work = parts.work;
    this.operation = parts.operation;
    this.level = parts.level;
    this.addedAtMs = parts.addedAtMs;
    this.ownWaitTimeoutMs = parts.waitTimeoutMs;
    this.ownRunTimeoutMs = parts.runTimeoutMs;
    this.callersSignal = parts.signal;
    this.resolve = parts.resolve;
    this.reject = parts.reject;
  }

  get waitedMs(): number {
    return this.startedAtMs - this.addedAtMs;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#abortedFor !== undefined) this.#controller.abort(this.#abortedFor);
    }
    return this.#controller.signal;
  }

  keepContext(): void {
    this.#context = new AsyncResource('starr.work');
  }

  /** Calls the work itself. */
  call(): unknown {
    return this.#context
      ? this.#context.runInAsyncScope(this.work, undefined, this)
      : this.work(this);
  }

  /** Sets its timer; the one that was set is cleared. Infinity: none. */
  arm(keeper: WorkKeeper, wheel: TimerWheel, delayMs: number): void {
    this.disarm();
    if (delayMs === Infinity) return;
    this.#keeper = keeper;
    this.#wheel = wheel;
    wheel.add(this, Math.max(0, delayMs));
  }

  disarm(): void {
    this.#wheel?.remove(this);
    this.#wheel = undefined;
  }

  due(): void {
    this.#wheel = undefined;
    this.#keeper?.onDue(this);
  }

  /** For whoever has, or will ask for, the signal. */
  abort(reason: unknown): void {
    this.#abortedFor ??= reason;
    this.#controller?.abort(reason);
  }

  /** Its caller is answered: neither a timer nor the caller's signal keeps anything of it. */
  end(): void {
    this.state = 'ended';
    this.disarm();
    if (this.onCallersAbort) {
      this.callersSignal?.removeEventListener('abort', this.onCallersAbort);
      this.onCallersAbort = undefined;
    }
  }
}
