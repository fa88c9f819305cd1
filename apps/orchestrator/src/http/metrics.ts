import type { SweepEvent } from '@starr/wire';

/** How much is under way right now. */
export interface UnderWay {
  readonly sweeps: number;
  readonly plans: number;
}

/** The few numbers of this process, in the text format of Prometheus. Nothing of a patient is in them. */
export class Metrics {
  readonly #underWay: () => UnderWay;
  #answered = 0;
  #unrecorded = 0;
  #lastSeconds = 0;

  constructor(underWay: () => UnderWay) {
    this.#underWay = underWay;
  }

  /** Fed with the end of each run, once. */
  count({ tookMs, recorded }: Extract<SweepEvent, { kind: 'ended' }>): void {
    this.#answered += 1;
    this.#lastSeconds = tookMs / 1000;
    if (!recorded) this.#unrecorded += 1;
  }

  text(): string {
    const { sweeps, plans } = this.#underWay();
    return [
      ...line('starr_sweeps_total', 'counter', 'Sweeps that were answered.', this.#answered),
      ...line(
        'starr_sweeps_unrecorded_total',
        'counter',
        'Answered sweeps that the store did not take.',
        this.#unrecorded,
      ),
      ...line('starr_sweeps_running', 'gauge', 'Sweeps under way.', sweeps),
      ...line('starr_plans_running', 'gauge', 'Plans being applied or verified.', plans),
      ...line(
        'starr_sweep_last_seconds',
        'gauge',
        'How long the last sweep took.',
        this.#lastSeconds,
      ),
    ]
      .join('\n')
      .concat('\n');
  }
}

function line(name: string, type: string, help: string, value: number): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`];
}
