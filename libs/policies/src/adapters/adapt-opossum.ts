import type { BreakerState } from '../snapshots.ts';
import { AdaptedBreaker, type AdaptBreakerOptions, type BreakerSource } from './adapted-breaker.ts';

/** What of an opossum CircuitBreaker is used; opossum itself is not imported. */
export interface OpossumLike {
  readonly name: string;
  readonly closed: boolean;
  readonly halfOpen: boolean;
  readonly pendingClose: boolean;
  readonly status: { readonly window: readonly OpossumBucket[] };
  /** Not in its types, but public: it reads its options from here on each call. */
  readonly options?: { readonly resetTimeout?: number };
  open(): void;
  close(): void;
  enable(): void;
  disable(): void;
  addListener(event: string, listener: (error: Error) => void): unknown;
  off(event: string, listener: (error: Error) => void): unknown;
}

export interface OpossumBucket {
  readonly successes: number;
  readonly failures: number;
  readonly semaphoreRejections?: number;
}

const limited = {
  library: 'opossum',
  lacks: [
    'no guard against late results: a success of an old call closes a half-open circuit, and none is counted',
    'no lease for probes: without its timeout a hung probe blocks the recovery',
    'no ignored outcome: what its errorFilter lets pass counts as success',
    'its own error rate divides by refused and cached calls; here it is shown over executed calls',
    'overrides: force-open and hold-closed only; while it is held closed it counts nothing',
    'why it moved is concluded, not told',
  ],
} as const;

/** Shows an opossum breaker as one of ours, and lets it be forced open or held closed for a while. */
export function adaptOpossum(
  circuit: OpossumLike,
  options: AdaptBreakerOptions = {},
): AdaptedBreaker {
  const breaker = new AdaptedBreaker(circuit.name, stateOf(circuit), options);
  const held = { open: false };
  return breaker.follow({
    limited,
    window: () => windowOf(circuit.status.window),
    recoveryMs: () => circuit.options?.resetTimeout,
    probesInFlight: () => (circuit.halfOpen && !circuit.pendingClose ? 1 : 0),
    overrides: overridesOf(circuit, held),
    unlisten: listen(circuit, breaker, held),
  });
}

function listen(
  circuit: OpossumLike,
  breaker: AdaptedBreaker,
  held: { readonly open: boolean },
): () => void {
  const open = () => {
    breaker.entered('open');
  };
  const close = () => {
    breaker.entered('closed');
  };
  const halfOpen = () => {
    // it half-opens by its own timer, whoever opened it: held open means opened again, before anybody gets through
    if (held.open) circuit.open();
    else breaker.entered('half-open');
  };
  const success = () => {
    breaker.succeeded();
  };
  const failure = (error: Error) => {
    // its own refusals are failures to it; they are told as semaphoreLocked too
    if (codeOf(error) !== 'ESEMLOCKED') breaker.failed(error);
  };
  const refused = () => {
    breaker.rejected();
  };
  const listeners = {
    open,
    close,
    halfOpen,
    success,
    failure,
    reject: refused,
    semaphoreLocked: refused,
  };
  for (const [event, listener] of Object.entries(listeners)) circuit.addListener(event, listener);
  return () => {
    for (const [event, listener] of Object.entries(listeners)) circuit.off(event, listener);
  };
}

function overridesOf(circuit: OpossumLike, held: { open: boolean }): BreakerSource['overrides'] {
  let wasClosed = false;
  return {
    'force-open': {
      begin: () => {
        wasClosed = circuit.closed;
        held.open = true;
        circuit.open();
      },
      end: () => {
        held.open = false;
        // what was open before recovers by its own timer
        if (wasClosed) circuit.close();
      },
    },
    'hold-closed': {
      begin: () => {
        circuit.disable();
      },
      end: () => {
        circuit.enable();
      },
    },
  };
}

function stateOf({ closed, halfOpen }: OpossumLike): BreakerState {
  if (closed) return 'closed';
  return halfOpen ? 'half-open' : 'open';
}

// Not its `stats`: that getter copies and sorts every latency of the window.
function windowOf(buckets: readonly OpossumBucket[]): { calls: number; failures: number } {
  let calls = 0;
  let failures = 0;
  for (const bucket of buckets) {
    const failed = bucket.failures - (bucket.semaphoreRejections ?? 0);
    calls += bucket.successes + failed;
    failures += failed;
  }
  return { calls, failures };
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined;
}
