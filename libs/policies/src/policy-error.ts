/**
 * - `open`: the breaker is open, or its half-open places are taken; the call did not run.
 * - `queue-full`: the queue holds `maxSize` waiting works; this one was not taken.
 * - `wait-timeout`: the work waited longer than `waitTimeoutMs` and will not run.
 * - `stopped`: the queue was stopped before the work ran.
 * - `invalid-option`: an option is outside its allowed range.
 * - `duplicate-name`: the process already has a policy of that kind and name.
 */
export type PolicyErrorCode =
  'open' | 'queue-full' | 'wait-timeout' | 'stopped' | 'invalid-option' | 'duplicate-name';

const brand = Symbol.for('@starr/policies.PolicyError');

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

/**
 * The refusal of an open breaker. One object serves all refusals of an opening, because making an error with
 * its stack costs more than the whole breaker: do not change it.
 */
export class BreakerOpenError extends PolicyError {
  /** Grows with each transition and reset of the breaker. */
  readonly epoch: number;
  readonly #timeUntilRetryMs: () => number;

  constructor(policy: string, epoch: number, timeUntilRetryMs: () => number) {
    super('open', policy, `breaker ${policy} is open`);
    this.name = 'BreakerOpenError';
    this.epoch = epoch;
    this.#timeUntilRetryMs = timeUntilRetryMs;
  }

  /** As of reading it; 0 when a probe may be tried now. */
  get timeUntilRetryMs(): number {
    return this.#timeUntilRetryMs();
  }
}
