/**
 * - `open`: the breaker is open, its half-open places are taken, or an override rejects; the call did not run.
 * - `queue-full`: the queue holds `maxSize` waiting works; this one was not taken.
 * - `wait-timeout`: the work waited longer than `waitTimeoutMs` and will not run.
 * - `stopped`: the queue was stopped before the work ran.
 * - `bulkhead-full`: as many calls run as the bulkhead allows; this one did not.
 * - `timeout`: the call ran longer than `timeoutMs`; its result will be dropped.
 * - `rate-limited`: the rate limit is used up; the call did not run.
 * - `overloaded`: the adaptive limit is reached, or work was turned away under backpressure; the call did not run.
 * - `expired`: the deadline of the work passed before it ran.
 * - `evicted`: the work was put out of its queue in favour of other work, before it ran.
 * - `no-fallback`: the fallbacks had no answer either.
 * - `interlock-cycle`: interlocks would drive each other in a circle.
 * - `invalid-option`: an option is outside its allowed range.
 * - `duplicate-name`: the process already has a policy of that kind and name.
 */
export type PolicyErrorCode =
  | 'open'
  | 'queue-full'
  | 'wait-timeout'
  | 'stopped'
  | 'bulkhead-full'
  | 'timeout'
  | 'rate-limited'
  | 'overloaded'
  | 'expired'
  | 'evicted'
  | 'no-fallback'
  | 'interlock-cycle'
  | 'invalid-option'
  | 'duplicate-name';

const brand = Symbol.for('@starr/policies.PolicyError');

/** Of these codes the call ran, or nothing was called for. */
const notARejection: ReadonlySet<PolicyErrorCode> = new Set<PolicyErrorCode>([
  'timeout',
  'no-fallback',
  'interlock-cycle',
  'invalid-option',
  'duplicate-name',
]);

/** The only error that this library throws by itself; errors of the guarded calls pass through unchanged. */
export class PolicyError extends Error {
  readonly code: PolicyErrorCode;
  /** Name of the policy. */
  readonly policy: string;

  constructor(code: PolicyErrorCode, policy: string, message: string) {
    super(`[${code}] ${message}`);
    this.name = 'PolicyError';
    this.code = code;
    this.policy = policy;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Works across two copies of the library, where instanceof does not. */
  static is(value: unknown): value is PolicyError {
    return typeof value === 'object' && value !== null && brand in value;
  }
}

/** True when a policy of this process turned the call away, so that it says nothing about the dependency. */
export function isLocalRejection(error: unknown): boolean {
  return PolicyError.is(error) && !notARejection.has(error.code);
}

/** Makes an error without its stack: the stack costs several times the rest and tells of this library alone. */
export function stackless<E extends Error>(make: () => E): E {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/**
 * Why a breaker turned a call away: it is open; it is half-open and its places are taken; or an override is in
 * force (`forced-open`, `shed`: this call was of the share that is shed, `serve-stale`: a cached answer is wanted).
 */
export type RejectedBecause = 'open' | 'half-open-full' | 'forced-open' | 'shed' | 'serve-stale';

/**
 * The refusal of a breaker. One object serves all refusals of one kind in one epoch, because making an error
 * with its stack costs more than the whole breaker: it has no stack; do not change it.
 */
export class BreakerOpenError extends PolicyError {
  /** Grows with each transition and reset of the breaker. */
  readonly epoch: number;
  readonly because: RejectedBecause;
  readonly #timeUntilRetryMs: () => number;

  constructor(
    policy: string,
    epoch: number,
    timeUntilRetryMs: () => number,
    because: RejectedBecause = 'open',
  ) {
    super('open', policy, `breaker ${policy} ${saysWhy[because]}`);
    this.name = 'BreakerOpenError';
    this.epoch = epoch;
    this.because = because;
    this.#timeUntilRetryMs = timeUntilRetryMs;
  }

  /** As of reading it; 0 when a probe may be tried now. */
  get timeUntilRetryMs(): number {
    return this.#timeUntilRetryMs();
  }
}

const saysWhy = {
  open: 'is open',
  'half-open-full': 'is half-open and its probes are out',
  'forced-open': 'is held open by an override',
  shed: 'sheds a share of the calls',
  'serve-stale': 'is overridden: stale answers are to be served',
} as const satisfies Record<RejectedBecause, string>;

/** A call that did not end in time. Its `name` is `TimeoutError`, as that of AbortSignal.timeout. */
export class CallTimeoutError extends PolicyError {
  readonly timeoutMs: number;

  constructor(policy: string, timeoutMs: number) {
    super('timeout', policy, `${policy}: no result within ${timeoutMs} ms`);
    this.name = 'TimeoutError';
    this.timeoutMs = timeoutMs;
  }
}
