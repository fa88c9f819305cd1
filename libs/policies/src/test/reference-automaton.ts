import type { Outcome } from '../breaker-options.ts';
import type { OverrideKind } from '../override.ts';
import type { BreakerState } from '../snapshots.ts';

export interface ReferenceSettings {
  readonly failures: number;
  readonly recoveryMs: number;
  readonly recoveryMaxMs: number;
  readonly leaseMs: number;
  readonly maxProbes: number;
  readonly successes: number;
}

/** What a breaker of failures in a row must be, written as plainly as possible; the real one is run against it. */
export class ReferenceAutomaton {
  state: BreakerState = 'closed';
  epoch = 0;
  nowMs = 0;
  inARow = 0;
  openings = 0;
  good = 0;
  openedAtMs = 0;
  late = 0;
  override: { kind: OverrideKind; endsMs: number } | undefined;
  /** Every call that is out, oldest first; epoch -1: only the override let it through. */
  out: { epoch: number; probe: boolean; endsMs: number }[] = [];
  settings: ReferenceSettings;

  constructor(settings: ReferenceSettings) {
    this.settings = settings;
  }
  move(to: BreakerState) {
    if (this.state === 'open' && this.override?.kind === 'half-open-now') this.override = undefined;
    this.state = to;
    this.epoch++;
    this.inARow = to === 'closed' ? 0 : this.inARow;
    this.good = 0;
    if (to === 'closed') this.openings = 0;
    if (to === 'open') this.openings++;
    if (to === 'open') this.openedAtMs = this.nowMs;
  }
  get retryAtMs() {
    const { recoveryMs, recoveryMaxMs } = this.settings;
    return this.openedAtMs + Math.min(recoveryMaxMs, recoveryMs * 2 ** (this.openings - 1));
  }
  probes() {
    return this.out.filter((call) => call.probe && call.epoch === this.epoch);
  }
  look() {
    if (this.override && this.override.endsMs <= this.nowMs) this.override = undefined;
    const expired = this.probes().some((call) => call.endsMs <= this.nowMs);
    if (this.state === 'half-open' && expired) this.move('open');
  }
  acquire() {
    this.look();
    const { override, nowMs } = this;
    if (override?.kind === 'force-open' || override?.kind === 'serve-stale') return false;
    const due = nowMs >= this.retryAtMs || override?.kind === 'half-open-now';
    if (this.state === 'open' && due) this.move('half-open');
    const probe = this.state === 'half-open' && this.probes().length < this.settings.maxProbes;
    const may = this.state === 'closed' || probe;
    if (!may && this.override?.kind !== 'hold-closed') return false;
    const endsMs = nowMs + this.settings.leaseMs;
    this.out.push({ epoch: may ? this.epoch : -1, probe, endsMs });
    return true;
  }
  settle(index: number, outcome: Outcome) {
    this.look();
    const [call] = this.out.splice(index, 1);
    if (call?.epoch === -1) return;
    if (call?.epoch !== this.epoch) this.late++;
    else if (outcome === 'ignored') return;
    else if (call.probe && outcome === 'failure') this.move('open');
    else if (call.probe && ++this.good >= this.settings.successes) this.move('closed');
    else if (!call.probe) {
      this.inARow = outcome === 'failure' ? this.inARow + 1 : 0;
      if (this.inARow >= this.settings.failures) this.move('open');
    }
  }
  lay(kind: OverrideKind, leaseMs: number) {
    this.look();
    this.override = { kind, endsMs: this.nowMs + leaseMs };
    if (kind === 'half-open-now' && this.state !== 'open') this.override = undefined;
  }
}
