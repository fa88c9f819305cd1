import type { Cancel, Clock } from './clock.ts';
import type {
  OverrideEvent,
  OverrideRequest,
  OverrideResult,
  OverrideSnapshot,
} from './override.ts';

interface InForce {
  request: OverrideRequest;
  readonly since: Date;
  endsAtMs: number;
}

/** Holds the one override of a policy and ends it when its lease does; what it means is the policy's affair. */
export class OverrideLayer {
  readonly #clock: Clock;
  readonly #changed: (what: OverrideEvent['what'], override: OverrideSnapshot) => void;
  #inForce: InForce | undefined;
  #cancelExpiry: Cancel | undefined;

  constructor(
    clock: Clock,
    changed: (what: OverrideEvent['what'], override: OverrideSnapshot) => void,
  ) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /** Absent: the automaton rules. */
  get request(): OverrideRequest | undefined {
    return this.#current()?.request;
  }

  begin(request: OverrideRequest): OverrideResult {
    const says = refusalOf(request);
    if (says !== undefined) return { kind: 'refused', says };
    const before = this.snapshot();
    const renewed = before?.id === request.id && before.kind === request.kind;
    this.#cancelExpiry?.();
    const since = renewed ? before.since : this.#clock.wallTime();
    this.#inForce = { request, since, endsAtMs: this.#clock.nowMs() + request.leaseMs };
    this.#arm(request.leaseMs);
    if (renewed) {
      this.#tell('renewed', this.snapshot());
      return { kind: 'renewed' };
    }
    this.#tell('replaced', before);
    this.#tell('begun', this.snapshot());
    return { kind: 'begun', ...(before && { replaced: before }) };
  }

  release(id: string): OverrideResult {
    if (this.#current()?.request.id !== id) {
      return { kind: 'refused', says: `there is no override ${id}` };
    }
    this.#end('released');
    return { kind: 'released' };
  }

  /** `half-open-now` has done what it was for. */
  spendHurry(): void {
    if (this.request?.kind === 'half-open-now') this.#end('spent');
  }

  snapshot(): OverrideSnapshot | undefined {
    const inForce = this.#current();
    return inForce && this.#show(inForce);
  }

  #show(inForce: InForce): OverrideSnapshot {
    const { id, kind, by, reason } = inForce.request;
    return {
      id,
      kind,
      ...(inForce.request.kind === 'shed' && { share: inForce.request.share }),
      by,
      reason,
      since: inForce.since,
      leaseLeftMs: Math.max(0, inForce.endsAtMs - this.#clock.nowMs()),
    };
  }

  // A timer may come a moment early, and one longer than setTimeout can takes several.
  #current(): InForce | undefined {
    if (this.#inForce && this.#inForce.endsAtMs <= this.#clock.nowMs()) this.#end('expired');
    return this.#inForce;
  }

  #arm(leftMs: number): void {
    this.#cancelExpiry = this.#clock.schedule(() => {
      const inForce = this.#current();
      if (inForce) this.#arm(inForce.endsAtMs - this.#clock.nowMs());
    }, leftMs);
  }

  #end(what: 'released' | 'expired' | 'spent'): void {
    const ended = this.#inForce && this.#show(this.#inForce);
    this.#cancelExpiry?.();
    this.#cancelExpiry = undefined;
    this.#inForce = undefined;
    this.#tell(what, ended);
  }

  #tell(what: OverrideEvent['what'], override: OverrideSnapshot | undefined): void {
    if (override) this.#changed(what, override);
  }
}

function refusalOf(request: OverrideRequest): string | undefined {
  if (!Number.isFinite(request.leaseMs) || request.leaseMs <= 0) {
    return `leaseMs is ${request.leaseMs}; allowed: a number above 0`;
  }
  if (request.kind === 'shed' && !(request.share > 0 && request.share <= 1)) {
    return `share is ${request.share}; allowed: above 0 and up to 1`;
  }
  return undefined;
}
