import { monotonicClock, type Clock } from './clock.ts';
import type { FallbackCause, FallbackFound, FallbackStrategy } from './fallback-strategy.ts';
import type { FallbackSnapshot } from './flow-snapshots.ts';
import { ForcedState, type ForceOptions } from './forced-state.ts';
import { PolicyError, isLocalRejection } from './policy-error.ts';
import { noteOnActiveSpan } from './span-events.ts';

export interface FallbackOptions<T> {
  /** Asked in this order until one has an answer. Names are unique. */
  readonly strategies: readonly FallbackStrategy<T>[];
  /** Whether an error of the call falls back. Default: all but an AbortError, which is the caller's own end. */
  readonly fallsOn?: (error: unknown) => boolean;
  readonly clock?: Clock;
}

export interface FallbackAnswer<T> {
  readonly value: T;
  /** `primary`: the call itself; otherwise the name of the strategy. */
  readonly source: string;
  /** 0 for an answer of the call itself, and for one that has no age. */
  readonly ageMs: number;
  readonly stale: boolean;
}

interface Standing<T> {
  readonly strategy: FallbackStrategy<T>;
  answered: number;
  stale: number;
  missed: number;
  failed: number;
}

/** Answers in the place of a call that cannot, and says with what. */
export class Fallback<T> {
  readonly kind = 'fallback';
  readonly name: string;
  readonly #all: ReadonlyMap<string, Standing<T>>;
  readonly #fallsOn: (error: unknown) => boolean;
  readonly #forced: ForcedState<string>;
  /** Who wants answers without the call, and from which strategy; the first one counts. */
  readonly #servesFrom = new Map<string, string>();
  #chain: readonly Standing<T>[];
  #primary = 0;
  #passedOn = 0;
  #fallen = 0;
  #unanswered = 0;
  #longestServedAgeMs = 0;

  /** Throws PolicyError `invalid-option` or `duplicate-name`. */
  constructor(name: string, options: FallbackOptions<T>) {
    this.name = name;
    this.#all = collect(name, options.strategies);
    this.#chain = [...this.#all.values()];
    this.#fallsOn = options.fallsOn ?? isNotAbort;
    this.#forced = new ForcedState(options.clock ?? monotonicClock);
  }

  /**
   * Runs `act`, and when that fails asks the strategies for `key`. Rejects with the error of `act` when none has an
   * answer; with PolicyError `no-fallback` when `act` was not to be run.
   */
  async run(act: () => PromiseLike<T> | T, key = ''): Promise<FallbackAnswer<T>> {
    const strategy = this.#forced.to ?? this.#firstHeld();
    if (strategy !== undefined) return await this.#serveWithoutCall(strategy, key);
    let value: T;
    try {
      value = await act();
    } catch (error) {
      return await this.#fallBack(error, key);
    }
    this.#primary++;
    for (const standing of this.#chain) remember(standing, key, value);
    return { value, source: 'primary', ageMs: 0, stale: false };
  }

  /** `run` for callers that do not want to know where the answer comes from. */
  async value(act: () => PromiseLike<T> | T, key = ''): Promise<T> {
    return (await this.run(act, key)).value;
  }

  /**
   * Serves from that strategy (and the others after it) without the call, for a time. Throws PolicyError
   * `invalid-option`.
   */
  force(strategy: string, options: ForceOptions): void {
    this.#find(strategy);
    this.#forced.hold(this.name, strategy, options);
  }

  /** False when nothing was held. */
  unforce(): boolean {
    return this.#forced.release();
  }

  /** As `force`, until `by` releases it: for interlocks. What is forced by hand goes before. */
  serveFrom(by: string, strategy: string): void {
    this.#find(strategy);
    this.#servesFrom.set(by, strategy);
  }

  /** False when `by` held nothing. */
  release(by: string): boolean {
    return this.#servesFrom.delete(by);
  }

  /** Asks these from now on, in this order; the others are kept, with what they remember, but not asked. */
  reorder(strategies: readonly string[]): void {
    const chain = strategies.map((name) => this.#find(name));
    if (new Set(chain).size < chain.length) {
      throw new PolicyError('duplicate-name', this.name, `${this.name}: a strategy is named twice`);
    }
    this.#chain = chain;
  }

  snapshot(): FallbackSnapshot {
    const strategies = this.#chain.map(({ strategy, answered, stale, missed, failed }) => ({
      name: strategy.name,
      answered,
      stale,
      missed,
      failed,
      ...(strategy.entries !== undefined && { entries: strategy.entries }),
      ...strategy.touched,
    }));
    const served = this.#fallen - this.#unanswered;
    const answers = this.#primary + served;
    const stale = [...this.#all.values()].reduce((sum, standing) => sum + standing.stale, 0);
    const held = this.#servesFrom.entries().next();
    return {
      kind: 'fallback',
      name: this.name,
      calls: this.#primary + this.#passedOn + this.#fallen,
      primary: this.#primary,
      passedOn: this.#passedOn,
      fallen: this.#fallen,
      unanswered: this.#unanswered,
      ...(this.#fallen > 0 && { hitRatio: served / this.#fallen }),
      ...(answers > 0 && { staleRatio: stale / answers }),
      longestServedAgeMs: this.#longestServedAgeMs,
      strategies,
      ...(!held.done && { servesFrom: { by: held.value[0], strategy: held.value[1] } }),
      ...this.#forced.show(),
    };
  }

  async #fallBack(error: unknown, key: string): Promise<FallbackAnswer<T>> {
    if (!this.#fallsOn(error)) {
      this.#passedOn++;
      throw error;
    }
    this.#fallen++;
    const kind = isLocalRejection(error) ? 'refused' : 'failed';
    const answer = await this.#ask(this.#chain, key, { kind, error });
    if (answer) return answer;
    this.#unanswered++;
    throw error;
  }

