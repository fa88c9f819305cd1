import type { Clock } from './clock.ts';
import { checkCount, checkPositive, checkRatio } from './check-option.ts';

/** Success and failure enter the window; ignored (the caller gave up) gives the place back and counts for nothing. */
export type Outcome = 'success' | 'failure' | 'ignored';

/** Calls that answer, but too late: a second reason to open. */
export interface SlowCalls {
  /** A call that took so long, or longer, is slow; failed or not. A slow probe counts as failed. */
  readonly afterMs: number;
  /** Opens at this share of slow calls in the window, above 0 and up to 1. */
  readonly ratio: number;
}

/** When a closed breaker opens. All comparisons are ≥: it opens at the threshold, not above it. */
export type OpensOn =
  | {
      readonly kind: 'time';
      /** 0–1 of the calls in the window. */
      readonly failureRatio: number;
      readonly minimumCalls: number;
      readonly windowMs: number;
      readonly buckets: number;
      /** Absent: the time that a call took opens nothing. */
      readonly slowCalls?: SlowCalls;
    }
  | {
      readonly kind: 'count';
      readonly failureRatio: number;
      /** Capped at size. */
      readonly minimumCalls: number;
      readonly size: number;
      readonly slowCalls?: SlowCalls;
    }
  | { readonly kind: 'consecutive'; readonly failures: number };

/** What can be changed while the breaker works; see `Breaker.retune`. */
export interface BreakerTuning {
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
  /**
   * Keeps a histogram of how long calls take, for the evidence of transitions. It costs two looks at the clock a
   * call, so the default is on where the window looks at it anyway (kind `time`, or `slowCalls`), else off.
   */
  readonly measureLatency?: boolean;
}

export interface BreakerOptions extends BreakerTuning {
  /** The dependency that is guarded. Absent: the breaker's name. */
  readonly guards?: string;
  /** Names the policy's text that these options come from; shown in snapshots and evidence. Absent: unversioned. */
  readonly version?: string;
  /**
   * Default: an AbortError is ignored, everything else is a failure. Not asked about rejections by a policy of this
   * process, which say nothing about the dependency: they are always ignored.
   */
  readonly outcomeOfError?: (error: unknown) => Outcome;
  /** Default: every returned value is a success. */
  readonly outcomeOfValue?: (value: unknown) => Outcome;
  readonly clock?: Clock;
  /** 0 ≤ n < 1; default Math.random. */
  readonly random?: () => number;
}

export type BreakerSettings = Required<Omit<BreakerTuning, 'probeLeaseMs' | 'measureLatency'>> & {
  readonly probeLeaseMs: number;
  readonly measureLatency: boolean;
};

const defaultOpensOn: OpensOn = {
  kind: 'time',
  failureRatio: 0.5,
  minimumCalls: 10,
  windowMs: 10_000,
  buckets: 10,
};

const defaultSettings: BreakerSettings = {
  opensOn: defaultOpensOn,
  recoveryMs: 1000,
  recoveryMaxMs: 60_000,
  jitter: 'full',
  halfOpenMaxCalls: 1,
  halfOpenSuccesses: 1,
  probeLeaseMs: 1000,
  measureLatency: true,
};

function equals(settings: BreakerSettings, others: BreakerSettings): boolean {
  return (Object.keys(others) as (keyof BreakerSettings)[]).every(
    (key) => settings[key] === others[key],
  );
}

/** Default judgement of what a call threw. */
export function outcomeOfAnyError(error: unknown): Outcome {
  const aborted =
    typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
  return aborted ? 'ignored' : 'failure';
}

/** Fills in the defaults; throws PolicyError `invalid-option`. */
export function parseBreakerTuning(name: string, tuning: BreakerTuning): BreakerSettings {
  const recoveryMs = tuning.recoveryMs ?? defaultSettings.recoveryMs;
  const opensOn = tuning.opensOn ?? defaultOpensOn;
  const settings = {
    opensOn,
    recoveryMs,
    recoveryMaxMs: tuning.recoveryMaxMs ?? Math.max(defaultSettings.recoveryMaxMs, recoveryMs),
    jitter: tuning.jitter ?? 'full',
    halfOpenMaxCalls: tuning.halfOpenMaxCalls ?? 1,
    halfOpenSuccesses: tuning.halfOpenSuccesses ?? 1,
    probeLeaseMs: tuning.probeLeaseMs ?? recoveryMs,
    measureLatency:
      tuning.measureLatency ?? (opensOn.kind === 'time' || slowCallsOf(opensOn) !== undefined),
  };
  // most breakers are all alike: they share one object
  if (equals(settings, defaultSettings)) return defaultSettings;
  checkPositive(name, 'recoveryMs', settings.recoveryMs);
  checkPositive(name, 'recoveryMaxMs', settings.recoveryMaxMs, settings.recoveryMs);
  checkPositive(name, 'probeLeaseMs', settings.probeLeaseMs);
  checkCount(name, 'halfOpenMaxCalls', settings.halfOpenMaxCalls, 63);
  checkCount(name, 'halfOpenSuccesses', settings.halfOpenSuccesses);
  checkOpensOn(name, opensOn);
  return settings;
}

export function slowCallsOf(opensOn: OpensOn): SlowCalls | undefined {
  return opensOn.kind === 'consecutive' ? undefined : opensOn.slowCalls;
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
  if (opensOn.slowCalls === undefined) return;
  checkPositive(name, 'opensOn.slowCalls.afterMs', opensOn.slowCalls.afterMs);
  checkRatio(name, 'opensOn.slowCalls.ratio', opensOn.slowCalls.ratio);
}

/** A permit must be given back whatever the options' own function does. */
export function judgeSafely(outcomeOf: (what: unknown) => Outcome, what: unknown): Outcome {
  try {
    return outcomeOf(what);
  } catch {
    return 'failure';
  }
}
