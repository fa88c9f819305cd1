import type { Clock } from './clock.ts';
import type {
  OverrideEvent,
  OverrideKind,
  OverrideRequest,
  OverrideResult,
  OverrideSnapshot,
} from './override.ts';
import { OverrideLayer } from './override-layer.ts';
import type { RejectedBecause } from './policy-error.ts';
import { noteOnActiveSpan } from './span-events.ts';
import { Listeners } from './transitions.ts';

/** The override layer of a breaker: which calls it turns away, and who hears of it. */
export class BreakerOverrides {
  readonly #layer: OverrideLayer;
  readonly #random: () => number;
  readonly #events = new Listeners<OverrideEvent>();

  constructor(
    of: { readonly name: string; readonly guards: string },
    clock: Clock,
    random: () => number,
    changed: () => void,
  ) {
    this.#random = random;
    this.#layer = new OverrideLayer(clock, (what, override) => {
      changed();
      const { name, guards } = of;
      noteOnActiveSpan('starr.breaker.override', {
        'starr.breaker': name,
        what,
        kind: override.kind,
      });
      this.#events.tell({ breaker: name, guards, what, override, at: clock.wallTime() });
    });
  }

  /** Absent: the automaton rules. */
  get kind(): OverrideKind | undefined {
    return this.#layer.request?.kind;
  }

  /** Why this call must not run, whatever the automaton says; absent: it may decide. */
  turnsAway(): RejectedBecause | undefined {
    const { request } = this.#layer;
    switch (request?.kind) {
      case 'force-open':
        return 'forced-open';
      case 'serve-stale':
        return 'serve-stale';
      case 'shed':
        return this.#random() < request.share ? 'shed' : undefined;
      case 'hold-closed':
      case 'half-open-now':
      case undefined:
        return undefined;
    }
  }

  begin(request: OverrideRequest): OverrideResult {
    return this.#layer.begin(request);
  }

  release(id: string): OverrideResult {
    return this.#layer.release(id);
  }

  /** `half-open-now` has done what it was for. */
  spendHurry(): void {
    this.#layer.spendHurry();
  }

  snapshot(): OverrideSnapshot | undefined {
    return this.#layer.snapshot();
  }

  listen(listener: (event: OverrideEvent) => void): () => void {
    return this.#events.listen(listener);
  }
}
