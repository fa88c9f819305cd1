/** What is mutated, and the specs that must notice. Paths are of libs/policies/src. */
export interface MutationPart {
  readonly name: string;
  readonly files: readonly string[];
  /** Patterns of spec files; only what is meant to prove the part, so that a mutant costs seconds. */
  readonly specs: readonly string[];
  /**
   * Of each model run. Thousands find what nobody thought of, but each mutant pays for them; all steps of the model must
   * still occur. Absent: there is none.
   */
  readonly modelRuns?: number;
}

export const MUTATION_PARTS: readonly MutationPart[] = [
  {
    name: 'automaton',
    files: ['breaker-automaton.ts'],
    specs: ['breaker*.spec.ts'],
    modelRuns: 800,
  },
  {
    name: 'window',
    files: ['outcome-window.ts', 'window-rule.ts'],
    specs: ['outcome-window.spec.ts'],
  },
  {
    name: 'queue',
    files: [
      'work-queue.ts',
      'waiting-room.ts',
      'waiting-works.ts',
      'workers.ts',
      'queued-work.ts',
      'work-line.ts',
      'operation-timings.ts',
      'net-flow.ts',
    ],
    specs: ['work-queue*.spec.ts', 'net-flow.spec.ts'],
    modelRuns: 150,
  },
];

/** Percent of the mutants that a spec must notice, for each part. */
export const LEAST_SCORE = 90;
