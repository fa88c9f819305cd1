/** What the policies promise, and what a regression of it is. Nanoseconds are of one call. */
export type PolicyGoal =
  | {
      /** What a guarded call takes more than the bare await. */
      readonly kind: 'over';
      readonly race: string;
      readonly mostNs: number;
      /** Of another race of ours that does the same but for one thing: the goal is that thing's. */
      readonly lessRace?: string;
    }
  | { readonly kind: 'whole'; readonly race: string; readonly mostNs: number }
  | {
      /** Our overhead as a share of the rival's. */
      readonly kind: 'ratio';
      readonly race: string;
      readonly rival: string;
      readonly most: number;
      /** The gate's bound: it speaks of regressions, so it is above what a noisy machine shows today. */
      readonly gate: number;
    };

export const POLICY_GOALS: readonly PolicyGoal[] = [
  { kind: 'over', race: 'consecutive', mostNs: 60 },
  { kind: 'over', race: 'count', mostNs: 60 },
  { kind: 'over', race: 'latencies', mostNs: 160 },
  { kind: 'over', race: 'timed-breaker', lessRace: 'latencies', mostNs: 50 },
  { kind: 'whole', race: 'refused', mostNs: 600 },
  { kind: 'ratio', race: 'consecutive', rival: 'cockatiel', most: 0.5, gate: 1 },
  { kind: 'ratio', race: 'count', rival: 'cockatiel', most: 0.5, gate: 1 },
  { kind: 'ratio', race: 'time', rival: 'cockatiel', most: 0.5, gate: 1 },
  { kind: 'ratio', race: 'time', rival: 'opossum', most: 0.1, gate: 0.5 },
  { kind: 'ratio', race: 'latencies', rival: 'opossum', most: 0.1, gate: 0.6 },
  { kind: 'ratio', race: 'timeout', rival: 'cockatiel', most: 0.1, gate: 0.2 },
  { kind: 'ratio', race: 'timed-breaker', rival: 'opossum', most: 0.1, gate: 0.5 },
  { kind: 'ratio', race: 'pipeline', rival: 'cockatiel', most: 0.1, gate: 0.2 },
  { kind: 'ratio', race: 'queue', rival: 'p-queue', most: 0.2, gate: 0.3 },
  { kind: 'ratio', race: 'queue-burst', rival: 'p-queue', most: 0.2, gate: 0.3 },
];

/** Of ten thousand breakers that nobody calls. */
export const IDLE_GOALS = { mostBytesEach: 1024, mostBusyRatio: 0.01 } as const;
