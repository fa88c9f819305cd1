/** What is mutated, and the specs that must notice. Paths are of libs/policies/src. */
export interface MutationPart {
  readonly name: string;
  readonly files: readonly string[];
  /** Patterns of spec files; only what is meant to prove the part, so that a mutant costs seconds. */
  readonly specs: readonly string[];
}

export const MUTATION_PARTS: readonly MutationPart[] = [
  {
    name: 'automaton',
    files: ['breaker-automaton.ts'],
    specs: ['breaker*.spec.ts'],
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
  },
];

/** Percent of the mutants that a spec must notice, for each part. */
export const LEAST_SCORE = 90;
