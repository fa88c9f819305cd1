import { checkCount, checkPositive, checkRatio } from './check-option.ts';
import type { Clock } from './clock.ts';
import { PolicyError } from './policy-error.ts';
import type { Outcome } from './breaker-options.ts';

export interface AdaptiveConcurrencyOptions {
  /** Default 20, brought between the two bounds. */
  readonly initialLimit?: number;
  /** Default 1. */
  readonly minLimit?: number;
  /** Default 200. */
  readonly maxLimit?: number;
  /**
   * How much longer than normal a call may take before the limit falls; at least 1. Default 1.5 (Gradient2Limit of
   * Netflix concurrency-limits; so are smoothing, long window and headroom).
   */
  readonly tolerance?: number;
  /** Share of a new value that is taken over at each decision. Default 0.2. */
  readonly smoothing?: number;
  /** Decisions over which normal is learned. Default 600. */
  readonly longWindow?: number;
  /** Calls beyond the right number that may always queue up at the dependency; how the limit grows. Default 4. */
  readonly headroom?: number;
  /** Which duration of a window stands for it. Default 0.9 (failsafe-go; so are the next four). */
  readonly quantile?: number;
  /** A decision comes after so long, */
  readonly windowMs?: number;
  /** and after so many calls. Defaults 1000 and 50. */
  readonly windowSamples?: number;
  /** The limit grows to at most so many times the calls in flight. Default 5. */
  readonly maxInFlightFactor?: number;
  /** Windows in which more calls are compared with longer durations. Default 50. */
  readonly correlationWindow?: number;
  /** Default: failure, but ignored for an AbortError. */
  readonly outcomeOfError?: (error: unknown) => Outcome;
  readonly clock?: Clock;
}

export type AdaptiveConcurrencySettings = Required<
  Omit<AdaptiveConcurrencyOptions, 'clock' | 'outcomeOfError'>
>;

/** Throws PolicyError `invalid-option`. */
export function parseConcurrencySettings(
  name: string,
  options: AdaptiveConcurrencyOptions,
): AdaptiveConcurrencySettings {
  const {
    minLimit = 1,
    maxLimit = 200,
    tolerance = 1.5,
    smoothing = 0.2,
    longWindow = 600,
  } = options;
  const { headroom = 4, quantile = 0.9, windowMs = 1000, windowSamples = 50 } = options;
  const { maxInFlightFactor = 5, correlationWindow = 50 } = options;
  const { initialLimit = Math.min(maxLimit, Math.max(minLimit, 20)) } = options;
  checkCount(name, 'minLimit', minLimit);
  checkCount(name, 'maxLimit', maxLimit, Number.MAX_SAFE_INTEGER, minLimit);
  checkCount(name, 'initialLimit', initialLimit, maxLimit, minLimit);
  checkPositive(name, 'tolerance', tolerance, 1);
  checkRatio(name, 'smoothing', smoothing);
  checkCount(name, 'longWindow', longWindow);
  checkPositive(name, 'headroom', headroom);
  if (!(quantile > 0 && quantile < 1)) {
    throw new PolicyError(
      'invalid-option',
      name,
      `${name}: quantile is ${quantile}; allowed: above 0 and below 1`,
    );
  }
  checkPositive(name, 'windowMs', windowMs);
  checkCount(name, 'windowSamples', windowSamples);
  checkPositive(name, 'maxInFlightFactor', maxInFlightFactor, 1);
  checkCount(name, 'correlationWindow', correlationWindow, Number.MAX_SAFE_INTEGER, 2);
  return {
    initialLimit,
    minLimit,
    maxLimit,
    tolerance,
    smoothing,
    longWindow,
    headroom,
    quantile,
    windowMs,
    windowSamples,
    maxInFlightFactor,
    correlationWindow,
  };
}
