/** Earlier answers of windowed reads, in bounded memory. */
export interface Sample {
  readonly atMs: number;
  readonly takenAt: Date;
  readonly value: unknown;
}

export interface SampleLimits {
  /** Most samples a read and target; default 40. */
  readonly maxSamples: number;
  /** Samples closer than this say nothing about growth; default 1000. */
  readonly minAgeMs: number;
  /** The age that a comparison prefers; default 60 000. */
  readonly preferredAgeMs: number;
}

export const DEFAULT_SAMPLE_LIMITS: SampleLimits = {
  maxSamples: 40,
  minAgeMs: 1000,
  preferredAgeMs: 60_000,
};

export class Samples {
  readonly #byKey = new Map<string, Sample[]>();
  readonly #limits: SampleLimits;

  constructor(limits: SampleLimits = DEFAULT_SAMPLE_LIMITS) {
    this.#limits = limits;
  }

  add(key: string, sample: Sample): void {
    const kept = this.#byKey.get(key) ?? [];
    kept.push(sample);
    while (kept.length > this.#limits.maxSamples) kept.shift();
    this.#byKey.set(key, kept);
  }

  /** The newest that is as old as preferred, else the oldest that is old enough; none outside the window. */
  before(key: string, nowMs: number, windowMs: number): Sample | undefined {
    const inWindow = (this.#byKey.get(key) ?? []).filter(
      ({ atMs }) => nowMs - atMs >= this.#limits.minAgeMs && nowMs - atMs <= windowMs,
    );
    return (
      inWindow.findLast(({ atMs }) => nowMs - atMs >= this.#limits.preferredAgeMs) ?? inWindow[0]
    );
  }

  /** When the oldest kept sample was taken. */
  since(key: string): Date | undefined {
    return this.#byKey.get(key)?.[0]?.takenAt;
  }

  /** A patient that was replaced has no history. */
  clear(): void {
    this.#byKey.clear();
  }
}
