import { checkCount, checkPositive, checkRatio } from './check-option.ts';
import { monotonicClock, type Clock } from './clock.ts';
import type { RateLimitSnapshot } from './flow-snapshots.ts';
import { stackless } from './policy-error.ts';
import { RateLimitedError } from './rate-limited-error.ts';
import { retuneSettings } from './retune-settings.ts';
import type { Retuned, Touch } from './retuned.ts';
import { type Slowable, SlowDowns } from './slow-downs.ts';
import { noteOnActiveSpan } from './span-events.ts';
import { Touches } from './touches.ts';

export interface RateLimitOptions {
  /** Permits a period; above 0. */
  readonly permits: number;
  /** Default 1000. */
  readonly periodMs?: number;
  /** Permits that may be taken at once after a quiet time; at least 1. Default: `permits`, at least 1. */
  readonly burst?: number;
  /** Keys that are remembered at once; one more and the one unused longest is forgotten. Default 10,000. */
  readonly maxKeys?: number;
  readonly clock?: Clock;
}

export type RateLimitSettings = Required<Omit<RateLimitOptions, 'clock'>>;

// A permit is lost to rounding of binary fractions otherwise: 0.1 × 3 is not 0.3.
const roundingError = 1e-9;

/**
 * At most so many permits a period for each key, by the generic cell rate algorithm: one number a key and no timer.
 *
 * The number is a moment in virtual time, which runs at one unit a permit. Changing the rate changes the speed of
 * that clock and nothing else, so that a retune keeps what each key has used, whatever the number of keys.
 */
export class RateLimit implements Slowable {
  readonly kind = 'rate-limit';
  readonly name: string;
  readonly #clock: Clock;
  readonly #usedUpTo = new Map<string, number>();
  readonly #slowDowns = new SlowDowns();
  readonly #touches: Touches;
  #settings: RateLimitSettings;
  #virtualAtBase = 0;
  #baseMs: number;
  #allowed = 0;
  #rejected = 0;
  #keysForgotten = 0;

  /** Throws PolicyError `invalid-option`. */
  constructor(name: string, options: RateLimitOptions) {
    this.name = name;
    this.#settings = parseSettings(name, options);
    this.#clock = options.clock ?? monotonicClock;
    this.#touches = new Touches(this.#clock);
    this.#baseMs = this.#clock.nowMs();
  }

  get settings(): RateLimitSettings {
    return this.#settings;
  }

