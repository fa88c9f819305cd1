import { stackless, type BreakerOpenError, type RejectedBecause } from './policy-error.ts';

/** What a breaker turned away. Most never do, so it is made with the first rejection. */
export class BreakerRejections {
  count = 0;
  inState = 0;
  /** Of the count, those that an override turned away. */
  overridden = 0;
  #newest: RejectedBecause = 'open';
  #errors: Partial<Record<RejectedBecause, BreakerOpenError>> = {};

  note(because: RejectedBecause): void {
    this.#newest = because;
    this.count++;
    this.inState++;
    if (because !== 'open' && because !== 'half-open-full') this.overridden++;
  }

  /** Of the newest rejection; one error serves all of a kind in an epoch. */
  error(make: (because: RejectedBecause) => BreakerOpenError): BreakerOpenError {
    const because = this.#newest;
    return (this.#errors[because] ??= stackless(() => make(because)));
  }

  beginState(): void {
    this.inState = 0;
    this.#errors = {};
  }
}