  async #serveWithoutCall(strategy: string, key: string): Promise<FallbackAnswer<T>> {
    this.#fallen++;
    const first = this.#find(strategy);
    const chain = [first, ...this.#chain.filter((standing) => standing !== first)];
    const answer = await this.#ask(chain, key, { kind: 'forced' });
    if (answer) return answer;
    this.#unanswered++;
    throw new PolicyError(
      'no-fallback',
      this.name,
      `fallback ${this.name} serves from ${strategy} and has no answer`,
    );
  }

  async #ask(
    chain: readonly Standing<T>[],
    key: string,
    cause: FallbackCause,
  ): Promise<FallbackAnswer<T> | undefined> {
    for (const standing of chain) {
      let found: FallbackFound<T> | undefined;
      try {
        found = await standing.strategy.answer(key, cause);
      } catch {
        // its error would hide the one of the call, which the caller can make something of
        standing.failed++;
        continue;
      }
      if (found) return this.#served(standing, found);
      standing.missed++;
    }
    return undefined;
  }

  #served(standing: Standing<T>, found: FallbackFound<T>): FallbackAnswer<T> {
    const { value, ageMs = 0, stale = false } = found;
    const source = standing.strategy.name;
    standing.answered++;
    if (stale) standing.stale++;
    this.#longestServedAgeMs = Math.max(this.#longestServedAgeMs, ageMs);
    noteOnActiveSpan('starr.fallback.answered', {
      'starr.fallback': this.name,
      'starr.fallback.source': source,
      'starr.fallback.age_ms': ageMs,
      'starr.fallback.stale': stale,
    });
    return { value, source, ageMs, stale };
  }

  #firstHeld(): string | undefined {
    // the common case without an iterator: nobody holds it
    if (this.#servesFrom.size === 0) return undefined;
    const first = this.#servesFrom.values().next();
    return first.done ? undefined : first.value;
  }

  #find(strategy: string): Standing<T> {
    const found = this.#all.get(strategy);
    if (found) return found;
    throw new PolicyError(
      'invalid-option',
      this.name,
      `${this.name}: strategy is ${strategy}; allowed: ${[...this.#all.keys()].join(', ')}`,
    );
  }
}

function remember<T>(standing: Standing<T>, key: string, value: T): void {
  try {
    standing.strategy.remember?.(key, value);
  } catch {
    // the call has its answer; that it could not be remembered must not take it away
    standing.failed++;
  }
}

function collect<T>(
  name: string,
  strategies: readonly FallbackStrategy<T>[],
): ReadonlyMap<string, Standing<T>> {
  const all = new Map<string, Standing<T>>();
  for (const strategy of strategies) {
    if (all.has(strategy.name) || strategy.name === 'primary') {
      throw new PolicyError(
        'duplicate-name',
        name,
        `${name}: there are two strategies ${strategy.name}`,
      );
    }
    all.set(strategy.name, { strategy, answered: 0, stale: 0, missed: 0, failed: 0 });
  }
  if (all.size > 0) return all;
  throw new PolicyError(
    'invalid-option',
    name,
    `${name}: strategies is empty; allowed: at least 1`,
  );
}

function isNotAbort(error: unknown): boolean {
  return !(
    typeof error === 'object' &&
    error !== null &&
    'name' in error &&
    error.name === 'AbortError'
  );
}
