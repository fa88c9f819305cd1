import { trace } from '@opentelemetry/api';
import type { FailureSample, TouchNote } from './evidence.ts';
import { withNewest } from './touches.ts';

const maxSamples = 16;
const maxClasses = 16;

/** Keeps of a breaker's failures and of who touched it what its transitions will be judged by. */
export class EvidenceLog {
  readonly #byError = new Map<string, number>();
  #samples: FailureSample[] = [];
  #touches: readonly TouchNote[] = [];

  noteFailure(error: string, at: Date): FailureSample {
    const known = this.#byError.has(error) || this.#byError.size < maxClasses;
    const errorClass = known ? error : 'other';
    this.#byError.set(errorClass, (this.#byError.get(errorClass) ?? 0) + 1);
    const traceId = trace.getActiveSpan()?.spanContext().traceId;
    const sample = { error, at, ...(traceId !== undefined && { traceId }) };
    // cut seldom, so that a failure does not cost a copy of the others
    if (this.#samples.push(sample) >= 2 * maxSamples)
      this.#samples = this.#samples.slice(-maxSamples);
    return sample;
  }

  noteTouch(touch: TouchNote): void {
    this.#touches = withNewest(this.#touches, touch);
  }

  /** Forgets the failures, not the touches. */
  clearFailures(): void {
    this.#byError.clear();
    this.#samples = [];
  }

  get touches(): readonly TouchNote[] {
    return this.#touches;
  }

  failuresByError(): { error: string; count: number }[] {
    return [...this.#byError]
      .map(([error, count]) => ({ error, count }))
      .sort((a, b) => b.count - a.count);
  }

  newestFailures(): FailureSample[] {
    return this.#samples.slice(-maxSamples).reverse();
  }

  /** Of the newest failures, without repetition. */
  traceIds(): string[] {
    return [...new Set(this.newestFailures().flatMap(({ traceId }) => traceId ?? []))];
  }
}

/** The code or name of whatever was thrown; never its message. */
export function nameOfError(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'name' in error && typeof error.name === 'string' ? error.name : 'Error';
}
