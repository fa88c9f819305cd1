import type { SweepJson } from '../demo/sweep-json.ts';
import type { Seeded } from './seeded.ts';

/** What a scenario knows to be true, in the words of the answer. */
export interface Truth {
  /** Playbooks of the true causes; empty for a control. */
  readonly causes: readonly string[];
  /** Texts that the first cause's title or path must hold. */
  readonly path: readonly string[];
}

export interface Played {
  readonly truth: Truth;
  readonly sweep: SweepJson;
  /** The cure was applied and judged; absent: the scenario proposes none. `lie`: it was silently undone and had to be noticed. */
  readonly effect?: { readonly established: boolean; readonly expected: 'established' | 'missed' };
}

export interface PlayContext {
  readonly seeded: Seeded;
  readonly say: (text: string) => void;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly kind: 'fault' | 'control';
  readonly needs: readonly ('kubernetes' | 'jaeger')[];
  readonly play: (context: PlayContext) => Promise<Played>;
}
