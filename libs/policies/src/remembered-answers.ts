import { checkCount, checkPositive } from './check-option.ts';
import { monotonicClock, type Clock } from './clock.ts';
import type { Touched } from './evidence.ts';
import type { FallbackCause, FallbackFound, FallbackStrategy } from './fallback-strategy.ts';
import { PolicyError } from './policy-error.ts';
import { retuneSettings } from './retune-settings.ts';
import type { Retuned, Touch } from './retuned.ts';
import { Touches } from './touches.ts';

export interface RememberedAnswersOptions {
  /** An answer so young is served after any failure, at this age or below. */
  readonly freshForMs: number;
  /**
   * An answer so old is still served, and called stale, while the call is refused or not wanted: open breaker, full
   * queue, a limit, by hand. At least `freshForMs`. Default: `freshForMs`, so no stale answers.
   */
  readonly staleForMs?: number;
  /** One more and the one unused longest is forgotten. Default 1000. */
  readonly maxEntries?: number;
  readonly clock?: Clock;
}

export type RememberedAnswersSettings = Required<Omit<RememberedAnswersOptions, 'clock'>>;

/** Remembers the last good answer for each key and gives it when the call cannot. */
export class RememberedAnswers<T> implements FallbackStrategy<T> {
  readonly name: string;
  readonly #clock: Clock;
  // in the order of use: the first one is unused longest
  readonly #answers = new Map<string, { readonly value: T; readonly atMs: number }>();
  readonly #touches: Touches;
  #settings: RememberedAnswersSettings;

  /** Throws PolicyError `invalid-option`. */
  constructor(name: string, options: RememberedAnswersOptions) {
    this.name = name;
    this.#clock = options.clock ?? monotonicClock;
    this.#touches = new Touches(this.#clock);
    this.#settings = parseSettings(name, options);
  }

  get settings(): RememberedAnswersSettings {
    return this.#settings;
  }

  get touched(): Touched {
    return this.#touches.show();
  }

  get entries(): number {
    return this.#answers.size;
  }

  remember(key: string, value: T): void {
    this.#answers.delete(key);
    this.#answers.set(key, { value, atMs: this.#clock.nowMs() });
    this.#shrink();
  }

  answer(key: string, cause: FallbackCause): FallbackFound<T> | undefined {
    const found = this.#answers.get(key);
    if (!found) return undefined;
    const ageMs = this.#clock.nowMs() - found.atMs;
    const { freshForMs, staleForMs } = this.#settings;
    if (ageMs > staleForMs) {
      this.#answers.delete(key);
      return undefined;
    }
    const stale = ageMs > freshForMs;
    if (stale && cause.kind === 'failed') return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, found);
    return { value: found.value, ageMs, stale };
  }

  /** Forgets one answer, or all. */
  forget(key?: string): void {
    if (key === undefined) this.#answers.clear();
    else this.#answers.delete(key);
  }

  /** Applies at once to what is remembered. */
  retune(
    change: Partial<RememberedAnswersSettings>,
    touch?: Touch,
  ): Retuned<RememberedAnswersSettings> {
    const retuned = retuneSettings(this.#settings, change, (wanted) => {
      this.#settings = parseSettings(this.name, wanted);
      this.#shrink();
      return this.#settings;
    });
    return this.#touches.noteRetune(retuned, touch);
  }

  #shrink(): void {
    for (const key of this.#answers.keys()) {
      if (this.#answers.size <= this.#settings.maxEntries) return;
      this.#answers.delete(key);
    }
  }
}

function parseSettings(name: string, options: RememberedAnswersOptions): RememberedAnswersSettings {
  const { freshForMs, staleForMs = freshForMs, maxEntries = 1000 } = options;
  checkPositive(name, 'freshForMs', freshForMs);
  checkCount(name, 'maxEntries', maxEntries);
  if (!(staleForMs >= freshForMs)) {
    throw new PolicyError(
      'invalid-option',
      name,
      `${name}: staleForMs is ${staleForMs}; allowed: at least freshForMs, ${freshForMs}`,
    );
  }
  return { freshForMs, staleForMs, maxEntries };
}
