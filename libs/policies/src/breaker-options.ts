import { monotonicClock, type Clock } from './clock.ts';
import { checkCount, checkPositive, checkRatio } from './check-option.ts';

/** Success and failure enter the window; ignored (the caller gave up) gives the place back and counts for nothing. */
export type Outcome = 'success' | 'failure' | 'ignored';

/** When a closed breaker opens. All comparisons are ≥: it opens at the threshold, not above it. */
export type OpensOn =
  | {
      readonly kind: 'time';
      /** 0–1 of the calls in the window. */
      readonly failureRatio: number;
      readonly minimumCalls: number;
      readonly windowMs: number;
      readonly buckets: number;
    }
  | {
      readonly kind: 'count';
      readonly failureRatio: number;
      /** Capped at size. */
      readonly minimumCalls: number;
      readonly size: number;
    }
  | { readonly kind: 'consecutive'; readonly failures: number };

export interface BreakerOptions {
  /** The dependency that is guarded. Absent: the breaker's name. */
  readonly guards?: string;
  /** Default: half of at least 10 calls within 10 s, in 10 buckets. */
  readonly opensOn?: OpensOn;
  /** Longest wait before the first probe; doubles with each opening in a row. Default 1000. */
  readonly recoveryMs?: number;
  /** Cap of the doubling. Default 60 000. */
  readonly recoveryMaxMs?: number;
  /** `full` draws each wait between 0 and its length, so that many processes do not probe at once. Default `full`. */
  readonly jitter?: 'full' | 'none';
  /** Probes at the same time, 1–63; more callers are rejected, never queued. Default 1. */
  readonly halfOpenMaxCalls?: number;
  /** Successful probes that close. Default 1. */
  readonly halfOpenSuccesses?: number;
  /** A probe without a result for so long counts as failed. Default: recoveryMs. */
  readonly probeLeaseMs?: number;
  /** Default: an AbortError is ignored, everything else thrown is a failure. */
  readonly outcomeOfError?: (error: unknown) => Outcome;
  /** Default: every returned value is a success. */
  readonly outcomeOfValue?: (value: unknown) => Outcome;
  readonly clock?: Clock;
  /** 0 ≤ n < 1; default Math.random. */
  readonly random?: () => number;
}

export type BreakerSettings = Required<Omit<BreakerOptions, 'outcomeOfValue'>> &
  Pick<BreakerOptions, 'outcomeOfValue'>;

const defaultOpensOn: OpensOn = {
  kind: 'time',
  failureRatio: 0.5,
  minimumCalls: 10,
  windowMs: 10_000,
  buckets: 10,
};

function abortIsIgnored(error: unknown): Outcome {
  const aborted =
    typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
  return aborted ? 'ignored' : 'failure';
}

/** Fills in the defaults; throws PolicyError `invalid-option`. */
export function parseBreakerOptions(name: string, options: BreakerOptions): BreakerSettings {
  const recoveryMs = options.recoveryMs ?? 1000;
  const settings = {
    ...options,
    guards: options.guards ?? name,
    opensOn: options.opensOn ?? defaultOpensOn,
    recoveryMs,
    recoveryMaxMs: options.recoveryMaxMs ?? Math.max(60_000, recoveryMs),
    jitter: options.jitter ?? 'full',
    halfOpenMaxCalls: options.halfOpenMaxCalls ?? 1,
    halfOpenSuccesses: options.halfOpenSuccesses ?? 1,
    probeLeaseMs: options.probeLeaseMs ?? recoveryMs,
    outcomeOfError: options.outcomeOfError ?? abortIsIgnored,
    clock: options.clock ?? monotonicClock,
    random: options.random ?? Math.random,
  };
  checkPositive(name, 'recoveryMs', settings.recoveryMs);
  checkPositive(name, 'recoveryMaxMs', settings.recoveryMaxMs, settings.recoveryMs);
  checkPositive(name, 'probeLeaseMs', settings.probeLeaseMs);
  checkCount(name, 'halfOpenMaxCalls', settings.halfOpenMaxCalls, 63);
  checkCount(name, 'halfOpenSuccesses', settings.halfOpenSuccesses);
  checkOpensOn(name, settings.opensOn);
  return settings;
}

function checkOpensOn(name: string, opensOn: OpensOn): void {
  if (opensOn.kind === 'consecutive') {
    checkCount(name, 'opensOn.failures', opensOn.failures);
    return;
  }
  checkRatio(name, 'opensOn.failureRatio', opensOn.failureRatio);
  checkCount(name, 'opensOn.minimumCalls', opensOn.minimumCalls);
  if (opensOn.kind === 'count') {
    checkCount(name, 'opensOn.size', opensOn.size);
  } else {
    checkCount(name, 'opensOn.buckets', opensOn.buckets);
    checkPositive(name, 'opensOn.windowMs', opensOn.windowMs);
  }
}
