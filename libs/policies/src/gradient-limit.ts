import type { AdaptiveConcurrencySettings } from './adaptive-concurrency-options.ts';
import { CorrelationWindow } from './correlation-window.ts';
import type { ConcurrencyDecision } from './flow-snapshots.ts';

/** What a window of calls showed. */
export interface LimitWindow {
  readonly shortMs: number;
  /** Most calls at once. */
  readonly inFlight: number;
  /** The limit was reached in it. */
  readonly atLimit: boolean;
}

// Gradient2Limit of Netflix concurrency-limits: the mean of the first ten, then exponential smoothing.
const warmUp = 10;
/** Fall at most by half, so that one bad window does not shed everything. */
const lowestGradient = 0.5;
/** Long durations that are so many times the short ones are of a worse time that has passed. */
const longIsStale = 2;
const forget = 0.95;

/** After it the correlations are learned anew, so that one climb is answered once. */
const onOverload = 0.8;

// computeChange of failsafe-go's adaptivelimiter 0.9.7
const weakCorrelation = 0.3;
const strongCorrelation = 0.5;
const steadyThroughput = 0.2;

/**
 * Finds how many calls at once a dependency serves without queueing: Gradient2 of Netflix concurrency-limits, with
 * failsafe-go's caps against its upward drift: not more than a multiple of the calls in flight, and no growth while
 * more calls only mean longer ones.
 */
export class GradientLimit {
  #settings: AdaptiveConcurrencySettings;
  #throughput: CorrelationWindow;
  #durations: CorrelationWindow;
  #windows = 0;
  #longMs = 0;
  /** With its fraction, which decides when it comes to the next whole number. */
  limit: number;

  constructor(settings: AdaptiveConcurrencySettings) {
    this.#settings = settings;
    this.limit = settings.initialLimit;
    this.#throughput = new CorrelationWindow(settings.correlationWindow);
    this.#durations = new CorrelationWindow(settings.correlationWindow);
  }

  /** Absent before the first window. */
  get longMs(): number | undefined {
    return this.#windows > 0 ? this.#longMs : undefined;
  }

  /** The limit is brought between the bounds; what was learned stays, but for a correlation window of another size. */
  retune(settings: AdaptiveConcurrencySettings): void {
    if (settings.correlationWindow !== this.#settings.correlationWindow) {
      this.#throughput = new CorrelationWindow(settings.correlationWindow);
      this.#durations = new CorrelationWindow(settings.correlationWindow);
    }
    this.#settings = settings;
    this.limit = this.#bounded(this.limit);
  }

  /** Forgets what was learned and begins again at the initial limit. */
  reset(): void {
    this.limit = this.#settings.initialLimit;
    this.#windows = 0;
    this.#longMs = 0;
    this.#throughput.clear();
    this.#durations.clear();
  }

  decide(window: LimitWindow): ConcurrencyDecision['why'] {
    this.#learn(window.shortMs);
    this.#throughput.add(window.inFlight, window.inFlight / window.shortMs);
    this.#durations.add(window.inFlight, window.shortMs);
    const before = this.limit;
    const { wanted, why } = this.#want(window);
    this.limit = this.#bounded(wanted);
    return this.limit === before && wanted !== before ? 'bounds' : why;
  }

  #want({ shortMs, inFlight, atLimit }: LimitWindow): {
    wanted: number;
    why: ConcurrencyDecision['why'];
  } {
    const { smoothing, tolerance, headroom, maxInFlightFactor } = this.#settings;
    const { limit } = this;
    const cap = inFlight * maxInFlightFactor;
    if (limit > cap) {
      return { wanted: limit * (1 - smoothing) + cap * smoothing, why: 'in-flight-cap' };
    }
    if (atLimit && this.#isOverloaded()) {
      this.#throughput.clear();
      this.#durations.clear();
      return { wanted: Math.min(limit - 1, limit * onOverload), why: 'overload' };
    }
    const gradient = Math.max(lowestGradient, Math.min(1, (tolerance * this.#longMs) / shortMs));
    const target = limit * gradient + headroom;
    const wanted = limit * (1 - smoothing) + target * smoothing;
    // it says nothing about more calls, but it may say that there are too many already
    if (inFlight < limit / 2 && wanted >= limit) return { wanted: limit, why: 'app-limited' };
    return wanted > cap ? { wanted: cap, why: 'in-flight-cap' } : { wanted, why: 'gradient' };
  }

  #learn(shortMs: number): void {
    this.#windows++;
    const weight =
      this.#windows <= warmUp ? 1 / this.#windows : 2 / (this.#settings.longWindow + 1);
    this.#longMs += (shortMs - this.#longMs) * weight;
    if (this.#longMs > shortMs * longIsStale) this.#longMs *= forget;
  }

  #isOverloaded(): boolean {
    if (this.#throughput.count < warmUp) return false;
    const throughput = this.#throughput.read();
    if (throughput.correlation < 0) return true;
    if (this.#durations.read().correlation <= strongCorrelation) return false;
    return throughput.correlation < weakCorrelation || throughput.yVariation < steadyThroughput;
  }

  #bounded(limit: number): number {
    return Math.min(this.#settings.maxLimit, Math.max(this.#settings.minLimit, limit));
  }
}
