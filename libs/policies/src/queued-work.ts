import type { Cancel } from './clock.ts';
import type { OperationBook } from './operation-timings.ts';
import type { WorkRun } from './work-queue-options.ts';

/** How a work of a queue looks from inside; its own function sees only the part that is a WorkRun. */
export class QueuedWork implements WorkRun {
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

  state: 'new' | 'waiting' | 'running' | 'abandoned' | 'ended' = 'new';
  /** In the line where it waits, or in the one of those that run. */
  previous: QueuedWork | undefined = undefined;
  next: QueuedWork | undefined = undefined;
  waitEndsAtMs = Infinity;
  startedAtMs = 0;
  cancelTimer: Cancel | undefined = undefined;
  onCallersAbort: (() => void) | undefined = undefined;
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

  /** For whoever has, or will ask for, the signal. */
  abort(reason: unknown): void {
    this.#abortedFor ??= reason;
    this.#controller?.abort(reason);
  }

  /** Its caller is answered: neither a timer nor the caller's signal keeps anything of it. */
  end(): void {
    this.state = 'ended';
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    if (this.onCallersAbort) {
      this.callersSignal?.removeEventListener('abort', this.onCallersAbort);
      this.onCallersAbort = undefined;
    }
  }
}
