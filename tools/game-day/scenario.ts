import type { Services } from '@starr/lab';
import type { SweepJson } from '../demo/sweep-json.ts';
import type { CureEnd } from './apply-cure.ts';
import type { Seeded } from './seeded.ts';

/** What a scenario knows to be true, in the words of the answer. */
export interface Truth {
  /** Playbooks of the true causes; empty for a control. */
  readonly causes: readonly string[];
  /** Playbooks that may stand behind the causes, since they are true too; default none. Any other is a false alarm. */
  readonly alsoTrue?: readonly string[];
  /** Texts that the first cause's title or path must hold. */
  readonly path: readonly string[];
}

export interface Played {
  readonly truth: Truth;
  readonly sweep: SweepJson;
  /** How the cure was judged, and how it was in truth; absent: the scenario applies none. */
  readonly effect?: { readonly judged: CureEnd; readonly truth: Exclude<CureEnd, 'not-applied'> };
}

export interface PlayContext {
  readonly seeded: Seeded;
  readonly say: (text: string) => void;
  /** Sweeps as a person would; what was printed is kept for whoever has to find out what went wrong. */
  readonly look: (services: Services) => Promise<SweepJson>;
  /** Applies the proposed plan of a remedy and waits for the judgement of its effect. */
  readonly cure: (services: Services, sweep: SweepJson, remedy: string) => Promise<CureEnd>;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly kind: 'fault' | 'control';
  readonly needs: readonly ('kubernetes' | 'jaeger' | 'pgbouncer')[];
  readonly play: (context: PlayContext) => Promise<Played>;
}
