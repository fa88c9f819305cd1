import { PolicyError } from './policy-error.ts';

/** The refusal of a rate limit. */
export class RateLimitedError extends PolicyError {
  /** When a permit will be free, as of the refusal. */
  readonly retryAfterMs: number;

  constructor(policy: string, retryAfterMs: number) {
    super('rate-limited', policy, `rate limit ${policy} gives no more permits`);
    this.name = 'RateLimitedError';
    this.retryAfterMs = retryAfterMs;
  }
}
