import type { Backpressure } from './backpressure.ts';
import type { Breaker } from './breaker.ts';
import type { InterlockSource } from './interlocks.ts';

/** A breaker's state, for interlocks. */
export function breakerState(breaker: Breaker): InterlockSource {
  return {
    kind: breaker.kind,
    name: breaker.name,
    state: () => breaker.snapshot().state,
    onState: (listener) => breaker.onTransition(listener),
  };
}

/** A backpressure's state, for interlocks. */
export function backpressureState(backpressure: Backpressure): InterlockSource {
  return {
    kind: backpressure.kind,
    name: backpressure.name,
    state: () => backpressure.state,
    onState: (listener) => backpressure.onChange(listener),
  };
}
