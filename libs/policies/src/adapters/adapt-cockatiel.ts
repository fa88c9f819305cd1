import type { BreakerState } from '../snapshots.ts';
import { AdaptedBreaker, type AdaptBreakerOptions } from './adapted-breaker.ts';

type Listen<T> = (listener: (event: T) => void) => { dispose(): void };

/** What of a cockatiel CircuitBreakerPolicy is used; cockatiel itself is not imported. */
export interface CockatielBreakerLike {
  /** 0 closed, 1 open, 2 half-open, 3 isolated. */
  readonly state: number;
  readonly onStateChange: Listen<number>;
  readonly onSuccess: Listen<unknown>;
  readonly onFailure: Listen<CockatielFailure>;
  execute: (...args: never[]) => Promise<unknown>;
  isolate(): { dispose(): void };
  toJSON(): unknown;
}

export interface CockatielFailure {
  readonly handled: boolean;
  readonly reason: { readonly error: unknown } | { readonly value: unknown };
}

export interface AdaptCockatielOptions extends AdaptBreakerOptions {
  /** It has no name of its own. */
  readonly name: string;
  /** Its halfOpenAfter, which it does not tell. Absent: the time until the next probe is not shown. */
  readonly recoveryMs?: number;
}

const limited = {
  library: 'cockatiel',
  lacks: [
    'no guard against late results: failures of old calls open a recovered circuit, and none is counted',
    'no lease for probes, and callers wait for a probe instead of being refused: a hung one holds them all',
    'no ignored outcome: an error that it does not handle closes a half-open circuit',
    'it waits by the clock of the machine: set back, it stays open for as long',
    'overrides: force-open only; released, it is closed, whatever it was before',
    'why it moved is concluded, not told',
  ],
} as const;

const states: readonly BreakerState[] = ['closed', 'open', 'half-open', 'open'];

/** Shows a cockatiel breaker as one of ours, and lets it be forced open for a while. */
export function adaptCockatiel(
  circuit: CockatielBreakerLike,
  options: AdaptCockatielOptions,
): AdaptedBreaker {
  const breaker = new AdaptedBreaker(options.name, states[circuit.state] ?? 'open', options);
  const heard = [
    circuit.onStateChange((state) => {
      breaker.entered(states[state] ?? 'open');
    }),
    circuit.onSuccess(() => {
      breaker.succeeded();
    }),
    circuit.onFailure(({ handled, reason }) => {
      if (handled) breaker.failed('error' in reason ? reason.error : reason);
      else breaker.ignored();
    }),
  ];
  const unwrap = countRefusals(circuit, () => {
    breaker.rejected();
  });
  let isolated: { dispose(): void } | undefined;
  return breaker.follow({
    limited,
    window: () => windowOf(circuit.toJSON()),
    recoveryMs: () => options.recoveryMs,
    probesInFlight: () => 0,
    overrides: {
      'force-open': {
        begin: () => {
          isolated = circuit.isolate();
        },
        end: () => {
          isolated?.dispose();
          isolated = undefined;
        },
      },
    },
    unlisten: () => {
      for (const each of heard) each.dispose();
      unwrap();
    },
  });
}

/** It tells nobody of the calls that it refuses; their own errors do. Costs nothing while it is closed. */
function countRefusals(circuit: CockatielBreakerLike, refused: () => void): () => void {
  const execute = circuit.execute;
  const isOwn = Object.hasOwn(circuit, 'execute');
  const counting: CockatielBreakerLike['execute'] = (...args) => {
    const isClosed = circuit.state === 0;
    const running = execute.apply(circuit, args);
    if (isClosed) return running;
    running.catch((error: unknown) => {
      if (typeof error === 'object' && error !== null && 'isBrokenCircuitError' in error) refused();
    });
    return running;
  };
  circuit.execute = counting;
  return () => {
    // who wrapped it after us is left alone
    if (circuit.execute !== counting) return;
    if (isOwn) circuit.execute = execute;
    else Reflect.deleteProperty(circuit, 'execute');
  };
}

/** The figures of its three windows, as its toJSON shows them; none of another shape. */
function windowOf(shown: unknown): { calls: number; failures: number } {
  const state = fieldOf(shown, 'breakerState');
  if (typeof state === 'number') return { calls: state, failures: state };
  const failures = numberOf(state, 'failures') ?? numberOf(state, 'currentFailures') ?? 0;
  const successes = numberOf(state, 'successes') ?? numberOf(state, 'currentSuccesses') ?? 0;
  return { calls: failures + successes, failures };
}

function numberOf(value: unknown, field: string): number | undefined {
  const found = fieldOf(value, field);
  return typeof found === 'number' ? found : undefined;
}

function fieldOf(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[field];
}
