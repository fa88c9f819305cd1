import type { Backpressure } from './backpressure.ts';
import type { Breaker } from './breaker.ts';
import type { InterlockSource } from './interlocks.ts';
import type { OverrideKind } from './override.ts';
import type { BreakerState } from './snapshots.ts';

/** How a breaker acts, for interlocks: with an override it acts as if it were in the state that the override gives it. */
export function breakerState(breaker: Breaker): InterlockSource {
  return {
    kind: breaker.kind,
    name: breaker.name,
    state: () => {
      const { state, override } = breaker.snapshot();
      return actsAs(override?.kind) ?? state;
    },
    onState(listener) {
      const stops = [breaker.onTransition(listener), breaker.onOverride(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

function actsAs(override: OverrideKind | undefined): BreakerState | undefined {
  switch (override) {
    case 'force-open':
    case 'serve-stale':
      return 'open';
    case 'hold-closed':
      return 'closed';
    case 'half-open-now':
    case 'shed':
    case undefined:
      return undefined;
  }
}

/** A backpressure's state, for interlocks. */
export function backpressureState(backpressure: Backpressure): InterlockSource {
  return {
    kind: backpressure.kind,
    name: backpressure.name,
    couplings: backpressure.couplings,
    state: () => backpressure.state,
    onState: (listener) => backpressure.onChange(listener),
  };
}