  /** Takes `permits` at once or none. Throws PolicyError `invalid-option` when they are more than `burst`. */
  tryAcquire(key = '', permits = 1): boolean {
    this.#checkPermits(permits);
    const virtual = this.#virtual();
    const used = Math.max(this.#usedUpTo.get(key) ?? virtual, virtual) + permits;
    if (used - virtual > this.#settings.burst + roundingError) {
      this.#rejected++;
      return false;
    }
    this.#allowed++;
    this.#remember(key, used, virtual);
    return true;
  }

  /**
   * Takes `permits` in advance and returns how long to wait before the work; 0: not at all. Absent, and nothing is
   * taken, when the wait would be longer than `maxWaitMs`. Throws as `tryAcquire` does.
   */
  reserve(maxWaitMs: number, key = '', permits = 1): number | undefined {
    this.#checkPermits(permits);
    const virtual = this.#virtual();
    const used = Math.max(this.#usedUpTo.get(key) ?? virtual, virtual) + permits;
    const waitMs = this.#msFor(used - virtual - this.#settings.burst);
    if (waitMs > maxWaitMs) {
      this.#rejected++;
      return undefined;
    }
    this.#allowed++;
    this.#remember(key, used, virtual);
    return waitMs;
  }

  /** When `tryAcquire` would succeed, at the present rate; 0: now. Takes nothing. */
  retryAfterMs(key = '', permits = 1): number {
    const virtual = this.#virtual();
    const used = Math.max(this.#usedUpTo.get(key) ?? virtual, virtual) + permits;
    return this.#msFor(used - virtual - this.#settings.burst);
  }

  /** Runs `act` when there is a permit; otherwise rejects with RateLimitedError without running it. */
  async run<T>(act: () => PromiseLike<T> | T, key = ''): Promise<T> {
    if (this.tryAcquire(key)) return await act();
    // the key may be somebody's name: it does not leave the process
    noteOnActiveSpan('starr.rate-limit.rejected', { 'starr.rate-limit': this.name });
    throw stackless(() => new RateLimitedError(this.name, this.retryAfterMs(key)));
  }

  /** Slows the rate; the burst stays, so that a call that may come at all may still come. */
  slowDown(by: string, share: number, forMs = Infinity): void {
    checkRatio(this.name, 'share', share);
    if (forMs !== Infinity) checkPositive(this.name, 'forMs', forMs);
    this.#settle();
    this.#slowDowns.hold(by, share, this.#baseMs + forMs);
  }

  release(by: string): boolean {
    this.#settle();
    return this.#slowDowns.release(by);
  }

  /**
   * Applies at once, and no key is given back what it has used; what is not named stays, `burst` too.
   */
  retune(change: Partial<RateLimitSettings>, touch?: Touch): Retuned<RateLimitSettings> {
    const retuned = retuneSettings(this.#settings, change, (wanted) => {
      const settings = parseSettings(this.name, wanted);
      this.#settle();
      this.#settings = settings;
      while (this.#usedUpTo.size > settings.maxKeys) this.#forgetOldest(this.#virtualAtBase);
      return settings;
    });
    return this.#touches.noteRetune(retuned, touch);
  }

  snapshot(): RateLimitSnapshot {
    const virtual = this.#virtual();
    const { permits, periodMs, burst } = this.#settings;
    for (const [key, used] of this.#usedUpTo) if (used <= virtual) this.#usedUpTo.delete(key);
    const used = Math.max(0, (this.#usedUpTo.get('') ?? virtual) - virtual);
    return {
      kind: 'rate-limit',
      name: this.name,
      permits,
      periodMs,
      burst,
      share: this.#slowDowns.share,
      slowedBy: this.#slowDowns.list(this.#clock.nowMs()),
      available: Math.max(0, Math.floor(burst - used + roundingError)),
      keys: this.#usedUpTo.size,
      keysForgotten: this.#keysForgotten,
      allowed: this.#allowed,
      rejected: this.#rejected,
      ...this.#touches.show(),
    };
  }

  #virtual(): number {
    const nowMs = this.#clock.nowMs();
    // each end is taken at its own moment, however late somebody asks
    while (this.#slowDowns.nextEndMs <= nowMs) {
      const endMs = this.#slowDowns.nextEndMs;
      this.#rebase(endMs);
      this.#slowDowns.expire(endMs);
    }
    return this.#virtualAt(nowMs);
  }

  #virtualAt(nowMs: number): number {
    const { permits, periodMs } = this.#settings;
    return (
      this.#virtualAtBase + ((nowMs - this.#baseMs) * permits * this.#slowDowns.share) / periodMs
    );
  }

  // Before the speed of virtual time changes, what has passed is put down at the old one.
  #settle(): void {
    this.#virtual();
    this.#rebase(this.#clock.nowMs());
  }

  #rebase(nowMs: number): void {
    this.#virtualAtBase = this.#virtualAt(nowMs);
    this.#baseMs = nowMs;
  }

  #msFor(permits: number): number {
    if (permits <= roundingError) return 0;
    const { permits: rate, periodMs } = this.#settings;
    return (permits * periodMs) / (rate * this.#slowDowns.share);
  }

  #remember(key: string, used: number, virtual: number): void {
    if (!this.#usedUpTo.has(key)) this.#makeRoom(virtual);
    this.#usedUpTo.set(key, used);
  }

  // A key at rest is the same as an unknown one. Each new key looks at the two that came longest ago, so that the
  // keys at rest go sooner than new ones come, without a timer.
  #makeRoom(virtual: number): void {
    let looked = 0;
    for (const [key, used] of this.#usedUpTo) {
      if (looked++ === 2) break;
      this.#usedUpTo.delete(key);
      if (used > virtual) this.#usedUpTo.set(key, used);
    }
    if (this.#usedUpTo.size >= this.#settings.maxKeys) this.#forgetOldest(virtual);
  }

  #forgetOldest(virtual: number): void {
    for (const [key, used] of this.#usedUpTo) {
      this.#usedUpTo.delete(key);
      if (used > virtual) this.#keysForgotten++;
      return;
    }
  }

  #checkPermits(permits: number): void {
    if (permits !== 1) checkCount(this.name, 'permits', permits, this.#settings.burst);
  }
}

function parseSettings(name: string, options: RateLimitOptions): RateLimitSettings {
  const { permits, periodMs = 1000, burst = Math.max(1, permits), maxKeys = 10_000 } = options;
  checkPositive(name, 'permits', permits);
  checkPositive(name, 'periodMs', periodMs);
  checkPositive(name, 'burst', burst, 1);
  checkCount(name, 'maxKeys', maxKeys);
  return { permits, periodMs, burst, maxKeys };
}
